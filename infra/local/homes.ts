/**
 * The one table of resource types: who runs each type on this machine, or the written reason why nobody has to,
 * and how its physical name, `Ref` and attributes look. A type that is not here stops the boot (see template.ts).
 */

/** What CloudFormation would know about a resource once it is created. */
export interface Identity {
  stack: string;
  /** Logical id. */
  id: string;
  /** Physical name: the explicit name of the template, or `<stack>-<logicalId>`. */
  name: string;
  region: string;
  account: string;
  /** 26 lower-case letters and digits that never change for this stack and logical id: for ids that AWS makes up. */
  code: string;
}

/** Either a file of this folder that runs the resource, or why the local cloud does without. */
export type Housing = { runs: string } | { none: string };

export type Home = Housing & {
  /** The template property that holds an explicit physical name. */
  nameProperty?: string;
  /** Overrides the physical name where AWS makes one up from its own alphabet. */
  nameOf?: (self: Identity) => string;
  /** ARN after `arn:aws:`. */
  arn?: (self: Identity) => string;
  /** What `Ref` returns; the name unless said otherwise. */
  ref?: 'arn' | ((self: Identity) => string);
  /** Attributes beside `Arn`. */
  attributes?: Record<string, (self: Identity) => string>;
};

const nameOf = (self: Identity): string => self.name;
const at = (service: string, self: Identity, resource: string): string =>
  `${service}:${self.region}:${self.account}:${resource}`;

const table = {
  runs: 'engine.ts',
  nameProperty: 'TableName',
  arn: (self) => at('dynamodb', self, `table/${self.name}`),
  attributes: {
    StreamArn: (self) => `arn:aws:${at('dynamodb', self, `table/${self.name}/stream/local`)}`,
    TableId: (self) => self.code,
  },
} satisfies Home;

const inPolicies = { none: 'policies.ts reads it when a function starts' };
const watching = { none: 'nothing is watched on one machine; logs are files and health is an operation' };

export const HOMES: Record<string, Home> = {
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::DynamoDB::Table': table,

  'AWS::Lambda::Function': {
    runs: 'functions.ts',
    nameProperty: 'FunctionName',
    arn: (self) => at('lambda', self, `function:${self.name}`),
  },
  'AWS::Lambda::EventSourceMapping': {
    runs: 'streams.ts',
    arn: (self) => at('lambda', self, `event-source-mapping:${self.name}`),
    attributes: { Id: nameOf, EventSourceMappingArn: (self) => self.name },
  },
  'AWS::Lambda::EventInvokeConfig': { runs: 'deliveries.ts' },
  'AWS::Lambda::Permission': { none: 'service-grants.ts checks it when the cloud starts' },

  'AWS::ApiGatewayV2::Api': {
    runs: 'gateway.ts',
    nameOf: (self) => self.code.slice(0, 10),
    arn: (self) => `apigateway:${self.region}::/apis/${self.name}`,
    attributes: {
      ApiId: nameOf,
      ApiEndpoint: (self) => `https://${self.name}.execute-api.${self.region}.amazonaws.com`,
    },
  },
  'AWS::ApiGatewayV2::Route': { runs: 'gateway.ts', attributes: { RouteId: nameOf } },
  'AWS::ApiGatewayV2::Integration': { runs: 'gateway.ts', attributes: { IntegrationId: nameOf } },
  'AWS::ApiGatewayV2::Authorizer': { runs: 'gateway.ts', attributes: { AuthorizerId: nameOf } },
  'AWS::ApiGatewayV2::Stage': { runs: 'gateway.ts', nameProperty: 'StageName' },

  'AWS::Events::EventBus': {
    runs: 'bus.ts',
    nameProperty: 'Name',
    arn: (self) => at('events', self, `event-bus/${self.name}`),
    attributes: { Name: nameOf },
  },
  'AWS::Events::Rule': { runs: 'bus.ts', nameProperty: 'Name', arn: (self) => at('events', self, `rule/${self.name}`) },
  'AWS::Events::Archive': {
    runs: 'bus.ts',
    nameProperty: 'ArchiveName',
    arn: (self) => at('events', self, `archive/${self.name}`),
    attributes: { ArchiveName: nameOf },
  },
  'AWS::Events::EventBusPolicy': { none: 'one account: nobody else can put events on the bus' },

  'AWS::SQS::Queue': {
    runs: 'queues.ts',
    nameProperty: 'QueueName',
    arn: (self) => at('sqs', self, self.name),
    ref: (self) => queueUrl(self),
    attributes: { QueueName: nameOf, QueueUrl: (self) => queueUrl(self) },
  },
  'AWS::SQS::QueuePolicy': { none: 'it lets AWS services write to a queue; here that service is this process' },

  'AWS::StepFunctions::StateMachine': {
    runs: 'workflows.ts',
    nameProperty: 'StateMachineName',
    arn: (self) => at('states', self, `stateMachine:${self.name}`),
    ref: 'arn',
    attributes: { Name: nameOf },
  },

  'AWS::Cognito::UserPool': {
    runs: 'identity.ts',
    nameOf: (self) => `${self.region}_${self.code.slice(0, 9)}`,
    arn: (self) => at('cognito-idp', self, `userpool/${self.name}`),
    attributes: {
      UserPoolId: nameOf,
      ProviderName: (self) => `cognito-idp.${self.region}.amazonaws.com/${self.name}`,
      ProviderURL: (self) => `https://cognito-idp.${self.region}.amazonaws.com/${self.name}`,
    },
  },
  'AWS::Cognito::UserPoolClient': {
    runs: 'identity.ts',
    nameOf: (self) => self.code,
    attributes: { ClientId: nameOf, Name: nameOf, ClientSecret: (self) => `secret-${self.code}` },
  },
  'AWS::Cognito::UserPoolDomain': {
    runs: 'identity.ts',
    nameProperty: 'Domain',
    attributes: { CloudFrontDistribution: (self) => `${self.name}.auth.${self.region}.amazoncognito.com` },
  },
  'AWS::Cognito::UserPoolResourceServer': { runs: 'identity.ts', nameProperty: 'Identifier' },
  'AWS::Cognito::UserPoolGroup': { runs: 'identity.ts', nameProperty: 'GroupName' },

  'AWS::IAM::Role': {
    ...inPolicies,
    nameProperty: 'RoleName',
    arn: (self) => `iam::${self.account}:role/${self.name}`,
    attributes: { RoleId: (self) => self.code },
  },
  'AWS::IAM::Policy': { ...inPolicies, nameProperty: 'PolicyName' },
  'AWS::IAM::ManagedPolicy': {
    ...inPolicies,
    nameProperty: 'ManagedPolicyName',
    arn: (self) => `iam::${self.account}:policy/${self.name}`,
    ref: 'arn',
  },

  'AWS::KMS::Key': {
    none: 'data at rest stays in the data directory of this machine',
    arn: (self) => at('kms', self, `key/${self.name}`),
    attributes: { KeyId: nameOf },
  },
  'AWS::KMS::Alias': { none: 'a name for a key that is not used here', nameProperty: 'AliasName' },
  'AWS::Logs::LogGroup': {
    none: 'functions log to files in the data directory',
    nameProperty: 'LogGroupName',
    arn: (self) => at('logs', self, `log-group:${self.name}:*`),
  },
  'AWS::Logs::ResourcePolicy': { none: 'it lets AWS services write logs' },
  'AWS::Logs::MetricFilter': watching,
  'AWS::CloudWatch::Alarm': {
    ...watching,
    nameProperty: 'AlarmName',
    arn: (self) => at('cloudwatch', self, `alarm:${self.name}`),
  },
  'AWS::CloudWatch::CompositeAlarm': {
    ...watching,
    nameProperty: 'AlarmName',
    arn: (self) => at('cloudwatch', self, `alarm:${self.name}`),
  },
  'AWS::CloudWatch::Dashboard': { ...watching, nameProperty: 'DashboardName' },
  'AWS::SNS::Topic': {
    none: 'it carries alarms to people, and there are no alarms here',
    nameProperty: 'TopicName',
    arn: (self) => at('sns', self, self.name),
    ref: 'arn',
    attributes: { TopicArn: (self) => `arn:aws:${at('sns', self, self.name)}`, TopicName: nameOf },
  },
  'AWS::SNS::TopicPolicy': { none: 'it lets alarms publish to a topic' },
  'AWS::SNS::Subscription': { none: 'it carries alarms to people' },
  'AWS::CDK::Metadata': { none: 'it tells AWS which constructs were used' },
};

function queueUrl(self: Identity): string {
  return `https://sqs.${self.region}.amazonaws.com/${self.account}/${self.name}`;
}

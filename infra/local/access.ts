import type { Need } from './policies.ts';
import type { Properties } from './template.ts';

/** What a request is judged against: the names in it mean these resources. */
export interface Surroundings {
  region: string;
  account: string;
  /** Partition key attribute of each table and of each of its indexes (`<table>/index/<index>`). */
  partitionKeys: Record<string, string>;
  /** ARNs of all state machines: a task token does not tell which one issued it. */
  stateMachineArns: string[];
}

/** The permissions an AWS request needs, all of them; of one inner list, any one is enough. */
export type Needs = Need[][];

/** Actions that these calls take to IAM under another name than their own. */
const SQS_ACTIONS: Record<string, string> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

/**
 * The permissions a request with this `x-amz-target` needs. Throws for a service whose actions are not known, because
 * a call that nobody judges would be allowed here and denied on AWS.
 */
export function needsOf(target: string, body: Properties, surroundings: Surroundings): Needs {
  const [service = '', operation = ''] = target.split('.');
  const arn = (name: string, resource: string) =>
    resource.startsWith('arn:')
      ? resource
      : `arn:aws:${name}:${surroundings.region}:${surroundings.account}:${resource}`;
  if (service.startsWith('DynamoDB')) return dynamoNeeds(operation, body, surroundings, arn);
  switch (service) {
    case 'AWSEvents':
      return eventNeeds(operation, body, arn);
    case 'AWSStepFunctions':
      return [stateMachineNeeds(operation, body, surroundings)];
    case 'AmazonSQS': {
      const queue =
        String(body.QueueUrl ?? body.QueueName ?? '')
          .split('/')
          .at(-1) ?? '';
      return [[{ action: `sqs:${SQS_ACTIONS[operation] ?? operation}`, resource: arn('sqs', queue) }]];
    }
    case 'AWSCognitoIdentityProviderService':
      return [[{ action: `cognito-idp:${operation}`, resource: arn('cognito-idp', `userpool/${body.UserPoolId}`) }]];
    default:
      throw new Error(`The local cloud cannot judge a call of ${target}: teach infra/local/access.ts its actions.`);
  }
}

type ArnOf = (service: string, resource: string) => string;

function eventNeeds(operation: string, body: Properties, arn: ArnOf): Needs {
  if (operation !== 'PutEvents') return [[{ action: `events:${operation}`, resource: '*' }]];
  return (body.Entries ?? []).map((entry: Properties) => {
    const bus = String(entry.EventBusName ?? 'default');
    const resource = arn('events', bus.startsWith('arn:') ? bus : `event-bus/${bus}`);
    const context = { 'events:source': [String(entry.Source)], 'events:detail-type': [String(entry.DetailType)] };
    return [{ action: 'events:PutEvents', resource, context }];
  });
}

function stateMachineNeeds(operation: string, body: Properties, { stateMachineArns }: Surroundings): Need[] {
  const action = `states:${operation}`;
  const named = body.stateMachineArn ?? body.executionArn;
  if (named) return [{ action, resource: named }];
  return [...stateMachineArns, '*'].map((resource) => ({ action, resource }));
}

type Item = Record<string, Record<string, unknown>>;

function dynamoNeeds(operation: string, body: Properties, { partitionKeys }: Surroundings, arn: ArnOf): Needs {
  const tableArn = (table: string) => arn('dynamodb', table.startsWith('arn:') ? table : `table/${table}`);
  const nameOf = (table: string) => table.split('/').at(-1)!;
  const need = (action: string, table: string, items: (Item | undefined)[], enclosing?: string): Need[] => [
    {
      action: `dynamodb:${action}`,
      resource: tableArn(table),
      context: {
        'dynamodb:LeadingKeys': items.flatMap((item) => textOf(item?.[partitionKeys[nameOf(table)] ?? ''])),
        ...(enclosing && { 'dynamodb:EnclosingOperation': [enclosing] }),
      },
    },
  ];
  switch (operation) {
    case 'TransactWriteItems':
      return (body.TransactItems ?? []).flatMap((part: Properties) =>
        Object.entries(part).map(([kind, write]) =>
          need(
            kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`,
            write.TableName,
            [write.Key ?? write.Item],
            operation,
          ),
        ),
      );
    case 'TransactGetItems':
      return (body.TransactItems ?? []).map((part: Properties) =>
        need('GetItem', part.Get.TableName, [part.Get.Key], operation),
      );
    case 'BatchGetItem':
      return Object.entries<Properties>(body.RequestItems ?? {}).map(([table, get]) =>
        need(operation, table, get.Keys),
      );
    case 'BatchWriteItem':
      return Object.entries<Properties[]>(body.RequestItems ?? {}).map(([table, writes]) =>
        need(
          operation,
          table,
          writes.map((write) => write.PutRequest?.Item ?? write.DeleteRequest?.Key),
        ),
      );
    case 'Query':
    case 'Scan': {
      const index = body.IndexName ? `/index/${body.IndexName}` : '';
      const key = partitionKeys[`${nameOf(body.TableName)}${index}`] ?? '';
      const context = { 'dynamodb:LeadingKeys': queriedKey(body, key) };
      return [[{ action: `dynamodb:${operation}`, resource: `${tableArn(body.TableName)}${index}`, context }]];
    }
    default:
      return body.TableName
        ? [need(operation, body.TableName, [body.Key ?? body.Item])]
        : [[{ action: `dynamodb:${operation}`, resource: '*' }]];
  }
}

/** The partition key value that a query's key condition asks for; none in a scan. */
function queriedKey(body: Properties, key: string): string[] {
  for (const [, name = '', value = ''] of String(body.KeyConditionExpression ?? '').matchAll(
    /([#\w.-]+)\s*=\s*(:\w+)/g,
  )) {
    if ((body.ExpressionAttributeNames?.[name] ?? name) === key) return textOf(body.ExpressionAttributeValues?.[value]);
  }
  return [];
}

/** A key attribute value (`{S}`, `{N}` or `{B}`) as text. */
function textOf(value: Record<string, unknown> | undefined): string[] {
  return value ? [String(Object.values(value)[0])] : [];
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, Duration, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { OAuthScope, UserPool } from 'aws-cdk-lib/aws-cognito';
import { AttributeType, type ITable, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as Lambda, Runtime, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';

/** A temporary directory with a synthesized app in `cdk.out`, and room for data. */
export interface ShopApp extends Disposable {
  assemblyDir: string;
  /** A data directory that nobody has used yet. */
  newDataDir(): string;
}

/** The functions of the shop; they use the SDK as installed, where real ones bundle it. */
const CODE = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(import.meta.url)});
const { DynamoDBClient, PutItemCommand, UpdateItemCommand } = require('@aws-sdk/client-dynamodb');
const { EventBridgeClient, PutEventsCommand } = require('@aws-sdk/client-eventbridge');
const { SFNClient, StartExecutionCommand } = require('@aws-sdk/client-sfn');
const [tables, bus, workflows] = [new DynamoDBClient({}), new EventBridgeClient({}), new SFNClient({})];
const { TABLE: TableName, BUS: EventBusName, MACHINE: stateMachineArn } = process.env;

export const api = async ({ pathParameters: { id }, requestContext }) => {
  await tables.send(new PutItemCommand({ TableName, Item: { pk: { S: id } } }));
  return { statusCode: 201, body: requestContext.authorizer?.jwt.claims.client_id ?? 'guest' };
};
export const stream = async ({ Records }) => {
  for (const { dynamodb } of Records) {
    const Detail = JSON.stringify({ id: dynamodb.Keys.pk.S });
    const Entries = [{ EventBusName, Source: 'orders', DetailType: 'order.placed.v1', Detail }];
    const { FailedEntryCount } = await bus.send(new PutEventsCommand({ Entries }));
    if (FailedEntryCount) throw new Error('not put');
  }
};
export const listen = async ({ detail }) => {
  await workflows.send(new StartExecutionCommand({ stateMachineArn, name: detail.id, input: JSON.stringify(detail) }))
    .catch((error) => { if (error.name !== 'ExecutionAlreadyExists') throw error; });
};
export const task = async ({ id }) => {
  await tables.send(new UpdateItemCommand({
    TableName, Key: { pk: { S: id } }, UpdateExpression: 'SET fulfilled = :yes', ExpressionAttributeValues: { ':yes': { BOOL: true } },
  }));
  return { id };
};
export const outsider = async () => {
  await tables.send(new PutItemCommand({ TableName, Item: { pk: { S: 'stolen' } } }));
};
`;

/** A shop of two stacks in which a request goes through everything: API, table, stream, bus, function, workflow, table. */
export function synthesizeShop(): ShopApp {
  const root = mkdtempSync(join(tmpdir(), 'shop-'));
  mkdirSync(join(root, 'code'));
  writeFileSync(join(root, 'code', 'index.mjs'), CODE);
  const assemblyDir = join(root, 'cdk.out');
  const app = new App({ outdir: assemblyDir });
  const data = dataStack(app);
  shopStack(app, data, Code.fromAsset(join(root, 'code')));
  app.synth();
  return {
    assemblyDir,
    newDataDir: () => mkdtempSync(join(root, 'data-')),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function dataStack(app: App) {
  const stack = new Stack(app, 'Shop-Data');
  const partitionKey = { name: 'pk', type: AttributeType.STRING };
  const orders = new TableV2(stack, 'Orders', { partitionKey, dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES });
  const shipments = new TableV2(stack, 'Shipments', { partitionKey });
  const pool = new UserPool(stack, 'People');
  const scopes = ['order', 'refund'].map((scopeName) => ({ scopeName, scopeDescription: scopeName }));
  const server = pool.addResourceServer('Api', { identifier: 'shop', scopes });
  const till = pool.addClient('Till', {
    generateSecret: true,
    oAuth: { flows: { clientCredentials: true }, scopes: [OAuthScope.resourceServer(server, scopes[0]!)] },
  });
  return { orders, shipments, pool, till };
}

function shopStack(app: App, { orders, shipments, pool, till }: ReturnType<typeof dataStack>, code: Code): void {
  const stack = new Stack(app, 'Shop');
  const lambda = (id: string, environment: Record<string, string>) =>
    new Lambda(stack, id, {
      runtime: Runtime.NODEJS_24_X,
      handler: `index.${id}`,
      code,
      environment,
      timeout: Duration.seconds(10),
      memorySize: 256,
    });
  const bus = new EventBus(stack, 'Bus', { eventBusName: 'shop' });
  const task = lambda('task', { TABLE: shipments.tableName });
  const machine = new StateMachine(stack, 'Fulfilment', {
    definitionBody: DefinitionBody.fromChainable(new LambdaInvoke(stack, 'Ship', { lambdaFunction: task })),
  });
  const api = lambda('api', { TABLE: orders.tableName });
  const stream = lambda('stream', { BUS: bus.eventBusName });
  const listen = lambda('listen', { MACHINE: machine.stateMachineArn });
  orders.grant(api, 'dynamodb:PutItem');
  shipments.grant(task, 'dynamodb:UpdateItem');
  bus.grantPutEventsTo(stream);
  machine.grantStartExecution(listen);
  const late = new Queue(stack, 'Late');
  const onFailure = new SqsDlq(late);
  stream.addEventSource(
    new DynamoEventSource(orders as ITable, { startingPosition: StartingPosition.TRIM_HORIZON, onFailure }),
  );
  new Rule(stack, 'OnPlaced', {
    eventBus: bus,
    eventPattern: { detailType: ['order.placed.v1'], account: [Aws.ACCOUNT_ID] },
    targets: [new LambdaFunction(listen, { deadLetterQueue: late, retryAttempts: 2 })],
  });
  const http = new HttpApi(stack, 'Http');
  const put = { path: '/orders/{id}', methods: [HttpMethod.PUT], integration: new HttpLambdaIntegration('Api', api) };
  http.addRoutes(put);
  const authorizer = new HttpJwtAuthorizer('Jwt', pool.userPoolProviderUrl, { jwtAudience: [till.userPoolClientId] });
  http.addRoutes({ ...put, path: '/till/orders/{id}', authorizer, authorizationScopes: ['shop/order'] });
  http.addRoutes({ ...put, path: '/till/refunds/{id}', authorizer, authorizationScopes: ['shop/refund'] });
  const outsider = lambda('outsider', { TABLE: orders.tableName });
  http.addRoutes({ path: '/outsider', integration: new HttpLambdaIntegration('Outsider', outsider) });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { startEngine } from '../../infra/local/engine.ts';
import { load } from './http.ts';
import { cpuMsOf } from './system.ts';

const TableName = 'bare';
const SKUS = 20;
const NEW = 'attribute_not_exists(pk)';
/** What most items of a checkout are like. */
const SOMETHING = {
  note: 'x'.repeat(300),
  lines: [{ sku: 'A', units: 1 }],
  total: { amountMinor: 1, currency: 'KRW' },
};

/** The bare database work of a checkout: eight calls of the SDK, two of them transactions. */
const bareCheckout = async (database: DynamoDBDocumentClient, index: number): Promise<void> => {
  const cart = { pk: `CUSTOMER#${index}`, sk: 'CART' };
  const order = { pk: `ORDER#${index}`, sk: 'ORDER' };
  const payment = { pk: `ORDER#${index}`, sk: 'PAYMENT' };
  const level = { pk: `SKU#${index % SKUS}`, sk: 'LEVEL' };
  const added = (Item: object) => ({ TableName, Item: { ...SOMETHING, ...Item }, ConditionExpression: NEW });
  const said = (sk: string) => ({ Put: { TableName, Item: { pk: `OUTBOX#${index}`, sk, ...SOMETHING } } });
  const becomes = (Key: object, status: string) => ({
    ...{ TableName, Key, UpdateExpression: 'SET #status = :status', ExpressionAttributeNames: { '#status': 'status' } },
    ExpressionAttributeValues: { ':status': status },
  });
  await database.send(new GetCommand({ TableName, Key: cart, ConsistentRead: true }));
  await database.send(new PutCommand(added(cart)));
  await database.send(new PutCommand(added({ ...cart, sk: 'ADDRESS' })));
  await database.send(new UpdateCommand(becomes(cart, 'DELIVERY')));
  await database.send(new GetCommand({ TableName, Key: cart, ConsistentRead: true }));
  const taken = {
    ...{ TableName, Key: level, UpdateExpression: 'ADD available :less', ConditionExpression: 'available >= :one' },
    ExpressionAttributeValues: { ':less': -1, ':one': 1 },
  };
  const placed = [{ Put: added(order) }, { Update: taken }, { Put: added({ ...order, sk: 'ENTRY' }) }, said('placed')];
  await database.send(new TransactWriteCommand({ TransactItems: [...placed, { Delete: { TableName, Key: cart } }] }));
  await database.send(new PutCommand(added(payment)));
  const paid = [{ Update: becomes(payment, 'AUTHORIZED') }, { Update: becomes(order, 'PLACED') }, said('paid')];
  await database.send(new TransactWriteCommand({ TransactItems: paid }));
};

export interface Bare {
  /** Does it so many times, eight at a time, and says how long that took and how much CPU of SDK and engine. */
  work(times: number): Promise<{ durationMs: number; cpuMs: number }>;
  close(): Promise<void>;
}

/**
 * The bare database work of a checkout, on an engine of its own: SDK and engine, and nothing of ours. What it takes says
 * how quick a machine is at this moment; `checkout_cpu_of_bare` is what our checkout takes, whatever the machine.
 */
export const openBare = async (): Promise<Bare> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ieum-bare-'));
  const engine = await startEngine({ dataDir, tables: [] });
  const client = new DynamoDBClient({
    ...{ endpoint: engine.endpoint, region: 'ap-northeast-2' },
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
  // The engine looks through all tokens of ten minutes: work without tokens is the same whenever it is measured (ADR 19).
  client.middlewareStack.add(
    (next) => (sent) => {
      const request = sent.request as { body: Uint8Array | string };
      const body = typeof request.body === 'string' ? request.body : new TextDecoder().decode(request.body);
      request.body = body.replace(/"ClientRequestToken":"[^"]*",?/, '').replace(/,}$/, '}');
      return next(sent);
    },
    { step: 'build', priority: 'high' },
  );
  const keys = ['pk', 'sk'] as const;
  await client.send(
    new CreateTableCommand({
      ...{ TableName, BillingMode: 'PAY_PER_REQUEST' },
      KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' })),
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    }),
  );
  const database = DynamoDBDocumentClient.from(client);
  for (let index = 0; index < SKUS; index += 1) {
    const Item = { pk: `SKU#${index}`, sk: 'LEVEL', available: 1_000_000 };
    await database.send(new PutCommand({ TableName, Item }));
  }
  const cpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 + cpuMsOf(engine.pid!);
  };
  let done = 0;
  return {
    work: async (times) => {
      const beforeMs = cpuMs();
      const { durationMs } = await load(times, 8, (index) => bareCheckout(database, done + index));
      done += times;
      return { durationMs, cpuMs: cpuMs() - beforeMs };
    },
    close: async () => {
      client.destroy();
      await engine.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import inventory from '../../functions/inventory/contract.ts';
import outbox from '../../functions/outbox/contract.ts';
import type { Item } from '../../infra/reconcile/finding.ts';
import { holdDrift, holdOf } from '../../infra/reconcile/holds.ts';
import { ledgerEntriesOf, levelOf, stockDrift } from '../../infra/reconcile/stock.ts';
import type { Capability } from '../../shared/contract.ts';
import type { DynamoOperation, Send } from '../../shared/dynamo.ts';
import { createRuntime, type Runtime, tableVariable } from '../../shared/runtime.ts';

/** Sees one call on its way to the engine and may change, fail, delay or repeat it; `next` sends it. */
export type Interceptor = (
  operation: DynamoOperation,
  input: object,
  next: (input: object) => Promise<unknown>,
) => Promise<unknown>;

/** The embedded DynamoDB engine in memory, with the tables of some capabilities: what store and API tests run on. */
export interface TestEngine {
  client: DynamoDBClient;
  env: Record<string, string>;
  /** A runtime on these tables; the clock stands at `nowMs` and moves only when the test moves it. */
  runtime(clock?: { nowMs: number }): Runtime;
  /** Puts somebody between all runtimes and the engine; returns what takes them away again. */
  intercept(interceptor: Interceptor): () => void;
  /** Ends it. Stock has to be the sum of its ledger then (rule 12), unless the test has put drift into it on purpose. */
  close(options?: { hasDrift?: boolean }): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Path of the engine's binary for this machine; the package holds nothing else. */
const engineBinary = (): string =>
  createRequire(import.meta.url)
    .resolve(`@dynoxide/${process.platform}-${process.arch}/package.json`)
    .replace('package.json', 'dynoxide');

const answers = async (client: DynamoDBClient, child: ChildProcess): Promise<void> => {
  const { ListTablesCommand } = await import('@aws-sdk/client-dynamodb');
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the embedded engine ended with ${child.exitCode}`);
    try {
      await client.send(new ListTablesCommand({}));
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
};

/** What a test left behind in the books that does not add up. */
const driftIn = async (client: DynamoDBClient): Promise<string[]> => {
  const document = DynamoDBDocumentClient.from(client);
  const items: Item[] = [];
  for await (const { Items } of paginateScan({ client: document }, { TableName: inventory.name })) {
    items.push(...((Items ?? []) as Item[]));
  }
  const ledger = items.flatMap(ledgerEntriesOf);
  const found = [
    ...stockDrift(
      items.flatMap((item) => levelOf(item) ?? []),
      ledger,
    ),
    ...holdDrift(
      ledger,
      items.flatMap((item) => holdOf(item) ?? []),
    ),
  ];
  return found.map(({ subject, detail }) => `${subject}: ${detail}`);
};

const string = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
const keys = (pk: string, sk: string) => [
  { AttributeName: pk, KeyType: 'HASH' as const },
  { AttributeName: sk, KeyType: 'RANGE' as const },
];

const createTable = (client: DynamoDBClient, { name, table }: Capability) => {
  const indexes = Object.entries(table?.indexes ?? {});
  return client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', ...indexes.flatMap(([index]) => [`${index}Pk`, `${index}Sk`])].map(string),
      KeySchema: keys('pk', 'sk'),
      ...(indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: indexes.map(([index, { project }]) => ({
              IndexName: index,
              KeySchema: keys(`${index}Pk`, `${index}Sk`),
              Projection:
                project === 'keys'
                  ? { ProjectionType: 'KEYS_ONLY' as const }
                  : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...project] },
            })),
          }),
    }),
  );
};

export const startTestEngine = async (...tested: Capability[]): Promise<TestEngine> => {
  const contracts = [...tested, outbox];
  const port = await freePort();
  const child = spawn(engineBinary(), ['--port', String(port)], { stdio: 'ignore' });
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'ap-northeast-2',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  await answers(client, child);
  for (const contract of contracts) if (contract.table !== undefined) await createTable(client, contract);
  const interceptors: Interceptor[] = [];
  const intercept =
    (send: Send): Send =>
    (operation, input) =>
      interceptors.reduce<(input: object) => Promise<unknown>>(
        (next, interceptor) => (changed) => interceptor(operation, changed, next),
        (changed) => send(operation, changed),
      )(input) as never;
  const env = Object.fromEntries(contracts.map(({ name }) => [tableVariable(name), name]));
  return {
    client,
    env,
    runtime: (clock) =>
      createRuntime({
        env,
        clockMs: clock === undefined ? Date.now : () => clock.nowMs,
        random: Math.random,
        client,
        intercept,
      }),
    intercept: (interceptor) => {
      interceptors.push(interceptor);
      return () => void interceptors.splice(interceptors.indexOf(interceptor), 1);
    },
    close: async ({ hasDrift = false } = {}) => {
      const drift = hasDrift || !contracts.includes(inventory) ? [] : await driftIn(client);
      client.destroy();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      if (drift.length > 0) throw new Error(`stock does not add up after these tests: ${drift.join('; ')}`);
    },
  };
};

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { accessOf, type CloudAccess } from '../../examples/access.ts';
import { type LocalCloud, startCloud } from '../../infra/local/cloud.ts';
import { ASSEMBLY } from '../../infra/local/synth.ts';
import { deploymentOf } from '../../infra/local/template.ts';
import type { Finding } from '../../infra/reconcile/finding.ts';
import { clientOf, tableNamesOf } from '../../infra/reconcile/local-tables.ts';
import { reconcile } from '../../infra/reconcile.ts';
import type { FunctionRole } from '../../shared/contract.ts';
import { OUTBOX, OUTBOX_SHARDS, type OutboxItem, outboxPk } from '../../shared/outbox.ts';
import type { Attributes, Key } from '../../shared/table.ts';

/** A new directory below the system's temporary one, and what removes it. */
export const temporaryDirectory = (name: string): { path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), `ieum-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
};

/** The whole system in this process, on free ports and a directory that goes away with it. */
export class TestCloud {
  readonly cloud: LocalCloud;
  readonly access: CloudAccess;
  readonly tableNames: Readonly<Record<string, string>>;
  readonly #client: DynamoDBClient;
  readonly #documents: DynamoDBDocumentClient;
  readonly dataDir: string;
  readonly #removeData: () => void;

  constructor(cloud: LocalCloud, region: string, data: { path: string; remove(): void }) {
    this.cloud = cloud;
    this.dataDir = data.path;
    this.access = accessOf(cloud);
    this.tableNames = tableNamesOf(cloud.template);
    this.#client = clientOf(cloud.dynamodbEndpoint, region);
    this.#documents = DynamoDBDocumentClient.from(this.#client);
    this.#removeData = data.remove;
  }

  /** ARN of a capability's function, e.g. `orders`, `tasks`. */
  functionArn(capability: string, role: FunctionRole): string {
    const id = new RegExp(`^${capability}${role}[0-9A-F]{8}$`, 'i');
    const found = this.cloud.template.resources('AWS::Lambda::Function').filter((one) => id.test(one.id));
    if (found.length !== 1) throw new Error(`${found.length} functions are the ${role} of ${capability}`);
    return found[0]!.arn;
  }

  /** Runs a task as its schedule does, now. */
  runTask(capability: string, task: string, input?: unknown): Promise<unknown> {
    const event = { task, ...(input === undefined ? {} : { input }) };
    return this.cloud.functions.invoke(this.functionArn(capability, 'tasks'), event);
  }

  /** An item as it lies in a capability's table: for what no API shows. */
  async item(capability: string, key: Key): Promise<Attributes | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.tableNames[capability]!, Key: key, ConsistentRead: true }),
    );
    return Item;
  }

  async putItem(capability: string, item: Key & Attributes): Promise<void> {
    await this.#documents.send(new PutCommand({ TableName: this.tableNames[capability]!, Item: item }));
  }

  /** What has yet to be told. */
  async outbox(): Promise<OutboxItem[]> {
    const shards = Array.from({ length: OUTBOX_SHARDS }, (_, shard) =>
      this.#documents.send(
        new QueryCommand({
          ...{ TableName: this.tableNames[OUTBOX]!, ConsistentRead: true, KeyConditionExpression: 'pk = :pk' },
          ExpressionAttributeValues: { ':pk': outboxPk(shard) },
        }),
      ),
    );
    return (await Promise.all(shards)).flatMap(({ Items }) => (Items ?? []) as OutboxItem[]);
  }

  /** Makes what has yet to be told two minutes old. */
  async ageOutbox(): Promise<OutboxItem[]> {
    const aged: OutboxItem[] = [];
    for (const { pk, sk, ...item } of await this.outbox()) {
      const [, ...id] = sk.split('#');
      const older = {
        pk,
        sk: `${new Date(Date.now() - 120_000).toISOString()}#${id.join('#')}`,
        ...item,
      } as OutboxItem;
      await this.#documents.send(new DeleteCommand({ TableName: this.tableNames[OUTBOX]!, Key: { pk, sk } }));
      await this.putItem(OUTBOX, older);
      aged.push(older);
    }
    return aged;
  }

  /** Lets time pass for one item: what it waits for is due since a minute ago. */
  async makeDue(capability: string, key: Key): Promise<void> {
    const item = await this.item(capability, key);
    const [, ...id] = String(item?.dueSk).split('#');
    if (id.length === 0) throw new Error(`${key.pk} ${key.sk} of ${capability} waits for nothing`);
    await this.#documents.send(
      new UpdateCommand({
        TableName: this.tableNames[capability]!,
        Key: key,
        UpdateExpression: 'SET dueSk = :due',
        ExpressionAttributeValues: { ':due': `${new Date(Date.now() - 60_000).toISOString()}#${id.join('#')}` },
      }),
    );
  }

  /** What does not add up once everything that was on its way has arrived. */
  async drift(): Promise<Finding[]> {
    await this.cloud.whenIdle();
    return (await reconcile(this.#client, this.tableNames)).findings;
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.cloud.close();
    this.#removeData();
  }
}

/** Boots the synthesized stacks, on new data unless told. Close it: it has threads, ports, a child and a directory. */
export const startTestCloud = async (data = temporaryDirectory('cloud')): Promise<TestCloud> => {
  try {
    const cloud = await startCloud({ assemblyDir: ASSEMBLY, dataDir: data.path, port: 0 });
    return new TestCloud(cloud, deploymentOf(ASSEMBLY).region, data);
  } catch (error) {
    data.remove();
    throw error;
  }
};

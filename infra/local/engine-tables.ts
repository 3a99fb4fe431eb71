import { isDeepStrictEqual } from 'node:util';
import { callDynamoDb } from './dynamodb-wire.ts';
import type { Resource } from './template.ts';

interface KeyPart {
  AttributeName: string;
  KeyType: string;
}

interface Index {
  IndexName: string;
  KeySchema: KeyPart[];
  Projection: { ProjectionType?: string; NonKeyAttributes?: string[] };
}

interface Description {
  KeySchema: KeyPart[];
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  GlobalSecondaryIndexes?: Index[];
}

/**
 * Makes the tables of the template exist: creates what is absent, adds new global indexes.
 * @throws Error when the data on disk has another key schema or another index of the same name.
 */
export async function ensureTables(endpoint: string, tables: Resource[]): Promise<void> {
  const existing = await listTables(endpoint);
  for (const table of tables) {
    if (existing.has(table.name)) await adapt(endpoint, table);
    else await create(endpoint, table);
    await ensureTimeToLive(endpoint, table, !existing.has(table.name));
  }
}

async function listTables(endpoint: string): Promise<Set<string>> {
  const names = new Set<string>();
  let from: string | undefined;
  do {
    const page = await callDynamoDb<{ TableNames: string[]; LastEvaluatedTableName?: string }>(
      endpoint,
      'ListTables',
      from === undefined ? {} : { ExclusiveStartTableName: from },
    );
    for (const name of page.TableNames) names.add(name);
    from = page.LastEvaluatedTableName;
  } while (from !== undefined);
  return names;
}

async function create(endpoint: string, { name, properties }: Resource): Promise<void> {
  const globals = (properties.GlobalSecondaryIndexes ?? []).map(indexOf);
  const locals = (properties.LocalSecondaryIndexes ?? []).map(indexOf);
  const viewType = properties.StreamSpecification?.StreamViewType;
  await callDynamoDb(endpoint, 'CreateTable', {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: properties.KeySchema,
    AttributeDefinitions: properties.AttributeDefinitions,
    ...(globals.length > 0 ? { GlobalSecondaryIndexes: globals } : {}),
    ...(locals.length > 0 ? { LocalSecondaryIndexes: locals } : {}),
    ...(viewType ? { StreamSpecification: { StreamEnabled: true, StreamViewType: viewType } } : {}),
  });
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { Table } = await callDynamoDb<{ Table: { TableStatus: string } }>(endpoint, 'DescribeTable', {
      TableName: name,
    });
    if (Table.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Table ${name} was created but does not become active`);
}

async function adapt(endpoint: string, table: Resource): Promise<void> {
  const { name, properties } = table;
  const { Table } = await callDynamoDb<{ Table: Description }>(endpoint, 'DescribeTable', { TableName: name });
  if (!isDeepStrictEqual(keysOf(Table.KeySchema, Table), keysOf(properties.KeySchema, properties as Description)))
    throw changed(table, 'has another key schema');
  const existing = new Map((Table.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index]));
  for (const wanted of (properties.GlobalSecondaryIndexes ?? []).map(indexOf) as Index[]) {
    const found = existing.get(wanted.IndexName);
    if (found === undefined) await addIndex(endpoint, table, wanted);
    else if (!isDeepStrictEqual(found.KeySchema, wanted.KeySchema) || !sameProjection(found, wanted))
      throw changed(table, `has another index ${wanted.IndexName}`);
  }
}

async function addIndex(endpoint: string, { name, properties }: Resource, index: Index): Promise<void> {
  await callDynamoDb(endpoint, 'UpdateTable', {
    TableName: name,
    AttributeDefinitions: properties.AttributeDefinitions,
    GlobalSecondaryIndexUpdates: [{ Create: index }],
  });
}

async function ensureTimeToLive(endpoint: string, { name, properties }: Resource, isNew: boolean): Promise<void> {
  const wanted = properties.TimeToLiveSpecification;
  if (!wanted?.Enabled) return;
  if (!isNew) {
    const { TimeToLiveDescription: found } = await callDynamoDb<{
      TimeToLiveDescription?: { AttributeName?: string; TimeToLiveStatus?: string };
    }>(endpoint, 'DescribeTimeToLive', { TableName: name });
    if (found?.AttributeName === wanted.AttributeName) return;
  }
  const TimeToLiveSpecification = { AttributeName: wanted.AttributeName, Enabled: true };
  await callDynamoDb(endpoint, 'UpdateTimeToLive', { TableName: name, TimeToLiveSpecification });
}

/** What the API takes of an index; the template's capacity settings and warm throughput are for AWS. */
const indexOf = ({ IndexName, KeySchema, Projection }: Index): Index => ({ IndexName, KeySchema, Projection });

const keysOf = (schema: KeyPart[], { AttributeDefinitions }: Pick<Description, 'AttributeDefinitions'>): string[] =>
  schema.map(({ AttributeName, KeyType }) => {
    const type = AttributeDefinitions.find((definition) => definition.AttributeName === AttributeName)?.AttributeType;
    return `${KeyType} ${AttributeName} ${type}`;
  });

const sameProjection = (a: Index, b: Index): boolean =>
  (a.Projection?.ProjectionType ?? 'ALL') === (b.Projection?.ProjectionType ?? 'ALL') &&
  isDeepStrictEqual(
    [...(a.Projection?.NonKeyAttributes ?? [])].sort(),
    [...(b.Projection?.NonKeyAttributes ?? [])].sort(),
  );

const changed = ({ stack, id, name }: Resource, what: string): Error =>
  new Error(
    `Table ${name} (${stack}/${id}) on disk ${what} than the template. AWS would replace the table and lose its items; ` +
      'give the table a new name, or remove the data directory to start empty.',
  );

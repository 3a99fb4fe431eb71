import type { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  BatchWriteCommand,
  GetCommand,
  QueryCommand,
  TransactGetCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { Expression, toTransactItem } from './expression.ts';
import type { ProblemName } from './problem.ts';
import { ok, type Refusal, type Result } from './result.ts';

/** Where an item stands inside its table. */
export interface Key {
  pk: string;
  sk: string;
}

export type Attributes = Record<string, unknown>;

/**
 * What has to be true for a write to happen. Guards are data, not expressions, so that the one place that turns them
 * into DynamoDB conditions can be read at a glance and a test can weaken one and watch the invariants break.
 */
export type Guard =
  | { guard: 'absent' }
  | { guard: 'exists' }
  | { guard: 'version'; version: number }
  | { guard: 'at-least'; attribute: string; units: number }
  | { guard: 'one-of'; attribute: string; values: readonly (string | number)[] };

export type Write =
  | { kind: 'put'; item: Key & Attributes }
  | { kind: 'update'; key: Key; set?: Attributes; add?: Record<string, number>; remove?: readonly string[] }
  | { kind: 'delete'; key: Key }
  | { kind: 'check'; key: Key };

/** One write, its guards, and the refusal that a failed guard means to the caller. */
export interface Part<P extends ProblemName = ProblemName> {
  /** Name of the capability that owns the table. */
  table: string;
  write: Write;
  guards: readonly Guard[];
  refusal: Refusal<P>;
}

export interface Page<T> {
  items: T[];
  /** Opaque; give it back to get the next page. Absent on the last page. */
  cursor?: string;
}

export interface QueryInput {
  pk: string;
  /** Items whose sort key starts with this. */
  startsWith?: string;
  /** Items whose sort key is at most this. */
  upTo?: string;
  index?: string;
  /** Strongly consistent, at twice the price; an index cannot. */
  consistent?: boolean;
  limit: number;
  cursor?: string | undefined;
  newestFirst?: boolean;
}

export interface Tables {
  /** Strongly consistent read of one item; undefined where there is none. */
  get<T>(table: string, key: Key): Promise<T | undefined>;
  /** One page of an item collection or index. For showing and choosing; decisions rest on guards (rule 2). */
  query<T>(table: string, input: QueryInput): Promise<Page<T>>;
  /** Items of one or more tables as they stood at one moment (TransactGetItems), in the order asked for. */
  snapshot(reads: readonly { table: string; key: Key }[]): Promise<(Attributes | undefined)[]>;
  /** All parts or none. A failed guard comes back as that part's refusal. */
  commit<P extends ProblemName>(parts: readonly Part<P>[]): Promise<Result<void, P | 'too-busy'>>;
  /** Deletes items that nothing depends on any more, without a guard and without an order. May be repeated. */
  discard(table: string, keys: readonly Key[]): Promise<void>;
}

export interface TablesOptions {
  client: DynamoDBDocumentClient;
  /** Physical table name of a capability. */
  nameOf(table: string): string;
  /** [0, 1): jitter of retries. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** AWS takes 25 deletes a batch. */
const DISCARD_BATCH = 25;
/** AWS allows 100 writes a transaction. */
const PARTS_MAX = 100;
/** Contention is retried here and nowhere else; throttling and network faults are retried by the SDK (rule 5). */
const CONFLICT_RETRIES_MAX = 5;
const RETRY_BASE_MS = 20;
const RETRY_CAP_MS = 500;
const TRANSIENT_REASONS = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

export const keyOf = (write: Write): Key =>
  write.kind === 'put' ? { pk: write.item.pk, sk: write.item.sk } : write.key;

/** Two writes of one item in a transaction are a bug of the caller: DynamoDB refuses them (rule 3). */
const assertDistinct = (parts: readonly Part[]): void => {
  if (parts.length > PARTS_MAX) throw new Error(`a transaction takes ${PARTS_MAX} parts, not ${parts.length}`);
  const seen = new Set<string>();
  for (const part of parts) {
    const { pk, sk } = keyOf(part.write);
    const id = `${part.table} ${pk} ${sk}`;
    if (seen.has(id)) throw new Error(`two parts of one transaction write ${id}`);
    seen.add(id);
  }
};

/** What a cancelled transaction means: a refusal, `retry`, or undefined for an error that is nobody's answer. */
const verdictOf = <P extends ProblemName>(
  error: unknown,
  parts: readonly Part<P>[],
): Refusal<P> | 'retry' | undefined => {
  const { name } = error as Error;
  if (name === 'TransactionInProgressException') return 'retry';
  if (name !== 'TransactionCanceledException') return undefined;
  const reasons = (error as TransactionCanceledException).CancellationReasons ?? [];
  const failed = reasons.findIndex((reason) => reason.Code === 'ConditionalCheckFailed');
  if (failed >= 0) return parts[failed]!.refusal;
  return reasons.some((reason) => TRANSIENT_REASONS.has(reason.Code ?? '')) ? 'retry' : undefined;
};

const encodeCursor = (key: Attributes | undefined): string | undefined =>
  key === undefined ? undefined : Buffer.from(JSON.stringify(key)).toString('base64url');

/** The caller sent a cursor that this query did not hand out. */
export class InvalidCursor extends Error {}

/** A cursor that was tampered with may only fail, never show another partition. */
const decodeCursor = (cursor: string | undefined, pkName: string, pk: string): Attributes | undefined => {
  if (cursor === undefined) return undefined;
  let key: Attributes = {};
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Attributes;
  } catch {}
  if (key[pkName] === pk && Object.values(key).every((value) => typeof value === 'string')) return key;
  throw new InvalidCursor();
};

const rangeCondition = (input: QueryInput, expression: Expression, skName: string): string => {
  if (input.startsWith !== undefined) {
    return ` AND begins_with(${expression.name(skName)}, ${expression.value(input.startsWith)})`;
  }
  return input.upTo === undefined ? '' : ` AND ${expression.name(skName)} <= ${expression.value(input.upTo)}`;
};

/** Reads and writes the capabilities' tables. The only place that speaks DynamoDB. */
export const createTables = ({ client, nameOf, random, sleep }: TablesOptions): Tables => ({
  async get<T>(table: string, key: Key) {
    const { Item } = await client.send(new GetCommand({ TableName: nameOf(table), Key: key, ConsistentRead: true }));
    return Item as T | undefined;
  },

  async query<T>(table: string, input: QueryInput): Promise<Page<T>> {
    const [pkName, skName] = input.index === undefined ? ['pk', 'sk'] : [`${input.index}Pk`, `${input.index}Sk`];
    const expression = new Expression();
    const condition = `${expression.name(pkName)} = ${expression.value(input.pk)}${rangeCondition(input, expression, skName)}`;
    const start = decodeCursor(input.cursor, pkName, input.pk);
    const { Items, LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: nameOf(table),
        ...(input.index === undefined ? {} : { IndexName: input.index }),
        ...(input.consistent === true ? { ConsistentRead: true } : {}),
        KeyConditionExpression: condition,
        ...expression.attributes(),
        Limit: input.limit,
        ScanIndexForward: input.newestFirst !== true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    const cursor = encodeCursor(LastEvaluatedKey);
    return { items: (Items ?? []) as T[], ...(cursor === undefined ? {} : { cursor }) };
  },

  async snapshot(reads) {
    if (reads.length === 0) return [];
    const { Responses } = await client.send(
      new TransactGetCommand({
        TransactItems: reads.map(({ table, key }) => ({ Get: { TableName: nameOf(table), Key: key } })),
      }),
    );
    return (Responses ?? []).map((response) => response.Item);
  },

  async commit<P extends ProblemName>(parts: readonly Part<P>[]): Promise<Result<void, P | 'too-busy'>> {
    // A command that finds everything as wanted changes nothing; DynamoDB knows no empty transaction.
    if (parts.length === 0) return ok(undefined);
    assertDistinct(parts);
    const TransactItems = parts.map((part) => toTransactItem(part, nameOf(part.table)));
    for (let attempt = 0; ; attempt += 1) {
      try {
        await client.send(new TransactWriteCommand({ TransactItems }));
        return ok(undefined);
      } catch (error) {
        const verdict = verdictOf(error, parts);
        if (verdict === undefined) throw error;
        if (verdict !== 'retry') return { ok: false, refusal: verdict };
        if (attempt >= CONFLICT_RETRIES_MAX) {
          return { ok: false, refusal: { problem: 'too-busy', detail: 'others write the same items, try again' } };
        }
        await sleep(random() * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** attempt));
      }
    }
  },

  async discard(table, keys) {
    for (let start = 0; start < keys.length; start += DISCARD_BATCH) {
      let requests: { DeleteRequest: { Key: Key } }[] = keys
        .slice(start, start + DISCARD_BATCH)
        .map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
      for (let attempt = 0; requests.length > 0; attempt += 1) {
        if (attempt > CONFLICT_RETRIES_MAX) throw new Error(`${requests.length} items of ${table} were not discarded`);
        if (attempt > 0) await sleep(random() * RETRY_BASE_MS * 2 ** attempt);
        const { UnprocessedItems } = await client.send(
          new BatchWriteCommand({ RequestItems: { [nameOf(table)]: requests } }),
        );
        requests = (UnprocessedItems?.[nameOf(table)] ?? []) as typeof requests;
      }
    }
  },
});

import type { AwsError } from './aws.ts';
import { backoffMs, contended, isContention, RETRY_BASE_MS } from './contention.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Send } from './dynamo.ts';
import { Expression, fromWire, toTransactItem, toWire } from './expression.ts';
import type { ProblemName } from './problem.ts';
import { ok, type Refusal, type Result } from './result.ts';
import { isAsWritten, standsAlone, traceOf } from './traces.ts';

/** Where an item stands inside its table. */
export interface Key {
  pk: string;
  sk: string;
}

export type Attributes = Record<string, unknown>;

/**
 * What has to be true for a write to happen. Guards are data, not expressions, so that the one place that turns them
 * into DynamoDB conditions can be read at a glance and a test can weaken one and watch the invariants break.
 *
 * `absent`: it is not there now, and may come and go. `once`: it was never there, and is kept once it is, longer than
 * any attempt may be under way; so it tells whether the commit that makes it was carried out.
 */
export type Guard =
  | { guard: 'absent' }
  | { guard: 'once' }
  | { guard: 'exists' }
  | { guard: 'without'; attribute: string }
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
  /** Where contention for what this writes is counted (`conflicts`), if its owner wants to know. */
  tally?: Key;
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
  /** With `upTo`: items whose sort key is at least this. */
  from?: string;
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
  send: Send;
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
/** Contention is retried here and nowhere else; throttling and network faults by the sender (rule 5). */
const CONFLICT_RETRIES_MAX = 5;
const CONFLICTS_PER_COUNT = 8;
const TOO_BUSY: Refusal<'too-busy'> = { problem: 'too-busy', detail: 'others write the same items, try again' };

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

/** What a failed write means: a refusal, `retry`, or undefined for an error that is nobody's answer. */
const verdictOf = <P extends ProblemName>(
  error: AwsError,
  parts: readonly Part<P>[],
): Refusal<P> | 'retry' | undefined => {
  if (error.name === 'ConditionalCheckFailedException') return parts[0]!.refusal;
  const failed =
    error.name === 'TransactionCanceledException'
      ? error.CancellationReasons.findIndex((reason) => reason.Code === 'ConditionalCheckFailed')
      : -1;
  if (failed >= 0) return parts[failed]!.refusal;
  return isContention(error) ? 'retry' : undefined;
};

const rangeCondition = (input: QueryInput, expression: Expression, skName: string): string => {
  if (input.startsWith !== undefined) {
    return ` AND begins_with(${expression.name(skName)}, ${expression.value(input.startsWith)})`;
  }
  if (input.upTo === undefined) return '';
  const name = expression.name(skName);
  return input.from === undefined
    ? ` AND ${name} <= ${expression.value(input.upTo)}`
    : ` AND ${name} BETWEEN ${expression.value(input.from)} AND ${expression.value(input.upTo)}`;
};

const createReads = ({ send, nameOf, random, sleep }: TablesOptions): Pick<Tables, 'get' | 'query' | 'snapshot'> => {
  const get = async <T>(table: string, key: Key): Promise<T | undefined> => {
    const input = { TableName: nameOf(table), Key: toWire(key), ConsistentRead: true };
    const { Item } = await send<{ Item?: unknown }>('GetItem', input);
    return Item === undefined ? undefined : fromWire<T>(Item);
  };

  const query = async <T>(table: string, input: QueryInput): Promise<Page<T>> => {
    const [pkName, skName] = input.index === undefined ? ['pk', 'sk'] : [`${input.index}Pk`, `${input.index}Sk`];
    const expression = new Expression();
    const condition = `${expression.name(pkName)} = ${expression.value(input.pk)}${rangeCondition(input, expression, skName)}`;
    const start = decodeCursor(input, pkName, skName);
    const { Items, LastEvaluatedKey } = await send<{ Items?: unknown[]; LastEvaluatedKey?: unknown }>('Query', {
      TableName: nameOf(table),
      IndexName: input.index,
      ConsistentRead: input.consistent === true,
      KeyConditionExpression: condition,
      ...expression.attributes(),
      Limit: input.limit,
      ScanIndexForward: input.newestFirst !== true,
      ExclusiveStartKey: start === undefined ? undefined : toWire(start),
    });
    const cursor = LastEvaluatedKey === undefined ? undefined : encodeCursor(fromWire<Attributes>(LastEvaluatedKey));
    return { items: (Items ?? []).map((item) => fromWire<T>(item)), ...(cursor === undefined ? {} : { cursor }) };
  };

  const snapshot: Tables['snapshot'] = async (reads) => {
    const [only] = reads;
    if (only === undefined) return [];
    // One item is a moment by itself, at half the units.
    if (reads.length === 1) return [await get<Attributes>(only.table, only.key)];
    const TransactItems = reads.map(({ table, key }) => ({ Get: { TableName: nameOf(table), Key: toWire(key) } }));
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { Responses } = await send<{ Responses: { Item?: unknown }[] }>('TransactGetItems', { TransactItems });
        return Responses.map(({ Item }) => (Item === undefined ? undefined : fromWire<Attributes>(Item)));
      } catch (error) {
        // A read that meets a transaction on one of its items is cancelled, too.
        if (!isContention(error as AwsError) || attempt >= CONFLICT_RETRIES_MAX) throw error;
        await sleep(backoffMs(random, attempt));
      }
    }
  };

  return { get, query, snapshot };
};

const createWrites = (options: TablesOptions, get: Tables['get']): Pick<Tables, 'commit' | 'discard'> => {
  const { send, nameOf, random, sleep } = options;

  const writeAlone = async (part: Part): Promise<void> => {
    const { Put, Update, Delete } = toTransactItem(part, nameOf(part.table));
    if (Put !== undefined) await send('PutItem', Put);
    else if (Update !== undefined) await send('UpdateItem', Update);
    else await send('DeleteItem', Delete!);
  };

  const writeTogether = async (parts: readonly Part[], ClientRequestToken: string | undefined): Promise<void> => {
    const TransactItems = parts.map((part) => toTransactItem(part, nameOf(part.table)));
    await send('TransactWriteItems', { TransactItems, ClientRequestToken });
  };

  /**
   * All attempts at one commit without a trace share it, those after a conflict, too: DynamoDB carries it out once, even
   * if the first one arrives last, for 10 minutes.
   */
  const newToken = (): string => {
    const half = () => random().toString(36).slice(2, 14).padEnd(12, '0');
    return `${half()}-${half()}`;
  };

  const stands = async ({ table, write }: Part): Promise<boolean> => isAsWritten(write, await get(table, keyOf(write)));

  /** Counts one conflict in some for all, or all would wait for the count. Where it fails, the commit goes on. */
  const countConflict = async ({ table, tally }: Part): Promise<void> => {
    if (random() * CONFLICTS_PER_COUNT >= 1) return;
    const counting = { kind: 'update' as const, key: tally!, add: { conflicts: CONFLICTS_PER_COUNT } };
    const { Update } = toTransactItem(
      { table, write: counting, guards: [], refusal: undefined as never },
      nameOf(table),
    );
    await send('UpdateItem', Update!).catch(() => undefined);
  };

  const commit: Tables['commit'] = async (parts) => {
    // A command that finds everything as wanted changes nothing; DynamoDB knows no empty transaction.
    if (parts.length === 0) return ok(undefined);
    assertDistinct(parts);
    const isAlone = standsAlone(parts);
    const trace = isAlone ? parts[0] : traceOf(parts);
    const token = trace === undefined ? newToken() : undefined;
    let wasUnanswered = false;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await (isAlone ? writeAlone(parts[0]!) : writeTogether(parts, token));
        return ok(undefined);
      } catch (error) {
        const failure = error as AwsError;
        const verdict = verdictOf(failure, parts);
        if (verdict === undefined) throw error;
        wasUnanswered ||= failure.attempts > 1;
        // Where a guard fails and something else is in somebody's hands, that may be an attempt of our own, half way.
        const isRefused = verdict !== 'retry' && !(wasUnanswered && isContention(failure));
        if (!isRefused) await Promise.all(contended(failure, parts).map(countConflict));
        if (isRefused || attempt >= CONFLICT_RETRIES_MAX) {
          // An attempt before may have been carried out, its answer lost; then its own trace fails the guard (rule 4).
          const isDone = wasUnanswered && trace !== undefined && (await stands(trace));
          // A trace that is kept as it is tells for certain; an item that others may change does not.
          return isDone
            ? ok(undefined)
            : { ok: false, refusal: isRefused ? verdict : TOO_BUSY, mayBeDone: wasUnanswered && isAlone };
        }
        await sleep(backoffMs(random, attempt));
      }
    }
  };

  const discard: Tables['discard'] = async (table, keys) => {
    for (let start = 0; start < keys.length; start += DISCARD_BATCH) {
      let requests: unknown[] = keys
        .slice(start, start + DISCARD_BATCH)
        .map(({ pk, sk }) => ({ DeleteRequest: { Key: toWire({ pk, sk }) } }));
      for (let attempt = 0; requests.length > 0; attempt += 1) {
        if (attempt > CONFLICT_RETRIES_MAX) throw new Error(`${requests.length} items of ${table} were not discarded`);
        if (attempt > 0) await sleep(random() * RETRY_BASE_MS * 2 ** attempt);
        type Answer = { UnprocessedItems?: Record<string, unknown[]> };
        const { UnprocessedItems } = await send<Answer>('BatchWriteItem', {
          RequestItems: { [nameOf(table)]: requests },
        });
        requests = UnprocessedItems?.[nameOf(table)] ?? [];
      }
    }
  };

  return { commit, discard };
};

/** Reads and writes the capabilities' tables, in terms of keys, items and parts. */
export const createTables = (options: TablesOptions): Tables => {
  const reads = createReads(options);
  return { ...reads, ...createWrites(options, reads.get) };
};

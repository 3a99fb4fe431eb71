import { createHash } from 'node:crypto';
import { changedMeanwhile, put, remove, update } from '../../../shared/change.ts';
import type { Attributes, Key, Part, Tables } from '../../../shared/table.ts';
import { epochSeconds } from '../../../shared/time.ts';
import { type Batch, ReadSet } from '../domain/tags.ts';
import { TABLE } from './documents.ts';

/**
 * The read set of a session is spread over shards, so that readers do not queue for one item: each batch is an item of
 * its own that is never changed, and each shard has a tally of the batches that it still takes. A tag that was read
 * often is in several batches; it becomes one when the session is closed. So a batch costs the same however many tags
 * there are already, and the order in which batches come is of no account.
 */
const SHARDS = 8;
/** 500 tags a batch, 1,000 batches a session: 20,000 tags that were read 25 times each. */
const BATCHES_OF_SHARD = 125;
/** Read sets are of use until their counts are approved. */
const KEPT_SECONDS = 90 * 24 * 3600;
const PAGE = 200;

export const sessionKey = (sessionId: string): Key => ({ pk: `SESSION#${sessionId}`, sk: 'SESSION' });

const shardPk = (sessionId: string, shard: number): string => `READS#${sessionId}#${shard}`;
const tallyKey = (sessionId: string, shard: number): Key => ({ pk: shardPk(sessionId, shard), sk: 'TALLY' });
const shardOf = (batchId: string): number => createHash('md5').update(batchId).digest()[0]! % SHARDS;
const eachShard = Array.from({ length: SHARDS }, (_, shard) => shard);

export const newTalliesParts = (sessionId: string): Part<'changed-meanwhile'>[] =>
  eachShard.map((shard) =>
    put(
      TABLE,
      { ...tallyKey(sessionId, shard), left: BATCHES_OF_SHARD },
      [{ guard: 'absent' }],
      changedMeanwhile(sessionId),
    ),
  );

/** A batch, where the session is open and takes another one. Its content names it: a second time it is the same. */
export const batchParts = (sessionId: string, batchId: string, batch: Batch): Part<'wrong-state'>[] => {
  const shard = shardOf(batchId);
  const full = `the session is closed, or has the ${SHARDS * BATCHES_OF_SHARD} batches that it takes`;
  const refusal = { problem: 'wrong-state' as const, detail: full };
  const expiresAt = epochSeconds(batch.readAt) + KEPT_SECONDS;
  const item: Key & Attributes = { pk: shardPk(sessionId, shard), sk: `BATCH#${batchId}`, ...batch, expiresAt };
  return [
    update(
      TABLE,
      tallyKey(sessionId, shard),
      { add: { left: -1 } },
      [{ guard: 'at-least', attribute: 'left', units: 1 }],
      refusal,
    ),
    put(TABLE, item, [], refusal),
  ];
};

/** How many batches each shard still takes; undefined once the session is closed. */
export type Tallies = (number | undefined)[];

export const talliesOf = async (tables: Tables, sessionId: string): Promise<Tallies> => {
  const items = await tables.snapshot(eachShard.map((shard) => ({ table: TABLE, key: tallyKey(sessionId, shard) })));
  return items.map((item) => item?.left as number | undefined);
};

/** Nothing is read into the session any more; refused where something was, since the tallies were looked at. */
export const sealParts = (sessionId: string, tallies: Tallies): Part<'changed-meanwhile'>[] =>
  eachShard.map((shard) =>
    remove(
      TABLE,
      tallyKey(sessionId, shard),
      [{ guard: 'one-of', attribute: 'left', values: [tallies[shard]!] }],
      changedMeanwhile(`the reads of ${sessionId}`),
    ),
  );

/** Everything that was read, each tag once. */
export const readSetOf = async (tables: Tables, sessionId: string): Promise<ReadSet> => {
  const set = new ReadSet();
  for (const shard of eachShard) {
    let cursor: string | undefined;
    do {
      const page = await tables.query<Batch>(TABLE, {
        ...{ pk: shardPk(sessionId, shard), startsWith: 'BATCH#', consistent: true, limit: PAGE, cursor },
      });
      for (const batch of page.items) set.add(batch);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return set;
};

const gtinKey = (gtin14: string): Key => ({ pk: `GTIN#${gtin14}`, sk: 'GTIN' });
/** Items that DynamoDB reads at one moment. */
const SNAPSHOT_MAX = 100;

export const gtinPart = (gtin14: string, sku: string): Part<never> =>
  put(TABLE, { ...gtinKey(gtin14), sku }, [], undefined as never);

export const skusOfGtins = async (tables: Tables, gtins: readonly string[]): Promise<Map<string, string>> => {
  const skus = new Map<string, string>();
  for (let from = 0; from < gtins.length; from += SNAPSHOT_MAX) {
    const some = gtins.slice(from, from + SNAPSHOT_MAX);
    const items = await tables.snapshot(some.map((gtin14) => ({ table: TABLE, key: gtinKey(gtin14) })));
    items.forEach((item, index) => {
      if (item !== undefined) skus.set(some[index]!, item.sku as string);
    });
  }
  return skus;
};

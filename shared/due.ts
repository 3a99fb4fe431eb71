import { createHash } from 'node:crypto';
import type { Key, Tables } from './table.ts';
import type { Instant } from './time.ts';

/**
 * Work that falls due at some moment: a sparse index `due` of the table that holds it. An item is in the index while
 * it has something to wait for and leaves it in the transaction that settles it, so there is no watermark to lose.
 */

/** Partitions that due items of one table are spread over, so that none becomes hot. */
const DUE_SHARDS = 4;

/** Index attributes of an item that has to be looked at from `at` on. */
export const dueAt = (at: Instant, id: string): { duePk: string; dueSk: string } => ({
  duePk: `DUE#${createHash('md5').update(id).digest()[0]! % DUE_SHARDS}`,
  dueSk: `${at}#${id}`,
});

/** Attributes to remove from an item that has nothing to wait for any more. */
export const DUE_ATTRIBUTES = ['duePk', 'dueSk'] as const;

const PAGE = 25;

/**
 * Keys of at most `max` items that are due at `now`, the longest due first within a page of a shard. The index follows its
 * table with a delay: read the item again and let a guard decide.
 */
export async function* dueKeys(tables: Tables, table: string, now: Instant, max: number): AsyncGenerator<Key> {
  let given = 0;
  // Pages of all shards in turn: what lies in the last one does not wait for all of the first.
  let left = Array.from({ length: DUE_SHARDS }, (_, shard): { shard: number; cursor?: string } => ({ shard }));
  while (left.length > 0) {
    const unfinished: typeof left = [];
    for (const { shard, cursor } of left) {
      const asked = { index: 'due', pk: `DUE#${shard}`, upTo: `${now}~`, limit: PAGE, cursor };
      const page = await tables.query<Key>(table, asked);
      for (const { pk, sk } of page.items) {
        if (given >= max) return;
        given += 1;
        yield { pk, sk };
      }
      if (page.cursor !== undefined) unfinished.push({ shard, cursor: page.cursor });
    }
    left = unfinished;
  }
}

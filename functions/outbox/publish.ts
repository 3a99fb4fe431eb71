import type { PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import { OUTBOX_PREFIX, OUTBOX_SHARDS, type OutboxEntry, type OutboxItem } from '../../shared/outbox.ts';
import type { Key, Tables } from '../../shared/table.ts';
import { plusSeconds } from '../../shared/time.ts';

/** The bus, as far as publishing needs it: for each entry, whether it was taken. Throws where nothing is known. */
export type PutEvents = (entries: BusEntry[]) => Promise<boolean[]>;
type BusEntry = NonNullable<PutEventsCommandInput['Entries']>[number];

/** One outbox item on its way out. */
export interface Outgoing {
  table: string;
  key: Key;
  entries: readonly OutboxEntry[];
}

/** PutEvents takes 10 entries and 256 KB a call; an entry of ours is at most 64 KB. */
const ENTRIES_MAX = 10;
const CALL_BYTES_MAX = 250 * 1024;

const toBusEntry = (entry: OutboxEntry): BusEntry => ({
  Source: entry.source,
  DetailType: entry.type,
  Detail: entry.detail,
});

/** Nothing is known of any entry, so all are published again; whoever has to help reads why. */
const notTaken = (error: Error): boolean[] => {
  console.error(JSON.stringify({ message: 'the bus takes no events', error: String(error) }));
  return [];
};

interface Numbered {
  item: number;
  entry: OutboxEntry;
}

const inCalls = (entries: readonly Numbered[]): Numbered[][] => {
  const calls: Numbered[][] = [];
  let bytes = CALL_BYTES_MAX;
  for (const numbered of entries) {
    const size = Buffer.byteLength(numbered.entry.detail) + 256;
    const last = calls.at(-1);
    if (last === undefined || last.length === ENTRIES_MAX || bytes + size > CALL_BYTES_MAX) {
      calls.push([numbered]);
      bytes = size;
    } else {
      last.push(numbered);
      bytes += size;
    }
  }
  return calls;
};

/**
 * Publishes outbox items and removes those that the bus has taken whole. Returns the positions of those it has not.
 * An item that is published but not removed is published again by the sweep: consumers know an event by its id.
 */
export const publish = async (
  tables: Tables,
  putEvents: PutEvents,
  items: readonly Outgoing[],
): Promise<Set<number>> => {
  const failed = new Set<number>();
  const entries = items.flatMap(({ entries }, item) => entries.map((entry) => ({ item, entry })));
  for (const call of inCalls(entries)) {
    const taken = await putEvents(call.map(({ entry }) => toBusEntry(entry))).catch(notTaken);
    call.forEach(({ item }, position) => {
      if (taken[position] !== true) failed.add(item);
    });
  }
  const done = Map.groupBy(
    items.filter((_, item) => !failed.has(item)),
    ({ table }) => table,
  );
  for (const [table, published] of done)
    await tables.discard(
      table,
      published.map(({ key }) => key),
    );
  return failed;
};

/** The stream publishes within milliseconds; what is older than this was left behind by a failure (rule 14). */
const LEFT_BEHIND_SECONDS = 60;
const SWEEP_ITEMS_MAX = 100;

/** Publishes what the streams left behind. Returns how many items it published and how many are still there. */
export const sweep = async (
  tables: Tables,
  putEvents: PutEvents,
  names: readonly string[],
  now: string,
): Promise<{ published: number; failed: number }> => {
  const upTo = plusSeconds(now, -LEFT_BEHIND_SECONDS);
  const shards = names.flatMap((table) =>
    Array.from({ length: OUTBOX_SHARDS }, (_, shard) => ({ table, pk: `${OUTBOX_PREFIX}${shard}` })),
  );
  let published = 0;
  let failed = 0;
  for (const { table, pk } of shards) {
    const { items } = await tables.query<OutboxItem>(table, { pk, upTo, limit: SWEEP_ITEMS_MAX });
    const left = await publish(
      tables,
      putEvents,
      items.map(({ pk, sk, entries }) => ({ table, key: { pk, sk }, entries })),
    );
    failed += left.size;
    published += items.length - left.size;
  }
  return { published, failed };
};

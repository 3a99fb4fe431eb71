import type { PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import { OUTBOX, OUTBOX_SHARDS, type OutboxEntry, type OutboxItem, outboxPk } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import { plusSeconds } from '../../shared/time.ts';

/** The bus, as far as publishing needs it: for each entry, whether it was taken. Throws where nothing is known. */
export type PutEvents = (entries: BusEntry[]) => Promise<boolean[]>;
type BusEntry = NonNullable<PutEventsCommandInput['Entries']>[number];

/** PutEvents takes 10 entries and 256 KB a call; an entry of ours is at most 64 KB. */
const ENTRIES_MAX = 10;
const CALL_BYTES_MAX = 250 * 1024;
/** Source, type and what else a call carries beside an entry's detail. */
const ENTRY_OVERHEAD_BYTES = 256;

const toBusEntry = (entry: OutboxEntry): BusEntry => ({
  Source: entry.source,
  DetailType: entry.type,
  Detail: entry.detail,
});

interface Numbered {
  /** Position of the outbox item. */
  item: number;
  entry: OutboxEntry;
}

const inCalls = (entries: readonly Numbered[]): Numbered[][] => {
  const calls: Numbered[][] = [];
  let bytes = 0;
  for (const numbered of entries) {
    const size = Buffer.byteLength(numbered.entry.detail) + ENTRY_OVERHEAD_BYTES;
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
  items: readonly OutboxItem[],
): Promise<Set<number>> => {
  const failed = new Set<number>();
  const entries = items.flatMap(({ entries }, item) => entries.map((entry) => ({ item, entry })));
  for (const call of inCalls(entries)) {
    const taken = await putEvents(call.map(({ entry }) => toBusEntry(entry))).catch((error: unknown) => {
      console.error(JSON.stringify({ message: 'the bus did not answer', error: String(error) }));
      return [] as boolean[];
    });
    call.forEach(({ item }, position) => {
      if (taken[position] !== true) failed.add(item);
    });
  }
  await tables.discard(
    OUTBOX,
    items.filter((_, item) => !failed.has(item)).map(({ pk, sk }) => ({ pk, sk })),
  );
  return failed;
};

/** The stream publishes within milliseconds; what is older than this was left behind by a failure (rule 14). */
const LEFT_BEHIND_SECONDS = 60;
const SWEEP_ITEMS_MAX = 100;

/** Publishes what the stream left behind. Returns how many items it published and how many are still there. */
export const sweep = async (
  tables: Tables,
  putEvents: PutEvents,
  now: string,
): Promise<{ published: number; failed: number }> => {
  const upTo = plusSeconds(now, -LEFT_BEHIND_SECONDS);
  let published = 0;
  let failed = 0;
  for (let shard = 0; shard < OUTBOX_SHARDS; shard += 1) {
    const { items } = await tables.query<OutboxItem>(OUTBOX, { pk: outboxPk(shard), upTo, limit: SWEEP_ITEMS_MAX });
    const left = await publish(tables, putEvents, items);
    failed += left.size;
    published += items.length - left.size;
  }
  return { published, failed };
};

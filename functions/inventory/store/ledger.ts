import type * as z from 'zod';
import type { Key, Page, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { Movement } from '../contract/shapes.ts';
import type { Place } from '../domain/movements.ts';
import { QUANTITIES } from '../emits.ts';
import { timelinePk } from './book.ts';
import { TABLE } from './levels.ts';

type MovementItem = z.infer<typeof Movement>;

export interface Span {
  from?: Instant | undefined;
  /** Not itself in the span. */
  until?: Instant | undefined;
}

/** Below and above every moment that a ledger has. */
const EVER = { from: '0', until: '9999' };

/** The ledger of a level within a span of time, in the order in which it was booked. The index holds keys only. */
export const movementsOf = async (
  tables: Tables,
  { sku, nodeId }: Place,
  { from = EVER.from, until = EVER.until }: Span,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<MovementItem>> => {
  const { items: keys, ...rest } = await tables.query<Key>(TABLE, {
    ...{ index: 'byTime', pk: timelinePk({ sku, nodeId }), from, upTo: until, ...page },
  });
  const found = await tables.snapshot(keys.map(({ pk, sk }) => ({ table: TABLE, key: { pk, sk } })));
  const items = found.flatMap((item, index) => {
    if (item === undefined) return [];
    const quantities = Object.fromEntries(QUANTITIES.map((quantity) => [quantity, item[quantity] ?? 0]));
    return [{ ...(item as unknown as MovementItem), ...quantities, sku, nodeId, movementId: keys[index]!.sk }];
  });
  return { items, ...rest };
};

/** So many movements of a level are read at a time. */
const MOVEMENTS_AT_ONCE = 100;

/**
 * Units that came to a level after a moment, signed, by when it happened and not by when it was booked. Undefined where
 * the index lags behind the level and does not know its last movement (`movedAt`) yet.
 */
export const onHandSince = async (
  tables: Tables,
  place: Place,
  since: Instant,
  movedAt: Instant,
): Promise<number | undefined> => {
  let units = 0;
  let isBehind = true;
  let cursor: string | undefined;
  do {
    const page = await movementsOf(tables, place, { from: since }, { limit: MOVEMENTS_AT_ONCE, cursor });
    for (const { at, occurredAt = at, onHand } of page.items) {
      if (occurredAt > since) units += onHand;
      isBehind &&= at < movedAt;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return isBehind ? undefined : units;
};

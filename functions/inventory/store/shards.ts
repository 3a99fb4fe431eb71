import { put, remove } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Key, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from '../domain/availability.ts';
import { type Place, placeOf } from '../domain/movements.ts';
import { evenOut } from '../domain/shards.ts';
import { bookParts } from './book.ts';
import { contentionKey, placeIn, TABLE } from './levels.ts';

/** Levels that are spread at one time; a chain has a handful. */
const SPREAD_MAX = 500;
const SPREAD = 'SPREAD';

/** A level that is spread over shards, so that it is looked after. */
interface SpreadItem extends Key {
  /** When buyers were last seen to queue for it, or when somebody spread it by hand. */
  busyAt: Instant;
}

const spreadKey = ({ sku, nodeId }: Place): Key => ({ pk: SPREAD, sk: `${sku}#${nodeId}` });

export const spreadLevels = async (tables: Tables): Promise<(Place & { busyAt: Instant })[]> => {
  const { items } = await tables.query<SpreadItem>(TABLE, { pk: SPREAD, limit: SPREAD_MAX });
  return items.map((item) => ({ ...placeIn(item), busyAt: item.busyAt }));
};

/** Levels that transactions met on since the last look, and how often. */
export const contendedLevels = async (tables: Tables): Promise<(Place & { conflicts: number })[]> => {
  const { pk } = contentionKey({ sku: '', nodeId: '' });
  const { items } = await tables.query<Key & { conflicts: number }>(TABLE, { pk, limit: SPREAD_MAX });
  return items.map((item) => ({ ...placeIn(item), conflicts: item.conflicts }));
};

/** The count begins anew. */
export const forgetContention = (tables: Tables, places: readonly Place[]): Promise<void> =>
  tables.discard(TABLE, places.map(contentionKey));

/** How many shards a level has, remembered where `spreadLevels` finds it. */
const listed = (place: Place, wanted: number, busyAt: Instant): Part<never> =>
  wanted > 1
    ? put(TABLE, { ...spreadKey(place), busyAt }, [], undefined as never)
    : remove(TABLE, spreadKey(place), [], undefined as never);

export interface Spreading {
  wanted: number;
  movementId: string;
  reason: string;
  busyAt: Instant;
}

/**
 * Spreads what is available of a level evenly over `wanted` shards: one movement between them, that adds up to nothing,
 * on the level exactly as it was read. A shard beyond `wanted` may not keep promises any more.
 */
export const spreadParts = (
  level: NodeLevel,
  { wanted, movementId, reason, busyAt }: Spreading,
  cause: Cause,
): Part<'changed-meanwhile'>[] => {
  const { sku, nodeId } = level;
  const shares = [{ shard: 0, units: 0 }, ...evenOut(level.shards, wanted)];
  const move = { sku, nodeId, kind: 'REBALANCE', shares, movementId, reference: movementId, reason } as const;
  const booked = bookParts([move], cause, {
    exact: new Map([[placeOf(level), level]]),
    attributes: new Map([[placeOf(level), { shards: wanted }]]),
  });
  // On a level as it was read nothing is guarded but that it still is.
  return [...(booked as Part<'changed-meanwhile'>[]), listed(level, wanted, busyAt)];
};

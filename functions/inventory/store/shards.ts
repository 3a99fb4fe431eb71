import { changedMeanwhile, check, put, remove, update } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Guard, Key, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from '../domain/availability.ts';
import { type Place, placeOf } from '../domain/movements.ts';
import { evenOut, type Share } from '../domain/shards.ts';
import { bookParts } from './book.ts';
import { contentionKey, levelKey, placeIn, TABLE } from './levels.ts';

/** Levels that are spread at one time; a chain has a handful. */
const SPREAD_MAX = 500;
const SPREAD = 'SPREAD';

/** A level that is spread over shards, so that it is looked after. Whoever spreads it anew writes it: one at a time. */
interface SpreadItem extends Key {
  shards: number;
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

/** How many shards a level has from now on, remembered where `spreadLevels` finds it; refused if it has others by now. */
const listed = (level: NodeLevel, wanted: number, busyAt: Instant): Part<'changed-meanwhile'> => {
  const shards = level.shards.length;
  const guard: Guard = shards === 1 ? { guard: 'absent' } : { guard: 'one-of', attribute: 'shards', values: [shards] };
  const refusal = changedMeanwhile(`the number of shards of ${placeOf(level)}`);
  return wanted > 1
    ? put(TABLE, { ...spreadKey(level), shards: wanted, busyAt }, [guard], refusal)
    : remove(TABLE, spreadKey(level), [guard], refusal);
};

/** Buyers still queue for it: it is not brought together for some time. */
export const busyPart = (place: Place, busyAt: Instant): Part<'changed-meanwhile'> =>
  update(TABLE, spreadKey(place), { set: { busyAt } }, [{ guard: 'exists' }], changedMeanwhile(placeOf(place)));

/** Opens further shards, empty ones, with one write of what buyers queue for. Units are moved there afterwards. */
export const growParts = (level: NodeLevel, wanted: number, busyAt: Instant): Part<'changed-meanwhile'>[] => [
  update(
    TABLE,
    levelKey(level.sku, level.nodeId),
    { set: { shards: wanted } },
    [],
    changedMeanwhile(`the number of shards of ${placeOf(level)}`),
  ),
  listed(level, wanted, busyAt),
];

/** Holds while a level has that many shards: units do not go where nobody looks any more. */
export const spreadOverPart = (place: Place, shards: number): Part<'changed-meanwhile'> =>
  check(
    TABLE,
    spreadKey(place),
    [{ guard: 'one-of', attribute: 'shards', values: [shards] }],
    changedMeanwhile(`the number of shards of ${placeOf(place)}`),
  );

interface Rebalancing {
  movementId: string;
  reason: string;
}

/** Units go from shards to others; refused where they are not there any more. */
export const rebalanceParts = (
  { sku, nodeId }: Place,
  shares: readonly Share[],
  { movementId, reason }: Rebalancing,
  cause: Cause,
  booking: Parameters<typeof bookParts>[2] = {},
): Part<'changed-meanwhile'>[] =>
  bookParts(
    [{ ...{ sku, nodeId, kind: 'REBALANCE', shares }, ...{ movementId, reference: movementId, reason } }],
    cause,
    booking,
  ).map((part) => ({ ...part, refusal: { ...part.refusal, problem: 'changed-meanwhile' } }));

export interface Spreading extends Rebalancing {
  wanted: number;
  busyAt: Instant;
}

/**
 * Spreads what is available of a level evenly over `wanted` shards, in one transaction. Where shards are given up, on
 * the level exactly as it was read: those may keep no promises, and nothing may come to them any more.
 */
export const spreadParts = (
  level: NodeLevel,
  { wanted, busyAt, ...rebalancing }: Spreading,
  cause: Cause,
): Part<'changed-meanwhile'>[] => {
  const shares = [{ shard: 0, units: 0 }, ...evenOut(level.shards, wanted, level.safetyStock)];
  const attributes = new Map([[placeOf(level), { shards: wanted }]]);
  const exact = wanted < level.shards.length ? { exact: new Map([[placeOf(level), level]]) } : {};
  return [
    ...rebalanceParts(level, shares, rebalancing, cause, { ...exact, attributes }),
    listed(level, wanted, busyAt),
  ];
};

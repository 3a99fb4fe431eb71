import type { Instant } from '../../../shared/time.ts';
import type { MovementKind } from '../emits.ts';
import { availableOf, type NodeLevel, totalsOf } from './availability.ts';
import { deltasOf, type Move, type Place, placeOf } from './movements.ts';
import { ONE_SHARD, type Shard, spreadOver, takeAnyway } from './shards.ts';

/** Something that took place at a node, whatever the books say (rule 13). */
export interface Happening extends Place {
  kind: Extract<
    MovementKind,
    'RECEIPT' | 'RETURN' | 'SALE' | 'TRANSFER_OUT' | 'TRANSFER_IN' | 'COUNT' | 'CORRECTION' | 'DAMAGE' | 'QUALITY_HOLD'
  >;
  /** Signed where the kind is (movements.ts). */
  units: number;
  movementId: string;
  reference: string;
  reason?: string | undefined;
  occurredAt?: Instant | undefined;
}

/** More left than was there: accepted, and to be looked at by somebody. */
export interface Shortfall extends Place {
  movementId: string;
  reference: string;
  units: number;
  kind: MovementKind;
}

interface State {
  level: NodeLevel;
  shards: (Pick<Shard, 'shard'> & { available: number })[];
  onlineOnly: number;
  isExact: boolean;
}

/**
 * What happened as movements on levels as they were read. Units that come are spread over the shards; units that go are
 * taken from where they are, and what is missing from shard 0. `exact` are the levels whose books did not suffice: they
 * must stand as they were read, or it is decided anew.
 */
export const happenedMoves = (
  happenings: readonly Happening[],
  levels: readonly NodeLevel[],
): { moves: Move[]; exact: NodeLevel[]; short: Shortfall[] } => {
  const states = new Map<string, State>(
    levels.map((level) => [
      placeOf(level),
      {
        level,
        shards: level.shards.map(({ shard, available }) => ({ shard, available })),
        onlineOnly: totalsOf(level).onlineOnly,
        isExact: false,
      },
    ]),
  );
  const short: Shortfall[] = [];
  const moves = happenings.map((happening): Move => {
    const { units, ...what } = happening;
    const state = states.get(placeOf(happening))!;
    const change = deltasOf(what.kind, units).available ?? 0;
    const isWatched = state.level.lowAt !== undefined;
    // Shares are in units of the movement; `sign` turns units that leave or come into those.
    const sign = units < 0 ? -1 : 1;
    if (change >= 0) {
      // A count that finds what was booked is on record, too.
      const shares = change === 0 ? ONE_SHARD(0) : spreadOver(state.shards.length, change);
      for (const share of shares) state.shards[share.shard]!.available += share.units;
      return { ...what, isWatched, shares: shares.map((share) => ({ ...share, units: sign * share.units })) };
    }
    const taken = takeAnyway(state.shards, -change, what.movementId);
    for (const share of taken.shares) state.shards[share.shard]!.available -= share.units;
    if (taken.short > 0) short.push({ ...what, units: taken.short });
    const left = Math.max(0, availableOf({ shards: state.shards as never }));
    const fromPool = Math.max(0, state.onlineOnly - left);
    state.onlineOnly -= fromPool;
    state.isExact ||= taken.short > 0 || fromPool > 0;
    return {
      ...{ ...what, isWatched, shares: taken.shares.map((share) => ({ ...share, units: sign * share.units })) },
      ...(fromPool > 0 ? { onlineOnly: -fromPool } : {}),
    };
  });
  return { moves, short, exact: [...states.values()].filter(({ isExact }) => isExact).map(({ level }) => level) };
};

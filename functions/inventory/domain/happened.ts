import type { Instant } from '../../../shared/time.ts';
import type { MovementKind } from '../emits.ts';
import { availableOf, type NodeLevel, totalsOf } from './availability.ts';
import { KEPT_IN } from './corrections.ts';
import { deltasOf, type Move, type Place, placeOf } from './movements.ts';
import { ONE_SHARD, type Shard, takeAnyway } from './shards.ts';

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

const isSetAside = (kind: MovementKind): kind is keyof typeof KEPT_IN => kind in KEPT_IN;

/** What a shard has may be owed by another one: then only the whole says whether there is enough. */
const isIndebted = (shards: readonly { available: number }[]): boolean => shards.some(({ available }) => available < 0);

/** What was set aside is available again, where it was set aside. */
const broughtBack = (state: State, quantity: 'damaged' | 'qualityHold', units: number, id: string) => {
  const aside = state.level.shards.map((one) => ({ shard: one.shard, available: one[quantity] }));
  const back = takeAnyway(aside, units, id);
  for (const share of back.shares) state.shards[share.shard]!.available += share.units;
  state.isExact ||= back.short > 0 || isIndebted(aside);
  return back;
};

/**
 * What happened as movements on levels as they were read. Units that come are put to shard 0, from where tending spreads
 * them; units that go are taken from where they are, and what is missing from shard 0. `exact` are the levels whose books did not suffice: they
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
    if (change > 0 && isSetAside(what.kind)) {
      const back = broughtBack(state, KEPT_IN[what.kind], change, what.movementId);
      if (back.short > 0) short.push({ ...what, units: back.short });
      return { ...what, isWatched, shares: back.shares.map((share) => ({ ...share, units: -share.units })) };
    }
    if (change >= 0) {
      // To shard 0, which is always there, and in one write; a count that finds what was booked is on record, too.
      state.shards[0]!.available += change;
      return { ...what, isWatched, shares: ONE_SHARD(sign * change) };
    }
    const taken = takeAnyway(state.shards, -change, what.movementId);
    for (const share of taken.shares) state.shards[share.shard]!.available -= share.units;
    if (taken.short > 0) short.push({ ...what, units: taken.short });
    const left = Math.max(0, availableOf({ shards: state.shards as never }));
    const fromPool = Math.max(0, state.onlineOnly - left);
    state.onlineOnly -= fromPool;
    // What is short leaves a shard in debt, too.
    state.isExact ||= fromPool > 0 || isIndebted(state.shards);
    return {
      ...{ ...what, isWatched, shares: taken.shares.map((share) => ({ ...share, units: sign * share.units })) },
      ...(fromPool > 0 ? { onlineOnly: -fromPool } : {}),
    };
  });
  return { moves, short, exact: [...states.values()].filter(({ isExact }) => isExact).map(({ level }) => level) };
};

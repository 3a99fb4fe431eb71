import type { Instant } from '../../../shared/time.ts';
import type { Quantity } from '../emits.ts';

/**
 * A hot SKU's level at a node is spread over shards, each an item of a partition of its own, so that buyers do not queue
 * for one item. The balance of the node is the sum of its shards; most levels have one, shard 0.
 */

/** DynamoDB reads 100 items at one moment; a SKU that needs more shards needs more nodes. */
export const SHARDS_MAX = 64;

export interface Shard extends Record<Quantity, number> {
  shard: number;
  /** Number of movements that touched it. */
  version: number;
  /** When the last of them was booked. */
  movedAt?: Instant;
}

/** So many units of a movement at one shard. */
export interface Share {
  shard: number;
  units: number;
}

export const ONE_SHARD = (units: number): Share[] => [{ shard: 0, units }];

/** Where a search begins: spread by what is asked for, so that equal askers do not meet, and the same when repeated. */
export const spreadBy = (id: string, shards: number): number => {
  let hash = 2_166_136_261;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 16_777_619);
  return (hash >>> 0) % shards;
};

type Left = Pick<Shard, 'shard' | 'available'>;

/**
 * Units that a promise has to leave at each shard so that no more than `sellable` of all can be promised: what buffers
 * keep back, and what another shard lacks. They lie at the first shards, wherever buyers look from, so that the guards
 * of buyers at different shards add up.
 */
export const keptAt = (shards: readonly Left[], sellable: number): number[] => {
  let toKeep = shards.reduce((sum, { available }) => sum + Math.max(0, available), 0) - sellable;
  return shards.map(({ available }) => {
    const kept = Math.min(Math.max(0, available), Math.max(0, toKeep));
    toKeep -= kept;
    return kept;
  });
};

/**
 * Takes units from shards: from one that has all of them if there is one, else from as few as possible, the fullest
 * first. `kept` units stay at each. Undefined where all shards together have too few.
 */
export const takeFrom = (
  shards: readonly Left[],
  units: number,
  kept: readonly number[],
  id: string,
): Share[] | undefined => {
  const free = shards.map(({ shard, available }) => ({ shard, units: Math.max(0, available - (kept[shard] ?? 0)) }));
  const start = spreadBy(id, free.length);
  for (let step = 0; step < free.length; step += 1) {
    const one = free[(start + step) % free.length]!;
    if (one.units >= units) return [{ shard: one.shard, units }];
  }
  const shares: Share[] = [];
  let left = units;
  for (const one of free.sort((a, b) => b.units - a.units)) {
    const taken = Math.min(left, one.units);
    if (taken > 0) shares.push({ shard: one.shard, units: taken });
    left -= taken;
  }
  return left === 0 ? shares : undefined;
};

/**
 * As `takeFrom`, for what has physically happened: what no shard has is taken from shard 0, below zero (rule 13). What
 * one shard has may be owed by another: `short` is what the level as a whole lacks.
 */
export const takeAnyway = (shards: readonly Left[], units: number, id: string): { shares: Share[]; short: number } => {
  const there = shards.reduce((sum, { available }) => sum + Math.max(0, available), 0);
  const total = shards.reduce((sum, { available }) => sum + available, 0);
  const whole = takeFrom(shards, Math.min(units, there), [], id)!.filter((share) => share.units > 0);
  const short = Math.max(0, units - Math.max(0, total));
  const nowhere = Math.max(0, units - there);
  if (nowhere === 0) return { shares: whole, short };
  const first = whole.find(({ shard }) => shard === 0);
  const others = whole.filter(({ shard }) => shard !== 0);
  return { shares: [{ shard: 0, units: (first?.units ?? 0) + nowhere }, ...others], short };
};

/**
 * What has to move so that `wanted` shards hold equally much of what is available, and shards beyond them nothing; of
 * what no promise may touch, `safety` units, all is at shard 0. Shares add up to zero. A shard below zero is brought to
 * its part, too.
 */
export const evenOut = (shards: readonly Left[], wanted: number, safety = 0): Share[] => {
  const total = shards.reduce((sum, { available }) => sum + available, 0);
  const first = Math.min(safety, Math.max(0, total));
  const base = Math.floor((total - first) / wanted);
  const part = (shard: number): number => {
    if (shard >= wanted) return 0;
    return base + (shard < total - first - base * wanted ? 1 : 0) + (shard === 0 ? first : 0);
  };
  const all = new Map<number, number>(Array.from({ length: wanted }, (_, shard) => [shard, 0]));
  for (const { shard, available } of shards) all.set(shard, available);
  return [...all]
    .map(([shard, available]) => ({ shard, units: part(shard) - available }))
    .filter((share) => share.units !== 0)
    .sort((a, b) => a.shard - b.shard);
};

/**
 * The same in small moves, each from ONE shard to others and adding up to zero: during a rush a transaction that takes
 * from many shards that buyers queue for would hardly ever find all of them at rest.
 */
export const inSteps = (shares: readonly Share[]): Share[][] => {
  const wanting = shares.filter(({ units }) => units > 0).map((share) => ({ ...share }));
  return shares
    .filter(({ units }) => units < 0)
    .map((giving) => {
      const step: Share[] = [giving];
      for (let left = -giving.units; left > 0; ) {
        const to = wanting[0]!;
        const units = Math.min(left, to.units);
        step.push({ shard: to.shard, units });
        left -= units;
        to.units -= units;
        if (to.units === 0) wanting.shift();
      }
      return step;
    });
};

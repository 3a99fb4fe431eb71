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

/**
 * Takes units from shards: from one that has all of them if there is one, else from as few as possible, the fullest
 * first. `kept` units stay at shard 0, which is where buffers lie. Undefined where all shards together have too few.
 */
export const takeFrom = (
  shards: readonly Pick<Shard, 'shard' | 'available'>[],
  units: number,
  kept: number,
  id: string,
): Share[] | undefined => {
  const free = shards.map(({ shard, available }) => ({
    shard,
    units: Math.max(0, shard === 0 ? available - kept : available),
  }));
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

/** As `takeFrom`, for what has physically happened: what no shard has is taken from shard 0, below zero (rule 13). */
export const takeAnyway = (
  shards: readonly Pick<Shard, 'shard' | 'available'>[],
  units: number,
  id: string,
): { shares: Share[]; short: number } => {
  const there = shards.reduce((sum, { available }) => sum + Math.max(0, available), 0);
  const whole = takeFrom(shards, Math.min(units, there), 0, id)!.filter((share) => share.units > 0);
  const short = Math.max(0, units - there);
  if (short === 0) return { shares: whole, short };
  const first = whole.find(({ shard }) => shard === 0);
  const others = whole.filter(({ shard }) => shard !== 0);
  return { shares: [{ shard: 0, units: (first?.units ?? 0) + short }, ...others], short };
};

/** Spreads units evenly over shards, the first ones get the rest: for goods that come in. */
export const spreadOver = (shards: number, units: number): Share[] =>
  Array.from({ length: shards }, (_, shard) => ({
    shard,
    units: Math.floor(units / shards) + (shard < units % shards ? 1 : 0),
  })).filter((share) => share.units > 0);

/**
 * What has to move so that `wanted` shards hold equally much of what is available, and shards beyond them nothing.
 * Shares add up to zero. A shard below zero is brought to its part, too.
 */
export const evenOut = (shards: readonly Pick<Shard, 'shard' | 'available'>[], wanted: number): Share[] => {
  const total = shards.reduce((sum, { available }) => sum + available, 0);
  const part = (shard: number): number => {
    if (shard >= wanted) return 0;
    const base = Math.floor(total / wanted);
    return base + (shard < total - base * wanted ? 1 : 0);
  };
  const all = new Map<number, number>(Array.from({ length: wanted }, (_, shard) => [shard, 0]));
  for (const { shard, available } of shards) all.set(shard, available);
  return [...all]
    .map(([shard, available]) => ({ shard, units: part(shard) - available }))
    .filter((share) => share.units !== 0)
    .sort((a, b) => a.shard - b.shard);
};

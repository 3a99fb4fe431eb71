import { ok, type Result, refuse } from '../../../shared/result.ts';
import { type Instant, plusSeconds } from '../../../shared/time.ts';
import type { Share } from './shards.ts';

export const PURPOSES = ['CART', 'RESERVE_AND_COLLECT'] as const;
export type Purpose = (typeof PURPOSES)[number];

export const HOLD_STATUSES = ['HELD', 'COMMITTED', 'RELEASED', 'EXPIRED'] as const;
export type HoldStatus = (typeof HOLD_STATUSES)[number];

export interface HoldLine {
  sku: string;
  nodeId: string;
  units: number;
}

/** Units at nodes that are kept for somebody until a moment. It resolves once, by state, never by the clock (rule 9). */
export interface Hold {
  holdId: string;
  /** The customer or channel that may extend, release and order it. */
  holderId: string;
  purpose: Purpose;
  lines: readonly (HoldLine & { shares: readonly Share[] })[];
  status: HoldStatus;
  heldUntil: Instant;
  createdAt: Instant;
  version: number;
}

/** A cart keeps goods while its shopper pays; a shelf keeps them until the shopper comes by. */
export const HOLD_SECONDS_MAX: Record<Purpose, number> = { CART: 3600, RESERVE_AND_COLLECT: 7 * 24 * 3600 };

/** One line a SKU and node. */
export const sumByPlace = (lines: readonly HoldLine[]): HoldLine[] => {
  const places = Map.groupBy(lines, ({ sku, nodeId }) => `${sku} ${nodeId}`);
  return [...places.values()].map((same) => ({
    ...same[0]!,
    units: same.reduce((sum, { units }) => sum + units, 0),
  }));
};

/** The hold with more time, counted from now, but never more than its purpose allows in all. */
export const extended = (hold: Hold, seconds: number, now: Instant): Result<Hold, 'wrong-state'> => {
  if (hold.status !== 'HELD') return refuse('wrong-state', `the hold is ${hold.status}; make a new one`);
  const latest = plusSeconds(hold.createdAt, HOLD_SECONDS_MAX[hold.purpose]);
  const wanted = plusSeconds(now, seconds);
  const heldUntil = wanted < latest ? wanted : latest;
  if (heldUntil <= hold.heldUntil) return refuse('wrong-state', `it is held until ${hold.heldUntil} at the longest`);
  return ok({ ...hold, heldUntil, version: hold.version + 1 });
};

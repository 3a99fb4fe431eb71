import type { Money } from '../../shared/money.ts';
import { type Instant, plusSeconds } from '../../shared/time.ts';

/** Minor units that bring one point: 100 won, i.e. 1 %. */
const MINOR_UNITS_PER_POINT = 100;
/** What was delivered may be sent back for this long, so its points wait (rule 26). */
const RETURN_WINDOW_SECONDS = 7 * 24 * 3600;

/** Points of one order, which mature together. Earned once and matured once. */
export interface PointsLot {
  customerId: string;
  orderId: string;
  points: number;
  maturesAt: Instant;
}

/** Signed changes of the two quantities of a balance. */
export interface PointsDeltas {
  pending: number;
  available: number;
}

export const EFFECTS = {
  EARN: { pending: 1, available: 0 },
  MATURE: { pending: -1, available: 1 },
} as const satisfies Record<string, PointsDeltas>;
export type PointsEntryKind = keyof typeof EFFECTS;

export const deltasOf = (kind: PointsEntryKind, points: number): PointsDeltas => ({
  pending: EFFECTS[kind].pending * points,
  available: EFFECTS[kind].available * points,
});

/** What a completed order earns; undefined where it is less than one point. A part of a point is not rounded up. */
export const earned = (order: {
  customerId: string;
  orderId: string;
  fulfilled: Money;
  completedAt: Instant;
}): PointsLot | undefined => {
  const points = Math.floor(order.fulfilled.amountMinor / MINOR_UNITS_PER_POINT);
  if (points === 0) return undefined;
  const { customerId, orderId, completedAt } = order;
  return { customerId, orderId, points, maturesAt: plusSeconds(completedAt, RETURN_WINDOW_SECONDS) };
};

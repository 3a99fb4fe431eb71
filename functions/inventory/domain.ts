import type { MovementKind, StockLine } from './contract.ts';

/** Signed changes of the quantities of one SKU at one node. */
export interface Deltas {
  onHand: number;
  allocated: number;
  available: number;
}

/**
 * What each kind of movement does to the quantities, by unit. This table IS the stock model: a balance is the sum of
 * these over its ledger, and `available = onHand − reserved − allocated − unavailable` holds in every row.
 */
const EFFECTS: Record<MovementKind, Deltas> = {
  RECEIPT: { onHand: 1, allocated: 0, available: 1 },
  ADJUSTMENT: { onHand: 1, allocated: 0, available: 1 },
  ALLOCATE: { onHand: 0, allocated: 1, available: -1 },
  RELEASE: { onHand: 0, allocated: -1, available: 1 },
  CONSUME: { onHand: -1, allocated: -1, available: 0 },
};

export const deltasOf = (kind: MovementKind, units: number): Deltas => ({
  onHand: EFFECTS[kind].onHand * units,
  allocated: EFFECTS[kind].allocated * units,
  available: EFFECTS[kind].available * units,
});

/** One line a SKU: lines checked one by one would promise the same units twice (rule 3). Sorted, so lock order is one. */
export const sumBySku = (lines: readonly StockLine[]): StockLine[] => {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return [...units].map(([sku, total]) => ({ sku, units: total })).sort((a, b) => (a.sku < b.sku ? -1 : 1));
};

import type { Instant } from '../../../shared/time.ts';
import { type MovementKind, QUANTITIES, type Quantity, type StockLine } from '../emits.ts';
import type { Share } from './shards.ts';

export interface Place {
  sku: string;
  nodeId: string;
}

export const placeOf = ({ sku, nodeId }: Place): string => `${sku} at ${nodeId}`;

/** One thing that happens to a SKU at a node. */
export interface Move<K extends MovementKind = MovementKind> extends Place {
  kind: K;
  /** Units by shard; signed where the kind is. */
  shares: readonly Share[];
  /** Identity of the movement within its ledger: the second write of it is refused. */
  movementId: string;
  /** What it belongs to. */
  reference: string;
  reason?: string | undefined;
  /** When it happened, where that is not now: at a till that was offline. */
  occurredAt?: Instant | undefined;
  /** Units of what is set aside for online that go with it; they lie at shard 0. */
  onlineOnly?: number | undefined;
  /** What it gives back was the taker's own: it is not asked whether it may be sold. */
  isOwn?: boolean | undefined;
  /** Whether somebody wants to be told when its level becomes low; absent: not known, so it is looked at. */
  isWatched?: boolean | undefined;
}

/** Signed changes of the quantities of one SKU at one node; what is absent does not change. */
export type Deltas = Partial<Record<Quantity, number>>;

/**
 * What each kind of movement does to the quantities, by unit. This table IS the stock model: a balance is the sum of
 * these over its ledger, and `available = onHand − reserved − allocated − damaged − qualityHold` holds in every row.
 */
const EFFECTS: Record<MovementKind, Deltas> = {
  RECEIPT: { onHand: 1, available: 1 },
  RETURN: { onHand: 1, available: 1 },
  SALE: { onHand: -1, available: -1 },
  RESERVE: { reserved: 1, available: -1 },
  UNRESERVE: { reserved: -1, available: 1 },
  ALLOCATE: { allocated: 1, available: -1 },
  RELEASE: { allocated: -1, available: 1 },
  CONSUME: { onHand: -1, allocated: -1 },
  TRANSFER_OUT: { onHand: -1, available: -1 },
  TRANSFER_IN: { onHand: 1, available: 1 },
  COUNT: { onHand: 1, available: 1 },
  CORRECTION: { onHand: 1, available: 1 },
  DAMAGE: { damaged: 1, available: -1 },
  QUALITY_HOLD: { qualityHold: 1, available: -1 },
  // A share of what is available, not a place of its own: the till does not see it.
  ONLINE_ONLY: { onlineOnly: 1 },
  // From one shard to another of the same node: the shares of the movement add up to nothing.
  REBALANCE: { onHand: 1, available: 1 },
};

/** What so many units of a movement do. Signed for COUNT, CORRECTION, DAMAGE, QUALITY_HOLD, ONLINE_ONLY and REBALANCE. */
export const deltasOf = (kind: MovementKind, units: number): Deltas =>
  Object.fromEntries(Object.entries(EFFECTS[kind]).map(([quantity, by]) => [quantity, by * units]));

/** What a movement does to each shard. */
export const deltasByShard = ({ kind, shares, onlineOnly = 0 }: Move): Map<number, Deltas> => {
  const byShard = new Map<number, Deltas>();
  for (const { shard, units } of shares) {
    byShard.set(shard, added(byShard.get(shard) ?? {}, deltasOf(kind, units)));
  }
  if (onlineOnly !== 0) byShard.set(0, added(byShard.get(0) ?? {}, { onlineOnly }));
  return byShard;
};

export const added = (a: Deltas, b: Deltas): Deltas =>
  Object.fromEntries(
    QUANTITIES.flatMap((quantity) => {
      const sum = (a[quantity] ?? 0) + (b[quantity] ?? 0);
      return sum === 0 ? [] : [[quantity, sum]];
    }),
  );

/** One line a SKU: lines checked one by one would promise the same units twice (rule 3). Sorted, so lock order is one. */
export const sumBySku = (lines: readonly StockLine[]): StockLine[] => {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return [...units].map(([sku, total]) => ({ sku, units: total })).sort((a, b) => (a.sku < b.sku ? -1 : 1));
};

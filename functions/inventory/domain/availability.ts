import type { Instant } from '../../../shared/time.ts';
import type { Quantity, SalesChannel } from '../emits.ts';
import { QUANTITIES } from '../emits.ts';
import { type Belief, type Confidence, confidenceOf, disbelieved } from './confidence.ts';
import type { Shard } from './shards.ts';

/** Everything that is kept of one SKU at one node. */
export interface NodeLevel {
  sku: string;
  nodeId: string;
  /** Shard 0 first. */
  shards: readonly Shard[];
  /** Units that no promise may touch; a till may. */
  safetyStock: number;
  /** At so many available units or fewer the stock is low. */
  lowAt?: number;
  isLow: boolean;
  /** How often it fell to the threshold. */
  lowCrossings: number;
  belief: Belief;
}

/** A rule of head office about what may be sold where. What it leaves empty matches everything. */
export interface StockPolicy {
  policyId: string;
  /** BUFFER keeps units back; PILOT gives the stock of some nodes to the named channels alone. */
  kind: 'BUFFER' | 'PILOT';
  channels: SalesChannel[];
  nodeIds: string[];
  categories: string[];
  skus: string[];
  /** BUFFER: units kept back, and per cent of what is available; the larger counts. */
  units: number;
  percent: number;
  from?: Instant | undefined;
  until?: Instant | undefined;
}

/** Units that a channel may not sell, and why. */
export interface Withheld {
  units: number;
  because: string;
}

export interface Sellable {
  /** ATS: what the channel may sell now. */
  units: number;
  withheld: Withheld[];
  confidence: Confidence;
}

export const totalsOf = ({ shards }: Pick<NodeLevel, 'shards'>): Record<Quantity, number> & { version: number } => {
  // Most levels have one shard, and many are asked for at once.
  if (shards.length === 1) return shards[0]!;
  const totals = { ...Object.fromEntries(QUANTITIES.map((quantity) => [quantity, 0])), version: 0 } as Record<
    Quantity,
    number
  > & { version: number };
  for (const shard of shards) {
    for (const quantity of QUANTITIES) totals[quantity] += shard[quantity];
    totals.version += shard.version;
  }
  return totals;
};

export const availableOf = ({ shards }: Pick<NodeLevel, 'shards'>): number =>
  shards.reduce((sum, { available }) => sum + available, 0);

const matches = (wanted: readonly string[], one: string | undefined): boolean =>
  wanted.length === 0 || (one !== undefined && wanted.includes(one));

const isInForce = ({ from, until }: StockPolicy, now: Instant): boolean =>
  (from === undefined || from <= now) && (until === undefined || now < until);

const concerns = (policy: StockPolicy, { sku, nodeId }: NodeLevel, category: string | undefined): boolean =>
  matches(policy.nodeIds, nodeId) && matches(policy.skus, sku) && matches(policy.categories, category);

/** Where and to whom something is to be sold. */
export interface Sale {
  channel: SalesChannel;
  category?: string | undefined;
  now: Instant;
}

const buffersOf = (policies: readonly StockPolicy[], channel: SalesChannel, available: number): Withheld | undefined =>
  policies
    .filter(({ kind, channels }) => kind === 'BUFFER' && matches(channels, channel))
    .map(({ policyId, units, percent }) => ({
      units: Math.max(units, Math.ceil((available * percent) / 100)),
      because: `buffer ${policyId}`,
    }))
    .reduce<Withheld | undefined>(
      (most, one) => (most === undefined || one.units > most.units ? one : most),
      undefined,
    );

const pilotAgainst = (policies: readonly StockPolicy[], channel: SalesChannel): StockPolicy | undefined => {
  const pilots = policies.filter(({ kind }) => kind === 'PILOT');
  return pilots.length > 0 && !pilots.some(({ channels }) => channels.includes(channel)) ? pilots[0] : undefined;
};

/**
 * What a channel may sell of a level, and what is kept from it and why. A till sells what is on the shelf, but for what
 * was set aside for online; every other channel promises, and is kept from safety stock, buffers and doubtful units.
 */
export const sellableAt = (level: NodeLevel, policies: readonly StockPolicy[], sale: Sale): Sellable => {
  const { channel, category, now } = sale;
  const available = availableOf(level);
  const confidence = confidenceOf(level.belief, now);
  const inForce = policies.filter((policy) => isInForce(policy, now) && concerns(policy, level, category));
  const pilot = pilotAgainst(inForce, channel);
  if (pilot !== undefined && available > 0) {
    const because = `pilot ${pilot.policyId} is for ${pilot.channels.join(', ')} only`;
    return { units: 0, withheld: [{ units: available, because }], confidence };
  }
  const isTill = channel === 'pos';
  const buffer = buffersOf(inForce, channel, available);
  const doubtful = isTill ? 0 : disbelieved(available, confidence);
  const { percent, because: doubts } = confidence;
  const reserves: Withheld[] = [
    isTill
      ? { units: totalsOf(level).onlineOnly, because: 'set aside for online' }
      : { units: level.safetyStock, because: 'safety stock' },
  ];
  if (buffer !== undefined) reserves.push(buffer);
  if (doubtful > 0) {
    reserves.push({ units: doubtful, because: `confidence in the books is ${percent} %: ${doubts.join(', ')}` });
  }
  let units = Math.max(0, available);
  const withheld: Withheld[] = [];
  for (const reserve of reserves) {
    const kept = Math.min(units, reserve.units);
    if (kept > 0) withheld.push({ ...reserve, units: kept });
    units -= kept;
  }
  return { units, withheld, confidence };
};

/** Dated supply on its way to a node. */
export interface Supply {
  supplyId: string;
  sku: string;
  nodeId: string;
  units: number;
  dueAt: Instant;
}

/** ATP: what may be promised from a moment on. */
export interface PromisePoint {
  from: Instant;
  units: number;
}

/** How many units may be promised from when on: what is sellable now, then each arrival. Overdue supply is not counted on. */
export const promisable = (sellable: number, supply: readonly Supply[], now: Instant): PromisePoint[] => {
  const points: PromisePoint[] = [{ from: now, units: sellable }];
  for (const { dueAt, units } of supply.filter((one) => one.dueAt > now).sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1))) {
    const last = points.at(-1)!;
    if (last.from === dueAt) last.units += units;
    else points.push({ from: dueAt, units: last.units + units });
  }
  return points;
};

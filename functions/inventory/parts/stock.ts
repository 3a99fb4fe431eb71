import type { Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { Stock } from '../domain/allocate.ts';
import { availableOf, type NodeLevel, type Sale, sellableAt, totalsOf } from '../domain/availability.ts';
import type { Hold } from '../domain/holds.ts';
import { placeOf } from '../domain/movements.ts';
import { keptAt } from '../domain/shards.ts';
import type { SalesChannel } from '../emits.ts';
import { holdOf, holdsExpired } from '../store/holds.ts';
import { levelsOf, wholeLevelsOf } from '../store/levels.ts';
import { knownPolicies } from '../store/policies.ts';

/** So many holds that are past their time are looked at for one order; the sweep takes the rest within a minute. */
const EXPIRED_MAX = 100;

/** What sourcing chooses from: units by SKU by node that may be promised. The guard of `allocate` decides, not this. */
export interface StockView extends Stock {
  available: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface Wanted {
  sku: string;
  /** For buffers by category. */
  category?: string | undefined;
}

export interface Looking {
  now: Instant;
  /** Where it is sold: buffers, pools and pilots apply. Without it everything available is seen, as for a promise made. */
  channel?: SalesChannel | undefined;
  /** The buyer's hold, which is theirs to order. */
  hold?: { holdId: string; holderId: string } | undefined;
  /** Holds whose time is up are left to the sweep. */
  leavesHolds?: boolean | undefined;
}

const linesAt = (holds: readonly Hold[], level: NodeLevel) =>
  holds.flatMap(({ lines }) => lines).filter((line) => placeOf(line) === placeOf(level));

/** The level as it is once expired holds are given back: only then do buffers, pilots and debts have their say. */
const withGivenBack = (level: NodeLevel, expired: readonly Hold[]): NodeLevel => {
  const shares = linesAt(expired, level).flatMap((line) => line.shares);
  if (shares.length === 0) return level;
  const shards = level.shards.map((shard) => {
    const units = shares.reduce((sum, share) => (share.shard === shard.shard ? sum + share.units : sum), 0);
    return { ...shard, available: shard.available + units };
  });
  return { ...level, shards };
};

const viewOf = (
  levels: readonly NodeLevel[],
  sellable: (level: NodeLevel) => number,
  own: Hold | undefined,
  expired: readonly Hold[],
): StockView => {
  const available = new Map<string, Map<string, number>>();
  const kept = new Map<string, number[]>();
  for (const level of levels) {
    const free = withGivenBack(level, expired);
    const units = sellable(free);
    const held = linesAt(own === undefined ? [] : [own], level).reduce((sum, line) => sum + line.units, 0);
    const nodes = available.get(level.sku) ?? new Map<string, number>();
    available.set(level.sku, nodes.set(level.nodeId, units + held));
    kept.set(placeOf(level), keptAt(free.shards, units));
  }
  return { available, kept, levels: new Map(levels.map((level) => [placeOf(level), level])), own, expired };
};

const ownHold = async (tables: Tables, hold: Looking['hold']): Promise<Hold | undefined> => {
  const found = hold === undefined ? undefined : await holdOf(tables, hold.holdId);
  return found?.status === 'HELD' && found.holderId === hold?.holderId ? found : undefined;
};

/** Whether somebody may name a hold as theirs, whatever has become of it. */
export const isHolder = async (tables: Tables, holderId: string, holdId: string): Promise<boolean> =>
  (await holdOf(tables, holdId))?.holderId === holderId;

const sellableBy = async (tables: Tables, wanted: readonly Wanted[], { channel, now }: Looking) => {
  if (channel === undefined) return availableOf;
  const policies = await knownPolicies(tables, now);
  const categories = new Map(wanted.map(({ sku, category }) => [sku, category]));
  return (level: NodeLevel): number => {
    const sale: Sale = { channel, now, category: categories.get(level.sku) };
    return sellableAt(level, policies, sale).units;
  };
};

/** What may be promised of some SKUs, over all nodes. Two queries where nothing is hot. */
export const stockOf = async (tables: Tables, wanted: readonly Wanted[], looking: Looking): Promise<StockView> => {
  const skus = [...new Set(wanted.map(({ sku }) => sku))];
  const [sellable, own, ...levels] = await Promise.all([
    sellableBy(tables, wanted, looking),
    ownHold(tables, looking.hold),
    ...skus.map((sku) => levelsOf(tables, sku)),
  ]);
  return viewOf(levels.flat(), sellable, own, []);
};

/** Holds of some SKUs whose time is up and that nobody has swept yet. */
const expiredOf = async (tables: Tables, skus: readonly string[], now: Instant): Promise<Hold[]> =>
  (await holdsExpired(tables, now, EXPIRED_MAX)).filter(({ lines }) => lines.some(({ sku }) => skus.includes(sku)));

/**
 * As `stockOf`, before anybody is told that something is sold out (rule 10): every level as it stands, a hot one with
 * all its shards at one moment, and with the holds whose time is up, which the order may take over. `seen` is what the
 * first look saw.
 */
export const stockToTheLast = async (
  tables: Tables,
  wanted: readonly Wanted[],
  looking: Looking,
  seen?: StockView,
): Promise<StockView> => {
  const skus = [...new Set(wanted.map(({ sku }) => sku))];
  const [sellable, own, ...read] = await Promise.all([
    sellableBy(tables, wanted, looking),
    ownHold(tables, looking.hold),
    ...skus.map((sku) => wholeLevelsOf(tables, sku, seen?.levels)),
  ]);
  const levels = read.flat();
  const isHeld = looking.leavesHolds !== true && levels.some((level) => totalsOf(level).reserved > 0);
  const expired = isHeld ? await expiredOf(tables, skus, looking.now) : [];
  return viewOf(
    levels,
    sellable,
    own,
    expired.filter(({ holdId }) => holdId !== own?.holdId),
  );
};

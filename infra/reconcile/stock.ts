import { type Finding, finding, type Item, numberIn, textIn, total } from './finding.ts';

const QUANTITIES = ['onHand', 'reserved', 'allocated', 'damaged', 'qualityHold', 'available', 'onlineOnly'] as const;
export type Quantities = Record<(typeof QUANTITIES)[number], number>;

/** One shard of the balance of a SKU at a node; most balances have one, shard 0. */
export interface Level extends Quantities {
  sku: string;
  nodeId: string;
  shard: number;
  version: number;
  /** Of shard 0: what else the item says of the level. */
  shards: number;
}

/** What one movement did to one shard. */
export interface LedgerEntry extends Quantities {
  sku: string;
  nodeId: string;
  shard: number;
  /** `ALLOCATE`, `RELEASE`, `CONSUME` belong to an allocation, `RESERVE`, `UNRESERVE` to a hold; the reference says which. */
  kind: string;
  reference: string;
}

const quantitiesIn = (item: Item): Quantities =>
  Object.fromEntries(QUANTITIES.map((quantity) => [quantity, numberIn(item, quantity)])) as Quantities;

export const levelOf = (item: Item): Level | undefined => {
  const [what, sku, shard = '0'] = item.pk.split('#');
  if (what !== 'SKU' || sku === undefined || !item.sk.startsWith('NODE#')) return undefined;
  const nodeId = item.sk.slice('NODE#'.length);
  const shards = Math.max(1, numberIn(item, 'shards'));
  const version = numberIn(item, 'version');
  return { sku, nodeId, shard: Number(shard), shards, version, ...quantitiesIn(item) };
};

/** An entry that touches other shards than the first says of each what it did. */
export const ledgerEntriesOf = (item: Item): LedgerEntry[] => {
  const [what, sku, nodeId] = item.pk.split('#');
  if (what !== 'LEDGER' || sku === undefined || nodeId === undefined) return [];
  const shared = { sku, nodeId, kind: textIn(item, 'kind'), reference: textIn(item, 'reference') };
  const shards = item.shards as ({ shard: number } & Partial<Quantities>)[] | undefined;
  if (shards === undefined) return [{ ...shared, shard: 0, ...quantitiesIn(item) }];
  return shards.map((deltas) => ({ ...shared, shard: deltas.shard, ...quantitiesIn(deltas as unknown as Item) }));
};

const placeOf = ({ sku, nodeId, shard }: { sku: string; nodeId: string; shard: number }): string =>
  shard === 0 ? `${sku} at ${nodeId}` : `${sku} at ${nodeId}, shard ${shard}`;

const sumOf = (entries: readonly LedgerEntry[]): Quantities =>
  Object.fromEntries(
    QUANTITIES.map((quantity) => [quantity, total(entries, (entry) => entry[quantity])]),
  ) as Quantities;

const driftOf = (level: Level, entries: readonly LedgerEntry[]): string[] => {
  const sums = sumOf(entries);
  const { onHand, reserved, allocated, damaged, qualityHold, available } = level;
  const promisable = onHand - reserved - allocated - damaged - qualityHold;
  return [
    ...QUANTITIES.filter((quantity) => level[quantity] !== sums[quantity]).map(
      (quantity) => `${quantity} is ${level[quantity]}, the ledger says ${sums[quantity]}`,
    ),
    ...(level.version === entries.length ? [] : [`version is ${level.version}, after ${entries.length} entries`]),
    ...(available === promisable
      ? []
      : [`available is ${available}, onHand - reserved - allocated - unavailable is ${promisable}`]),
    ...(['allocated', 'reserved', 'damaged', 'qualityHold', 'onlineOnly'] as const)
      .filter((quantity) => level[quantity] < 0)
      .map((quantity) => `${quantity} is ${level[quantity]}`),
  ];
};

/** A balance that is not the sum of its ledger, and what it would be. */
export interface Drift {
  level: Level;
  details: string[];
  rebuilt: Quantities & { version: number };
}

/** Every balance is the sum of its ledger, in each quantity and shard, and its version the number of entries (I2, I4). */
export const stockDrifts = (levels: readonly Level[], entries: readonly LedgerEntry[]): Drift[] => {
  const ledgers = Map.groupBy(entries, placeOf);
  const known = new Set(levels.map(placeOf));
  const none = { ...sumOf([]), version: 0, shards: 1 };
  const unopened = [...ledgers]
    .filter(([place]) => !known.has(place))
    .map(([, ledger]): Level => {
      const { sku, nodeId, shard } = ledger[0]!;
      return { sku, nodeId, shard, ...none };
    });
  const shards = new Map(levels.filter(({ shard }) => shard === 0).map((level) => [placeOf(level), level.shards]));
  return [...levels, ...unopened].flatMap((level) => {
    const ledger = ledgers.get(placeOf(level)) ?? [];
    const isUnopened = !known.has(placeOf(level));
    const isBeyond = level.shard >= (shards.get(placeOf({ ...level, shard: 0 })) ?? 1);
    const details = [
      ...(isUnopened ? [`has ${ledger.length} ledger entries and no balance`] : driftOf(level, ledger)),
      ...(isBeyond && level.onHand !== 0 ? [`${level.onHand} units lie on a shard that nobody looks at`] : []),
    ];
    return details.length === 0 ? [] : [{ level, details, rebuilt: { ...sumOf(ledger), version: ledger.length } }];
  });
};

export const findingsOf = (drifts: readonly Drift[]): Finding[] =>
  drifts.flatMap(({ level, details }) => details.map((detail) => finding('stock', placeOf(level), detail)));

export const stockDrift = (levels: readonly Level[], entries: readonly LedgerEntry[]): Finding[] =>
  findingsOf(stockDrifts(levels, entries));

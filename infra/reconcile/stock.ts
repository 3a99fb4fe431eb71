import { type Finding, finding, type Item, numberIn, textIn, total } from './finding.ts';

export interface Level {
  sku: string;
  nodeId: string;
  onHand: number;
  reserved: number;
  allocated: number;
  unavailable: number;
  available: number;
  version: number;
}

export interface LedgerEntry {
  sku: string;
  nodeId: string;
  /** `ALLOCATE`, `RELEASE`, `CONSUME` belong to an allocation, whose id is the reference. */
  kind: string;
  onHand: number;
  allocated: number;
  available: number;
  reference: string;
}

const afterHash = (key: string): string => key.slice(key.indexOf('#') + 1);

export const levelOf = (item: Item): Level | undefined =>
  item.pk.startsWith('SKU#') && item.sk.startsWith('NODE#')
    ? {
        sku: afterHash(item.pk),
        nodeId: afterHash(item.sk),
        onHand: numberIn(item, 'onHand'),
        reserved: numberIn(item, 'reserved'),
        allocated: numberIn(item, 'allocated'),
        unavailable: numberIn(item, 'unavailable'),
        available: numberIn(item, 'available'),
        version: numberIn(item, 'version'),
      }
    : undefined;

export const ledgerEntryOf = (item: Item): LedgerEntry | undefined => {
  const [kind, sku, nodeId] = item.pk.split('#');
  if (kind !== 'LEDGER' || sku === undefined || nodeId === undefined) return undefined;
  return {
    ...{ sku, nodeId },
    kind: textIn(item, 'kind'),
    onHand: numberIn(item, 'onHand'),
    allocated: numberIn(item, 'allocated'),
    available: numberIn(item, 'available'),
    reference: textIn(item, 'reference'),
  };
};

const placeOf = ({ sku, nodeId }: { sku: string; nodeId: string }): string => `${sku} at ${nodeId}`;

const QUANTITIES = ['onHand', 'allocated', 'available'] as const;

const driftOf = (level: Level, entries: readonly LedgerEntry[]): string[] => {
  const sums = QUANTITIES.map((quantity) => [quantity, total(entries, (entry) => entry[quantity])] as const);
  const promisable = level.onHand - level.reserved - level.allocated - level.unavailable;
  return [
    ...sums
      .filter(([quantity, sum]) => level[quantity] !== sum)
      .map(([quantity, sum]) => `${quantity} is ${level[quantity]}, the ledger says ${sum}`),
    ...(level.version === entries.length ? [] : [`version is ${level.version}, after ${entries.length} entries`]),
    ...(level.available === promisable
      ? []
      : [`available is ${level.available}, onHand - reserved - allocated - unavailable is ${promisable}`]),
    ...(level.allocated < 0 ? [`allocated is ${level.allocated}`] : []),
  ];
};

/** Every balance is the sum of its ledger, in each quantity, and its version the number of entries (I4). */
export const stockDrift = (levels: readonly Level[], entries: readonly LedgerEntry[]): Finding[] => {
  const ledgers = Map.groupBy(entries, placeOf);
  const known = new Set(levels.map(placeOf));
  return [
    ...levels.flatMap((level) =>
      driftOf(level, ledgers.get(placeOf(level)) ?? []).map((detail) => finding('stock', placeOf(level), detail)),
    ),
    ...[...ledgers]
      .filter(([place]) => !known.has(place))
      .map(([place, ledger]) => finding('stock', place, `has ${ledger.length} ledger entries and no balance`)),
  ];
};

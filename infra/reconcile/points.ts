import { type Finding, finding, type Item, numberIn, textIn, total } from './finding.ts';

export interface PointsBalance {
  customerId: string;
  pending: number;
  available: number;
  version: number;
}

export interface PointsEntry {
  customerId: string;
  kind: string;
  orderId: string;
  pending: number;
  available: number;
}

const customerIn = ({ pk }: Item): string => pk.slice('CUSTOMER#'.length);

export const balanceOf = (item: Item): PointsBalance | undefined =>
  item.pk.startsWith('CUSTOMER#') && item.sk === 'BALANCE'
    ? {
        customerId: customerIn(item),
        pending: numberIn(item, 'pending'),
        available: numberIn(item, 'available'),
        version: numberIn(item, 'version'),
      }
    : undefined;

export const pointsEntryOf = (item: Item): PointsEntry | undefined =>
  item.pk.startsWith('CUSTOMER#') && item.sk.startsWith('ENTRY#')
    ? {
        customerId: customerIn(item),
        kind: textIn(item, 'kind'),
        orderId: textIn(item, 'orderId'),
        pending: numberIn(item, 'pending'),
        available: numberIn(item, 'available'),
      }
    : undefined;

const driftOf = (balance: PointsBalance, entries: readonly PointsEntry[]): string[] => [
  ...(['pending', 'available'] as const)
    .map((quantity) => [quantity, total(entries, (entry) => entry[quantity])] as const)
    .filter(([quantity, sum]) => balance[quantity] !== sum)
    .map(([quantity, sum]) => `${quantity} is ${balance[quantity]}, the ledger says ${sum}`),
  ...(balance.version === entries.length ? [] : [`version is ${balance.version}, after ${entries.length} entries`]),
];

/** Every balance is the sum of its entries, and no order brought points twice (I4, I9). */
export const pointsDrift = (balances: readonly PointsBalance[], entries: readonly PointsEntry[]): Finding[] => {
  const ledgers = Map.groupBy(entries, ({ customerId }) => customerId);
  const known = new Set(balances.map(({ customerId }) => customerId));
  const booked = Map.groupBy(entries, ({ kind, orderId }) => `${kind} of ${orderId}`);
  return [
    ...balances.flatMap((balance) =>
      driftOf(balance, ledgers.get(balance.customerId) ?? []).map((detail) =>
        finding('points', `customer ${balance.customerId}`, detail),
      ),
    ),
    ...[...ledgers.keys()]
      .filter((customerId) => !known.has(customerId))
      .map((customerId) => finding('points', `customer ${customerId}`, 'has entries and no balance')),
    ...[...booked]
      .filter(([, twice]) => twice.length > 1)
      .map(([subject, twice]) => finding('points', subject, `was booked ${twice.length} times`)),
  ];
};

import type * as z from 'zod';
import { type Change, change, changedMeanwhile, fact, put, update } from '../../shared/change.ts';
import { DUE_ATTRIBUTES, dueAt } from '../../shared/due.ts';
import type { Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import loyalty, { type PointsEntry } from './contract.ts';
import { deltasOf, type PointsDeltas, type PointsEntryKind, type PointsLot } from './domain.ts';

const TABLE = 'loyalty';

const pkOf = (customerId: string): string => `CUSTOMER#${customerId}`;
const balanceKey = (customerId: string): Key => ({ pk: pkOf(customerId), sk: 'BALANCE' });
const lotKey = ({ customerId, orderId }: Pick<PointsLot, 'customerId' | 'orderId'>): Key => ({
  pk: pkOf(customerId),
  sk: `LOT#${orderId}`,
});
const ENTRY_PREFIX = 'ENTRY#';

interface LotItem extends PointsLot, Key {
  status: 'PENDING' | 'AVAILABLE';
}

/** A balance that was never written is zero, and so is what a balance was never changed by. */
export const balanceOf = async (tables: Tables, customerId: string): Promise<PointsDeltas & { version: number }> => ({
  pending: 0,
  available: 0,
  version: 0,
  ...(await tables.get<PointsDeltas & { version: number }>(TABLE, balanceKey(customerId))),
});

export const entriesOf = (
  tables: Tables,
  customerId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<z.infer<typeof PointsEntry>>> =>
  tables.query(TABLE, { pk: pkOf(customerId), startsWith: ENTRY_PREFIX, newestFirst: true, ...page });

export const lotOf = (tables: Tables, lot: Pick<PointsLot, 'customerId' | 'orderId'>): Promise<LotItem | undefined> =>
  tables.get(TABLE, lotKey(lot));

export const lotAt = (tables: Tables, key: Key): Promise<LotItem | undefined> => tables.get(TABLE, key);

/** The balance, which may not fall below zero, and the ledger entry whose key makes it happen once (rule 1). */
const bookingParts = (
  kind: PointsEntryKind,
  { customerId, orderId, points }: PointsLot,
  at: Instant,
): Part<'changed-meanwhile'>[] => {
  const deltas = deltasOf(kind, points);
  const guards: Guard[] =
    deltas.pending < 0 ? [{ guard: 'at-least', attribute: 'pending', units: -deltas.pending }] : [];
  return [
    update(
      TABLE,
      balanceKey(customerId),
      { add: { ...deltas, version: 1 } },
      guards,
      changedMeanwhile('the balance of points'),
    ),
    put(
      TABLE,
      { pk: pkOf(customerId), sk: `${ENTRY_PREFIX}${at}#${kind}#${orderId}`, kind, orderId, ...deltas, at },
      [{ guard: 'once' }],
      changedMeanwhile('the ledger of points'),
    ),
  ];
};

/** Books what an order earned. The lot is its natural key: an order earns once, whoever says again that it did. */
export const earn = (lot: PointsLot, completedAt: Instant): Change<'changed-meanwhile'> => {
  const { customerId, orderId, points, maturesAt } = lot;
  const key = lotKey(lot);
  return change(
    [
      put(
        TABLE,
        { ...key, ...lot, status: 'PENDING', ...dueAt(maturesAt, orderId) },
        [{ guard: 'once' }],
        changedMeanwhile(`what ${orderId} earned`),
      ),
      ...bookingParts('EARN', lot, completedAt),
    ],
    [fact(loyalty.emits.PointsEarned, `points-lot/${orderId}`, 1, { customerId, orderId, points, maturesAt })],
  );
};

/** Moves a lot from pending to available, once, by its state. */
export const mature = (lot: PointsLot): Change<'changed-meanwhile'> =>
  change([
    update(
      TABLE,
      lotKey(lot),
      { set: { status: 'AVAILABLE' }, remove: DUE_ATTRIBUTES },
      [{ guard: 'one-of', attribute: 'status', values: ['PENDING'] }],
      changedMeanwhile(`what ${lot.orderId} earned`),
    ),
    ...bookingParts('MATURE', lot, lot.maturesAt),
  ]);

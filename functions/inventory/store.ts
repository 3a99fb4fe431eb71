import type * as z from 'zod';
import { put, update } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import { type Movement, type MovementKind, NODES_MAX, type StockLevel } from './contract.ts';
import { deltasOf } from './domain.ts';

const TABLE = 'inventory';

export type StockLevelItem = z.infer<typeof StockLevel>;
export type MovementItem = z.infer<typeof Movement>;

export const levelKey = (sku: string, nodeId: string): Key => ({ pk: `SKU#${sku}`, sk: `NODE#${nodeId}` });
const ledgerPk = (sku: string, nodeId: string): string => `LEDGER#${sku}#${nodeId}`;

/** Levels of a SKU at every node: one query. A level opened by DynamoDB's ADD lacks what never changed: it is 0. */
export const levelsOf = async (tables: Tables, sku: string): Promise<StockLevelItem[]> => {
  const { items } = await tables.query<Partial<StockLevelItem>>(TABLE, { pk: `SKU#${sku}`, limit: NODES_MAX });
  return items.map(
    (item) => ({ onHand: 0, reserved: 0, allocated: 0, unavailable: 0, available: 0, ...item }) as StockLevelItem,
  );
};

export const movementsOf = (
  tables: Tables,
  sku: string,
  nodeId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<MovementItem>> => tables.query(TABLE, { pk: ledgerPk(sku, nodeId), ...page });

export interface Move<K extends MovementKind = MovementKind> {
  sku: string;
  nodeId: string;
  kind: K;
  /** Signed for an adjustment, positive for everything else. */
  units: number;
  /** Identity of the movement within its ledger: the second write of it is refused. */
  movementId: string;
  reference: string;
  reason?: string | undefined;
}

const NEVER_BELOW_ZERO = ['available', 'allocated', 'onHand'] as const;

/** A receipt takes nothing away, so it cannot be refused for want of stock. */
export type MoveRefusal<K extends MovementKind> = K extends 'RECEIPT'
  ? 'changed-meanwhile'
  : 'changed-meanwhile' | 'insufficient-stock';

/**
 * A movement as two parts of a transaction: the balance, which may not fall below zero, and the ledger entry, whose
 * key makes it happen at most once.
 */
export const moveParts = <K extends MovementKind>(move: Move<K>, cause: Cause): Part<MoveRefusal<K>>[] => {
  const { sku, nodeId, kind, units, movementId, reference, reason } = move;
  const deltas = deltasOf(kind, units);
  const guards: Guard[] = NEVER_BELOW_ZERO.filter((quantity) => deltas[quantity] < 0).map((attribute) => ({
    guard: 'at-least',
    attribute,
    units: -deltas[attribute],
  }));
  const changed = Object.fromEntries(Object.entries(deltas).filter(([, delta]) => delta !== 0));
  const parts: Part<MoveRefusal<'CONSUME'>>[] = [
    update(
      TABLE,
      levelKey(sku, nodeId),
      {
        // Whoever opens a level describes it; saying it again changes nothing and costs nothing.
        set: kind === 'RECEIPT' || kind === 'ADJUSTMENT' ? { sku, nodeId } : {},
        add: { ...changed, version: 1 },
      },
      guards,
      { problem: 'insufficient-stock', detail: `fewer than ${Math.abs(units)} of ${sku} are there at ${nodeId}` },
    ),
    put(
      TABLE,
      {
        pk: ledgerPk(sku, nodeId),
        sk: movementId,
        ...{ sku, nodeId, kind, ...deltas, reference, reason, actor: cause.actor, at: cause.now },
      },
      [{ guard: 'absent' }],
      { problem: 'changed-meanwhile', detail: `${movementId} of ${sku} at ${nodeId} was booked before` },
    ),
  ];
  return parts as Part<MoveRefusal<K>>[];
};

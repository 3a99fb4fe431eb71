import { type Finding, finding, total } from './finding.ts';
import { isOpen, type OrderPart, type OrderRecord } from './orders.ts';
import type { LedgerEntry } from './stock.ts';

const ALLOCATION_KINDS = new Set(['ALLOCATE', 'RELEASE', 'CONSUME']);

/** `ord_01J…-2` is the second fulfilment of the order `ord_01J…`. */
const orderIdOf = (allocationId: string): string => allocationId.slice(0, allocationId.lastIndexOf('-'));

/** What is promised is promised to an order that is under way, and no promise was kept or taken back twice (I3). */
const heldByNobody = (entries: readonly LedgerEntry[], orders: ReadonlyMap<string, OrderRecord>): Finding[] =>
  [...Map.groupBy(entries, ({ reference, sku, nodeId }) => `${reference} of ${sku} at ${nodeId}`)].flatMap(
    ([subject, ledger]) => {
      const units = total(ledger, ({ allocated }) => allocated);
      if (units === 0) return [];
      if (units < 0) return [finding('allocations', subject, `was resolved more than once (${units} units)`)];
      const orderId = orderIdOf(ledger[0]!.reference);
      const order = orders.get(orderId);
      if (order !== undefined && isOpen(order)) return [];
      const whose = order === undefined ? 'an order that does not exist' : `an order that is ${order.status}`;
      return [finding('allocations', subject, `${units} units are promised to ${whose}`)];
    },
  );

const allocatedFor = (part: OrderPart, sku: string, kind: string, entries: readonly LedgerEntry[]): number =>
  total(entries, (entry) =>
    entry.kind === kind && entry.sku === sku && entry.nodeId === part.nodeId ? Math.abs(entry.allocated) : 0,
  );

/** Each part of an order was promised its units when it was planned; a part that was fulfilled has taken them. */
const promisedNothing = (order: OrderRecord, byReference: ReadonlyMap<string, LedgerEntry[]>): Finding[] =>
  order.fulfilments.flatMap((part) => {
    const entries = byReference.get(part.fulfilmentOrderId) ?? [];
    const kinds = part.outcome === 'FULFILLED' ? ['ALLOCATE', 'CONSUME'] : ['ALLOCATE'];
    return part.lines.flatMap(({ sku, units }) =>
      kinds
        .map((kind) => ({ kind, booked: allocatedFor(part, sku, kind, entries) }))
        .filter(({ booked }) => booked < units)
        .map(({ kind, booked }) =>
          finding(
            'allocations',
            `${part.fulfilmentOrderId} of ${sku} at ${part.nodeId}`,
            `the order has ${units} units, the ledger has ${kind} of ${booked}`,
          ),
        ),
    );
  });

export const allocationDrift = (entries: readonly LedgerEntry[], orders: readonly OrderRecord[]): Finding[] => {
  const ofAllocations = entries.filter(({ kind }) => ALLOCATION_KINDS.has(kind));
  const byReference = Map.groupBy(ofAllocations, ({ reference }) => reference);
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  return [...heldByNobody(ofAllocations, byId), ...orders.flatMap((order) => promisedNothing(order, byReference))];
};

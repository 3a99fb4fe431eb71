import { change, fact } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import type { Runtime } from '../../shared/runtime.ts';
import inventory from './contract.ts';
import { sumBySku } from './domain.ts';
import { levelsOf, movementsOf, moveParts } from './store.ts';

export const handlers = ({ tables, newId }: Runtime): OperationHandlers<typeof inventory> => ({
  availability: async ({ sku }, { now }) => {
    const nodes = await levelsOf(tables, sku);
    return reply({ sku, available: nodes.reduce((total, node) => total + node.available, 0), nodes, asOf: now });
  },

  levels: async ({ sku }, { now }) => reply({ items: await levelsOf(tables, sku), asOf: now }),

  ledger: async ({ sku, nodeId, limit, cursor }) => reply(await movementsOf(tables, sku, nodeId, { limit, cursor })),

  receive: async ({ nodeId, lines, reference }, { cause }) => {
    const receiptId = newId('movement');
    const received = sumBySku(lines);
    const parts = received.flatMap((line) =>
      moveParts({ ...line, nodeId, kind: 'RECEIPT', movementId: receiptId, reference: reference ?? receiptId }, cause),
    );
    return reply(
      { receiptId, nodeId, lines: received },
      change(parts, [fact(inventory.emits.StockAdjusted, `movement/${receiptId}`, 1, { nodeId, lines: received })]),
    );
  },

  adjust: async ({ nodeId, sku, unitsDelta, reason }, { cause }) => {
    const adjustmentId = newId('movement');
    const parts = moveParts(
      { sku, nodeId, kind: 'ADJUSTMENT', units: unitsDelta, movementId: adjustmentId, reference: adjustmentId, reason },
      cause,
    );
    return reply(
      { adjustmentId, nodeId, sku, unitsDelta },
      change(parts, [
        fact(inventory.emits.StockAdjusted, `movement/${adjustmentId}`, 1, {
          nodeId,
          lines: [{ sku, units: unitsDelta }],
        }),
      ]),
    );
  },
});

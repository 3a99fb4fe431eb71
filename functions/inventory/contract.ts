import * as z from 'zod';
import { anyone, scope } from '../../shared/auth.ts';
import { capability, event, operation } from '../../shared/contract.ts';
import { freeText, Id, NodeId, pageOf, paging, Sentence, Sku, Units } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

/** Nodes that one answer covers. */
export const NODES_MAX = 1_000;
/** Lines of one receipt, so that it fits into one transaction. */
const LINES_MAX = 40;

/** Whole units of one SKU at one node. `available` is what may still be promised. */
export const StockLevel = z
  .object({
    sku: Sku,
    nodeId: NodeId,
    onHand: z.int(),
    reserved: z.int(),
    allocated: z.int(),
    unavailable: z.int(),
    available: z.int(),
    version: z.int().meta({ description: 'Number of changes since the level was opened' }),
  })
  .meta({ id: 'StockLevel' });

const MOVEMENT_KINDS = ['RECEIPT', 'ADJUSTMENT', 'ALLOCATE', 'RELEASE', 'CONSUME'] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/** One immutable entry of the stock ledger: by how much each quantity changed, why, by whom and when. */
export const Movement = z
  .object({
    sku: Sku,
    nodeId: NodeId,
    kind: z.enum(MOVEMENT_KINDS),
    onHand: z.int(),
    allocated: z.int(),
    available: z.int(),
    reference: Sentence.meta({ description: 'What it belongs to: an order, a receipt, a count' }),
    reason: Sentence.optional(),
    actor: Sentence,
    at: InstantSchema,
  })
  .meta({ id: 'StockMovement' });

const StockLine = z.strictObject({ sku: Sku, units: Units });
export type StockLine = z.infer<typeof StockLine>;

const Availability = z
  .object({
    sku: Sku,
    available: z.int().meta({ description: 'Sum over the nodes' }),
    nodes: z.array(z.object({ nodeId: NodeId, available: z.int(), version: z.int() })).max(NODES_MAX),
    asOf: InstantSchema,
  })
  .meta({ id: 'Availability' });

const MovementsAtNode = z.object({ nodeId: NodeId, lines: z.array(z.object({ sku: Sku, units: z.int() })) });
const AllocationFact = z.object({
  allocationId: Id,
  nodeId: NodeId,
  lines: z.array(z.object({ sku: Sku, units: Units })),
});

export default capability({
  name: 'inventory',
  summary: 'One stock: what every node holds of every SKU, what is promised, and the ledger of every change.',
  table: { indexes: {} },
  operations: {
    availability: operation({
      route: 'GET /v1/availability/{sku}',
      access: anyone(),
      summary: 'Units of one SKU that may be promised now, over all nodes.',
      input: z.object({ sku: Sku }),
      output: Availability,
      problems: [],
    }),
    levels: operation({
      route: 'GET /v1/stock/{sku}',
      access: scope('inventory:read'),
      summary: 'All quantities of one SKU at every node that ever held it.',
      input: z.object({ sku: Sku }),
      output: z.object({ items: z.array(StockLevel).max(NODES_MAX), asOf: InstantSchema }),
      problems: [],
    }),
    ledger: operation({
      route: 'GET /v1/stock/{sku}/nodes/{nodeId}/movements',
      access: scope('inventory:read'),
      summary: 'The ledger of one SKU at one node.',
      input: z.object({ sku: Sku, nodeId: NodeId, ...paging }),
      output: pageOf(Movement),
      problems: [],
    }),
    receive: operation({
      route: 'POST /v1/nodes/{nodeId}/receipts',
      access: scope('inventory:write'),
      summary: 'Book goods that arrived at a node.',
      input: z.object({
        nodeId: NodeId,
        lines: z.array(StockLine).min(1).max(LINES_MAX),
        reference: freeText(64).optional(),
      }),
      output: z.object({ receiptId: Id, nodeId: NodeId, lines: z.array(StockLine).max(LINES_MAX) }),
      problems: [],
      status: 201,
    }),
    adjust: operation({
      route: 'POST /v1/nodes/{nodeId}/adjustments',
      access: scope('inventory:write'),
      summary: 'Correct the units on hand of a SKU, with a reason.',
      input: z.object({
        nodeId: NodeId,
        sku: Sku,
        unitsDelta: z
          .int()
          .min(-1_000_000)
          .max(1_000_000)
          .refine((units) => units !== 0, { error: 'must not be 0' }),
        reason: freeText(200),
      }),
      output: z.object({ adjustmentId: Id, nodeId: NodeId, sku: Sku, unitsDelta: z.int() }),
      problems: ['insufficient-stock'],
      status: 201,
    }),
  },
  emits: {
    StockCommitted: event('inventory.stock-committed.v1', AllocationFact, 'Units were promised to an order.'),
    StockReleased: event('inventory.stock-released.v1', AllocationFact, 'A promise was taken back.'),
    StockAdjusted: event('inventory.stock-adjusted.v1', MovementsAtNode, 'Units on hand changed, by signed units.'),
  },
  grants: { api: { tables: { inventory: ['GetItem', 'Query', 'PutItem', 'UpdateItem'], outbox: ['PutItem'] } } },
});

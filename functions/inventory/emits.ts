import * as z from 'zod';
import { emittedBy, event } from '../../shared/contract.ts';
import { Id, NodeId, Sentence, Sku, Units } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

/** Where a shopper buys. Only the till (`pos`) sells what stands before the customer; every other channel promises. */
export const SALES_CHANNELS = ['web', 'app', 'pos', 'kiosk', 'marketplace', 'social', 'live', 'agent'] as const;
export const SalesChannel = z.enum(SALES_CHANNELS);
export type SalesChannel = z.infer<typeof SalesChannel>;

/** What is counted of one SKU at one node, in whole units. */
export const QUANTITIES = [
  'onHand',
  'reserved',
  'allocated',
  'damaged',
  'qualityHold',
  'available',
  'onlineOnly',
] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** What can happen to stock; what each does to the quantities is one table, in domain/movements.ts. */
export const MOVEMENT_KINDS = [
  'RECEIPT',
  'RETURN',
  'SALE',
  'RESERVE',
  'UNRESERVE',
  'ALLOCATE',
  'RELEASE',
  'CONSUME',
  'TRANSFER_OUT',
  'TRANSFER_IN',
  'COUNT',
  'CORRECTION',
  'DAMAGE',
  'QUALITY_HOLD',
  'ONLINE_ONLY',
  'REBALANCE',
] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

const StockLine = z.strictObject({ sku: Sku, units: Units });
export type StockLine = z.infer<typeof StockLine>;

const Lines = z.array(z.object({ sku: Sku, units: Units }));
const AllocationFact = z.object({ allocationId: Id, nodeId: NodeId, lines: Lines });
const HoldFact = z.object({
  holdId: Id,
  lines: z.array(z.object({ sku: Sku, nodeId: NodeId, units: Units })),
});
const Place = { sku: Sku, nodeId: NodeId };

export const emits = emittedBy('inventory', {
  StockReserved: event(
    'inventory.stock-reserved.v1',
    HoldFact.extend({ heldUntil: InstantSchema }),
    'Units were held for a shopper, until a moment.',
  ),
  HoldReleased: event(
    'inventory.hold-released.v1',
    HoldFact.extend({ outcome: z.enum(['COMMITTED', 'RELEASED', 'EXPIRED']) }),
    'A hold came to its end: ordered, given back, or run out.',
  ),
  StockCommitted: event('inventory.stock-committed.v1', AllocationFact, 'Units were promised to an order.'),
  StockReleased: event('inventory.stock-released.v1', AllocationFact, 'A promise was taken back.'),
  StockAdjusted: event(
    'inventory.stock-adjusted.v1',
    z.object({ nodeId: NodeId, lines: z.array(z.object({ sku: Sku, units: z.int() })) }),
    'Units on hand changed, by signed units.',
  ),
  StockLow: event(
    'inventory.stock-low.v1',
    z.object({ ...Place, available: z.int(), lowAt: z.int() }),
    'Available units fell to the threshold or below: once per crossing.',
  ),
  LowStockSuspected: event(
    'inventory.low-stock-suspected.v1',
    z.object({ levels: z.array(z.object(Place)) }),
    'Available units of something with a threshold changed; inventory looks whether it was crossed.',
  ),
  DiscrepancyFound: event(
    'inventory.discrepancy-found.v1',
    z.object({ ...Place, discrepancyId: Id, units: Units, cause: Sentence }),
    'More left a node than was there by the books: it was accepted, and somebody has to look.',
  ),
  DriftDetected: event(
    'inventory.drift-detected.v1',
    z.object({ ...Place, shard: z.int(), detail: Sentence }),
    'A balance is not the sum of its ledger.',
  ),
});

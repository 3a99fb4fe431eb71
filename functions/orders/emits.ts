import * as z from 'zod';
import { event } from '../../shared/contract.ts';
import { Id, NodeId, Sku, Units } from '../../shared/input.ts';
import { MoneySchema } from '../../shared/money.ts';
import { InstantSchema } from '../../shared/time.ts';
import { CHOICES } from '../carts/contract.ts';
import { CustomerId } from '../customers/contract.ts';

/**
 * What orders publish, apart from the contract: orders and fulfilment listen to each other, and two contracts that
 * import each other cannot be loaded. So fulfilment's contract reads these from here, and orders' contract reads
 * fulfilment's contract.
 */

/** How the customer gets the goods. */
export const Choice = z.enum(CHOICES);
export type Choice = z.infer<typeof Choice>;

export const Storage = z.enum(['AMBIENT', 'COLD']);

const UnitsOfSku = z.object({ sku: Sku, units: Units });

const whose = {
  orderId: Id,
  customerId: CustomerId,
  channelId: z
    .string()
    .optional()
    .meta({ description: 'The channel that placed it for its buyer; absent for our own' }),
};

const Placed = z.object({
  ...whose,
  choice: Choice,
  addressId: Id.optional().meta({ description: 'Where to; the address itself stays with customers' }),
  pickupNodeId: NodeId.optional(),
  lines: z.array(z.object({ sku: Sku, units: Units, storage: Storage })),
  fulfilments: z
    .array(
      z.object({
        fulfilmentOrderId: Id.meta({ description: 'Id of the stock allocation, too' }),
        nodeId: NodeId,
        lines: z.array(UnitsOfSku),
        reason: z.string(),
        promise: z.object({ by: InstantSchema, text: z.string() }),
      }),
    )
    .meta({ description: 'The plan: which node supplies what, and why. Its stock is allocated already.' }),
  total: MoneySchema,
});
/** Data of `order.placed.v1`: everything that fulfilment, loyalty and payments need. */
export type Placed = z.infer<typeof Placed>;

export const emits = {
  OrderPlaced: event('order.placed.v1', Placed, 'An order is paid for and may be fulfilled.'),
  OrderCancelled: event(
    'order.cancelled.v1',
    z.object({ ...whose, reason: z.enum(['unpaid', 'not-supplied']) }),
    'Nothing of the order was or will be fulfilled: it was not paid in time, or no node could supply it.',
  ),
  OrderCompleted: event(
    'order.completed.v1',
    z.object({
      ...whose,
      fulfilled: MoneySchema.meta({
        description: 'Price of the units that reached the customer: what may be captured',
      }),
      completedAt: InstantSchema,
    }),
    'Every unit of the order was fulfilled or cancelled, and at least one was fulfilled.',
  ),
};

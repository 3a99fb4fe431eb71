import * as z from 'zod';
import { customer } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';
import { freeText, Id, LocalizedText, NodeId, Sentence, Sku } from '../../shared/input.ts';
import { MoneySchema } from '../../shared/money.ts';
import { InstantSchema } from '../../shared/time.ts';
import { SalesChannel } from '../inventory/emits.ts';

/** How the customer gets the goods. Orders and fulfilment take the words from here. */
export const CHOICES = ['HOME_DELIVERY', 'SAME_DAY', 'DAWN', 'PICKUP'] as const;
const Choice = z.enum(CHOICES);

/** As many as an order takes in one transaction (ADR 2). */
export const LINES_MAX = 40;
const CartUnits = z.int().min(1).max(999);

/** How the customer wants to get it. */
export const Delivery = z
  .discriminatedUnion('choice', [
    z.object({ choice: z.enum(['HOME_DELIVERY', 'SAME_DAY', 'DAWN']), addressId: Id }),
    z.object({ choice: z.literal('PICKUP'), nodeId: NodeId }),
  ])
  .meta({ id: 'Delivery' });
export type Delivery = z.infer<typeof Delivery>;

/** A line with what the catalog says of it now. One that is no longer on sale has no price and counts for nothing. */
const CartLine = z
  .object({
    sku: Sku,
    units: CartUnits,
    sellable: z.boolean(),
    productId: Id.optional(),
    name: LocalizedText.optional(),
    options: z.record(freeText(32), freeText(64)).optional(),
    unitPrice: MoneySchema.optional(),
    total: MoneySchema.optional(),
    tax: MoneySchema.optional().meta({ description: 'VAT that the total includes' }),
  })
  .meta({ id: 'CartLine' });

/** The cart as it stands and what it costs now. `total` is absent while nothing in it can be sold. */
export const PricedCart = z
  .object({
    cartId: Id.optional().meta({ description: 'Absent until the customer’s first cart' }),
    lines: z.array(CartLine).max(LINES_MAX),
    units: z.int(),
    total: MoneySchema.optional(),
    tax: MoneySchema.optional().meta({ description: 'VAT that the total includes' }),
    delivery: Delivery.optional(),
    holdId: Id.optional().meta({ description: 'The last hold of its goods; see GET /v1/holds/{holdId}' }),
    version: z.int(),
  })
  .meta({ id: 'Cart' });
export type PricedCart = z.infer<typeof PricedCart>;

const DeliveryOption = z
  .object({
    choice: Choice,
    available: z.boolean(),
    nodeId: NodeId.optional().meta({ description: 'Where to collect' }),
    promise: z.object({ by: InstantSchema, text: Sentence }).optional(),
    reason: Sentence,
  })
  .meta({ id: 'DeliveryOption' });

/** Where the customer buys: which buffers, pools and pilots of the stock apply. */
const OwnChannel = SalesChannel.exclude(['pos', 'marketplace'])
  .default('web')
  .meta({ description: 'Where it is bought' });

export default capability({
  name: 'carts',
  summary: 'One cart a customer, the same on every device and in every channel.',
  table: { indexes: {} },
  operations: {
    current: operation({
      route: 'GET /v1/carts/current',
      access: customer(),
      summary: 'The cart with names, prices and totals of this moment.',
      input: z.object({}),
      output: PricedCart,
      problems: [],
    }),
    setLine: operation({
      route: 'PUT /v1/carts/current/lines/{sku}',
      access: customer(),
      summary: 'Have so many units of a SKU in the cart.',
      input: z.object({ sku: Sku, units: CartUnits }),
      output: PricedCart,
      problems: ['not-sellable'],
    }),
    removeLine: operation({
      route: 'DELETE /v1/carts/current/lines/{sku}',
      access: customer(),
      summary: 'Take a SKU out of the cart.',
      input: z.object({ sku: Sku }),
      output: PricedCart,
      problems: [],
    }),
    chooseDelivery: operation({
      route: 'PUT /v1/carts/current/delivery',
      access: customer(),
      summary: 'Choose a way of fulfilment: PICKUP takes a nodeId, every other an addressId.',
      input: z.object({ choice: Choice, addressId: Id.optional(), nodeId: NodeId.optional() }),
      output: PricedCart,
      problems: ['not-found', 'not-deliverable'],
    }),
    hold: operation({
      route: 'PUT /v1/carts/current/hold',
      access: customer(),
      summary: 'Keep the goods at the nodes that would supply them, while the customer pays. Ordering takes them over.',
      input: z.object({ holdSeconds: z.int().min(1).max(3600).default(600), channel: OwnChannel }),
      output: z.object({ cart: PricedCart, heldUntil: InstantSchema }),
      problems: ['cart-empty', 'delivery-not-chosen', 'not-sellable', 'sold-out', 'not-deliverable', 'wrong-state'],
    }),
    deliveryOptions: operation({
      route: 'GET /v1/carts/current/delivery-options',
      access: customer(),
      summary: 'Every way of fulfilment for what is in the cart: whether it is possible, by when, and why not.',
      input: z.object({ addressId: Id.optional(), channel: OwnChannel }),
      output: z.object({ items: z.array(DeliveryOption).max(20) }),
      problems: ['not-found', 'cart-empty', 'not-sellable'],
    }),
  },
  grants: {
    api: {
      tables: {
        carts: ['GetItem', 'PutItem'],
        catalog: ['GetItem'],
        customers: ['GetItem'],
        network: ['GetItem', 'Query'],
        inventory: ['GetItem', 'Query', 'Query:due', 'PutItem', 'UpdateItem'],
        outbox: ['PutItem'],
      },
    },
  },
});

import * as z from 'zod';
import { customer, scope } from '../../shared/auth.ts';
import { capability, operation, task } from '../../shared/contract.ts';
import { Id, NodeId, pageOf, paging, Sentence, Sku, Units } from '../../shared/input.ts';
import { CurrencyCode, MoneySchema } from '../../shared/money.ts';
import { InstantSchema } from '../../shared/time.ts';
import { CustomerId, NewAddress } from '../customers/contract.ts';
import fulfilment from '../fulfilment/contract.ts';
import { SalesChannel } from '../inventory/emits.ts';
import { Choice, emits } from './emits.ts';

/** As many as a cart holds: all stock of an order is promised in ONE transaction of at most 100 writes. */
const ORDER_LINES_MAX = 40;
/** An order is split into few parts, and each is given to another node only as often as there are nodes. */
const FULFILMENTS_MAX = 1_000;
/** How long an unpaid order keeps its stock. */
export const PAY_WITHIN_SECONDS = 15 * 60;

const ORDER_STATUSES = ['PENDING_PAYMENT', 'PLACED', 'PROCESSING', 'COMPLETED', 'CANCELLED', 'EXPIRED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

const UnitsOfSku = z.object({ sku: Sku, units: Units });

/** What the buyer was shown. Charging another amount without saying so is refused. */
const ExpectedTotal = MoneySchema.optional().meta({
  description: 'The total that the buyer saw. Another total is refused instead of charged.',
});

/** Where the buyer buys: which buffers, pools and pilots of the stock apply. */
const OwnChannel = SalesChannel.exclude(['pos', 'marketplace'])
  .default('web')
  .meta({ description: 'Where it is bought' });
const PartnerChannel = SalesChannel.exclude(['pos']).default('marketplace').meta({ description: 'Where it is bought' });

const HoldId = Id.optional().meta({
  description: "A hold of your own whose units the order takes over; a cart's own hold needs no mention",
});

const Fulfilment = z.object({
  fulfilmentOrderId: Id,
  nodeId: NodeId,
  lines: z.array(UnitsOfSku).max(ORDER_LINES_MAX),
  reason: Sentence.meta({ description: 'Why this node supplies it' }),
  outcome: z
    .enum(['FULFILLED', 'CANCELLED', 'REPLACED'])
    .optional()
    .meta({ description: 'Absent while work is under way; REPLACED: another node took over' }),
});

export const Order = z
  .object({
    orderId: Id,
    status: z.enum(ORDER_STATUSES),
    choice: Choice,
    lines: z
      .array(
        z.object({
          sku: Sku,
          units: Units,
          unitPrice: MoneySchema,
          total: MoneySchema,
          tax: MoneySchema.meta({ description: 'Tax inside the total' }),
        }),
      )
      .max(ORDER_LINES_MAX),
    total: MoneySchema,
    tax: MoneySchema,
    promise: z.object({ deliverBy: InstantSchema.optional(), readyBy: InstantSchema.optional(), text: Sentence }),
    fulfilments: z.array(Fulfilment).max(FULFILMENTS_MAX),
    payBy: InstantSchema.meta({ description: 'An order that is not paid by then expires and gives its stock back' }),
  })
  .meta({ id: 'Order', description: 'Prices are fixed at purchase; amounts include tax' });

/** A channel's own name for an order. */
const Reference = z
  .string()
  .max(64)
  .regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters');

const AdminOrder = Order.extend({
  customerId: CustomerId,
  channelId: Id.optional(),
  reference: Reference.optional(),
  placedAt: InstantSchema.optional().meta({ description: 'When it was paid' }),
  version: z.int(),
}).meta({ id: 'AdminOrder' });

/** No underscore: the customer's id is `<channelId>_<buyer>`, and two pairs may not give one id. */
const BuyerReference = z
  .string()
  .max(36)
  .regex(/^[A-Za-z0-9-]{1,36}$/, 'must be 1 to 36 letters, digits or dashes');

export default capability({
  name: 'orders',
  summary: 'From a cart to a paid promise: one order, its prices, the stock it was promised and how it ended.',
  table: { indexes: { byCustomer: { project: 'keys' }, due: { project: 'keys' } } },
  operations: {
    place: operation({
      route: 'POST /v1/orders',
      access: customer(),
      summary: 'Turn the cart into an order: prices and stock are fixed now, payment is due within 15 minutes.',
      input: z.object({
        cartId: Id,
        expectedTotal: ExpectedTotal,
        channel: OwnChannel,
        holdId: HoldId,
      }),
      output: Order,
      problems: [
        'not-found',
        'cart-empty',
        'delivery-not-chosen',
        'not-sellable',
        'price-changed',
        'sold-out',
        'not-deliverable',
      ],
      status: 201,
    }),
    placeForChannel: operation({
      route: 'POST /v1/channel-orders',
      access: scope('orders:import'),
      summary: "Place an order for a channel's buyer; one order per channel and reference.",
      input: z.object({
        reference: Reference,
        buyer: z.strictObject({ reference: BuyerReference }),
        currency: CurrencyCode.optional().meta({ description: 'Refused if the prices are in another currency' }),
        expectedTotal: ExpectedTotal,
        channel: PartnerChannel,
        holdId: HoldId,
        lines: z
          .array(z.strictObject({ sku: Sku, units: z.int().min(1).max(999) }))
          .min(1)
          .max(ORDER_LINES_MAX),
        delivery: z.discriminatedUnion('choice', [
          z.strictObject({ choice: Choice.exclude(['PICKUP']), shipTo: NewAddress }),
          z.strictObject({ choice: z.literal('PICKUP'), nodeId: NodeId }),
        ]),
      }),
      output: Order,
      problems: ['not-found', 'already-exists', 'not-sellable', 'price-changed', 'sold-out', 'not-deliverable'],
      status: 201,
    }),
    order: operation({
      route: 'GET /v1/orders/{orderId}',
      access: scope('shop', 'orders:import'),
      summary: 'An order of your own.',
      input: z.object({ orderId: Id }),
      output: Order,
      problems: ['not-found'],
    }),
    orders: operation({
      route: 'GET /v1/orders',
      access: customer(),
      summary: 'Your orders, newest first.',
      input: z.object(paging),
      output: pageOf(Order),
      problems: [],
    }),
    anyOrder: operation({
      route: 'GET /v1/admin/orders/{orderId}',
      access: scope('orders:read'),
      summary: "Anybody's order, for staff.",
      input: z.object({ orderId: Id }),
      output: AdminOrder,
      problems: ['not-found'],
    }),
  },
  emits,
  listens: {
    Allocated: fulfilment.emits.Allocated,
    Accepted: fulfilment.emits.Accepted,
    Delivered: fulfilment.emits.Delivered,
    Collected: fulfilment.emits.Collected,
    Incomplete: fulfilment.emits.Incomplete,
  },
  // The order knows its own plan: only what replaces a part of it is news.
  onlyWith: { Allocated: ['replaces'] },
  tasks: {
    expireUnpaid: task({ summary: 'Give back the stock of orders that were not paid in time.', everyMinutes: 1 }),
  },
  grants: {
    api: {
      tables: {
        orders: ['GetItem', 'Query:byCustomer', 'PutItem'],
        carts: ['GetItem', 'PutItem'],
        catalog: ['GetItem'],
        customers: ['GetItem', 'PutItem', 'ConditionCheckItem'],
        network: ['Query'],
        inventory: ['GetItem', 'Query', 'Query:due', 'PutItem', 'UpdateItem'],
        outbox: ['PutItem'],
      },
    },
    events: { tables: { orders: ['GetItem', 'PutItem', 'UpdateItem'], outbox: ['PutItem'] } },
    tasks: {
      tables: {
        orders: ['GetItem', 'Query:due', 'UpdateItem'],
        inventory: ['GetItem', 'PutItem', 'UpdateItem'],
        outbox: ['PutItem'],
      },
    },
  },
});

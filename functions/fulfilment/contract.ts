import * as z from 'zod';
import { node, scope } from '../../shared/auth.ts';
import { capability, event, operation, task } from '../../shared/contract.ts';
import { freeText, Id, NodeId, pageOf, paging, Sentence, Sku, Units } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';
import { CustomerId } from '../customers/contract.ts';
import { Choice, emits as orders, Storage } from '../orders/emits.ts';

export const STATUSES = ['SCHEDULED', 'OPEN', 'IN_PROGRESS', 'CLOSED', 'INCOMPLETE', 'CANCELLED'] as const;
export type Status = (typeof STATUSES)[number];

export const WORK = [
  'ALLOCATED',
  'ACCEPTED',
  'REJECTED',
  'TIMED_OUT',
  'PICKED',
  'PACKED',
  'DISPATCHED',
  'DELIVERED',
  'READY',
  'COLLECTED',
  'EXPIRED',
] as const;
export type Work = (typeof WORK)[number];

export const METHODS = ['SHIP', 'COLLECT'] as const;
export type Method = (typeof METHODS)[number];

/** As many as an order has. */
const LINES_MAX = 40;
/** Of one order, those that were given to other nodes included. */
const FULFILMENT_ORDERS_MAX = 1_000;

const Lines = z.array(z.object({ sku: Sku, units: Units }));

const SourcedLine = z.object({
  sku: Sku,
  units: Units,
  storage: Storage.meta({ description: 'COLD goods stay in the cold chain' }),
});
export type SourcedLine = z.infer<typeof SourcedLine>;

const Promised = z
  .object({ by: InstantSchema, text: Sentence })
  .meta({ id: 'Promise', description: 'When it is delivered, or ready to be collected, at the latest' });

/** Work at one node for one order. What a node refuses becomes a new one elsewhere, never a changed one. */
export const FulfilmentOrder = z
  .object({
    fulfilmentOrderId: Id.meta({ description: 'Id of its stock allocation, too' }),
    orderId: Id,
    nodeId: NodeId,
    choice: Choice,
    method: z.enum(METHODS),
    lines: z.array(SourcedLine).max(LINES_MAX),
    reason: Sentence.meta({ description: 'Why this node supplies it' }),
    promise: Promised,
    status: z.enum(STATUSES),
    work: z.enum(WORK),
    answerBy: InstantSchema.meta({ description: 'Another node is asked unless this one has accepted by then' }),
    replaces: Id.optional().meta({ description: 'The fulfilment order whose node did not supply these lines' }),
    rejection: Sentence.optional().meta({ description: 'What the node said when it rejected' }),
    createdAt: InstantSchema,
    updatedAt: InstantSchema,
    version: z.int(),
  })
  .meta({ id: 'FulfilmentOrder' });

export type FulfilmentOrder = z.infer<typeof FulfilmentOrder>;

/** A part of a paid order's plan, as its workflow carries it to the task that puts the work on record. */
const PlannedWork = z.object({
  orderId: Id,
  customerId: CustomerId,
  addressId: Id.optional(),
  choice: Choice,
  nodeId: NodeId,
  lines: z.array(SourcedLine).max(LINES_MAX),
  reason: Sentence,
  promise: Promised,
  answerBy: InstantSchema,
  partsPlanned: z.int().positive().meta({ description: 'Parts of the whole plan, which are numbered from 1' }),
  cause: z
    .object({ correlationId: z.string(), causationId: z.string() })
    .meta({ description: 'The conversation, and the event that asked for the work' }),
});
export type PlannedWork = z.infer<typeof PlannedWork>;

/** What kept a node from it: goods that are not where the books say, or anything else. */
export const REJECTION_CAUSES = ['NOT_FOUND', 'DAMAGED', 'BUSY', 'OTHER'] as const;

const which = { fulfilmentOrderId: Id, orderId: Id, nodeId: NodeId };
const Done = z.object({ ...which, lines: Lines });
const Given = z.object({
  ...which,
  lines: Lines.meta({ description: 'Units that nobody will supply; their stock is available again' }),
  reason: z.string(),
});

const Allocated = z.object({
  ...which,
  choice: Choice,
  method: z.enum(METHODS),
  lines: z.array(SourcedLine),
  reason: z.string(),
  promise: Promised,
  answerBy: InstantSchema,
  replaces: Id.optional().meta({ description: 'The fulfilment order that these lines were taken from' }),
});

/** Events by what they are of: a fulfilment order, or a pickup. Subject `fulfilment-order/<id>` or `pickup/<id>`. */
const emits = {
  Allocated: event('fulfilment-order.allocated.v1', Allocated, 'A node was chosen, and its stock is promised.'),
  Accepted: event('fulfilment-order.accepted.v1', z.object(which), 'The node does the work.'),
  Rejected: event(
    'fulfilment-order.rejected.v1',
    z.object({ ...which, lines: Lines, cause: z.enum(REJECTION_CAUSES) }),
    'The node does not; another one is looked for.',
  ),
  Picked: event('fulfilment-order.picked.v1', z.object(which), 'The goods are off the shelf.'),
  Packed: event('fulfilment-order.packed.v1', z.object(which), 'The parcel is ready for the carrier.'),
  Dispatched: event('fulfilment-order.dispatched.v1', Done, 'The parcel left the node.'),
  Delivered: event('fulfilment-order.delivered.v1', Done, 'The parcel reached the customer.'),
  Incomplete: event('fulfilment-order.incomplete.v1', Given, 'No node can supply these units.'),
  Ready: event('pickup.ready.v1', z.object(which), 'The goods wait for the customer.'),
  Collected: event('pickup.collected.v1', Done, 'The customer has the goods.'),
  Expired: event('pickup.expired.v1', z.object(which), 'The customer did not come in time.'),
};

const byId = { fulfilmentOrderId: Id };

/** Work that is on record, taken over from another node, or only planned so far. */
const WantedWork = z.object({ ...byId, planned: PlannedWork.optional() });
export type WantedWork = z.infer<typeof WantedWork>;

/** A step of the work; what each may follow and does is ONE table, in domain.ts. */
const step = <const A extends string, const P extends 'insufficient-stock' = never>(
  action: A,
  summary: string,
  problems: readonly P[] = [],
) =>
  operation({
    route: `POST /v1/fulfilment-orders/{fulfilmentOrderId}/${action}`,
    access: node('fulfilment:work'),
    summary,
    input: z.object(byId),
    output: FulfilmentOrder,
    problems: ['not-found', 'wrong-state', ...problems],
  });

export default capability({
  name: 'fulfilment',
  summary: 'Which node supplies an order and why, and the work there until the customer has the goods.',
  table: { indexes: { byNode: { project: 'keys' } } },
  operations: {
    worklist: operation({
      route: 'GET /v1/nodes/{nodeId}/fulfilment-orders',
      access: node('fulfilment:work'),
      summary: 'What a node has to do, oldest first.',
      input: z.object({ nodeId: NodeId, ...paging }),
      output: pageOf(FulfilmentOrder),
      problems: ['not-found'],
    }),
    fulfilmentOrder: operation({
      route: 'GET /v1/fulfilment-orders/{fulfilmentOrderId}',
      access: node('fulfilment:work'),
      summary: 'One fulfilment order of your node.',
      input: z.object(byId),
      output: FulfilmentOrder,
      problems: ['not-found'],
    }),
    ofOrder: operation({
      route: 'GET /v1/orders/{orderId}/fulfilment-orders',
      access: scope('shop', 'orders:import', 'orders:read'),
      summary: 'How an order is fulfilled: your own, or any with orders:read.',
      input: z.object({ orderId: Id }),
      output: z.object({ items: z.array(FulfilmentOrder).max(FULFILMENT_ORDERS_MAX) }),
      problems: ['not-found'],
    }),
    accept: step('accept', 'Take the work on.'),
    reject: operation({
      ...step('reject', 'Refuse the work, with a reason: another node is looked for.'),
      input: z.object({ ...byId, reason: freeText(200), cause: z.enum(REJECTION_CAUSES).default('OTHER') }),
    }),
    pick: step('pick', 'The goods are off the shelf.'),
    pack: step('pack', 'The parcel is packed.'),
    dispatch: step('dispatch', 'The carrier took the parcel: its stock has left the node.', ['insufficient-stock']),
    deliver: step('deliver', 'The parcel reached the customer.'),
    ready: step('ready', 'The goods wait to be collected.'),
    collect: step('collect', 'The customer took the goods: they have left the node.', ['insufficient-stock']),
  },
  emits,
  listens: {
    OrderPlaced: orders.OrderPlaced,
    Allocated: emits.Allocated,
    Accepted: emits.Accepted,
    Rejected: emits.Rejected,
    Delivered: emits.Delivered,
    Collected: emits.Collected,
  },
  // A paid order starts the workflow of its work, and that tells of the work; this is for what another node takes over.
  onlyWith: { Allocated: ['replaces'] },
  tasks: {
    offer: task({
      summary: 'Put the work on record, open to its node, and wait for the answer.',
      input: WantedWork,
    }),
    awaitDone: task({ summary: 'Wait until the customer has the goods.', input: z.object(byId) }),
    resource: task({ summary: 'Find other nodes for what a node did not take on.', input: WantedWork }),
    restock: task({ summary: 'Give back the stock of a pickup that nobody came for.', input: z.object(byId) }),
  },
  grants: {
    api: {
      tables: {
        fulfilment: ['GetItem', 'Query', 'Query:byNode', 'PutItem', 'UpdateItem'],
        inventory: ['GetItem', 'PutItem', 'UpdateItem'],
        outbox: ['PutItem'],
        orders: ['GetItem'],
      },
    },
    events: {
      tables: { fulfilment: ['GetItem'], network: ['Query'] },
      workflow: ['StartExecution', 'SendTaskSuccess'],
    },
    tasks: {
      tables: {
        fulfilment: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
        outbox: ['PutItem'],
        inventory: ['GetItem', 'Query', 'PutItem', 'UpdateItem'],
        network: ['Query'],
        customers: ['GetItem'],
      },
      workflow: ['SendTaskSuccess'],
    },
  },
});

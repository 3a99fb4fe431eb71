import { type Principal, scopeInToken, worksAt } from '../../shared/auth.ts';
import { type Change, change, type Fact, fact } from '../../shared/change.ts';
import { type OperationHandlers, type Request, reply } from '../../shared/http.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import { consume } from '../inventory/parts.ts';
import { type OrderSnapshot, orderOf } from '../orders/parts.ts';
import fulfilment, { type REJECTION_CAUSES } from './contract.ts';
import { type Action, allocationOf, type FulfilmentWork, take } from './domain.ts';
import { changedPart, fulfilmentOrdersOf, getFulfilmentOrder, worklistOf } from './store.ts';

const { emits } = fulfilment;

/** What each step tells the world: the goods reached somebody with their lines, the rest by id. */
const FACTS = {
  accept: emits.Accepted,
  reject: emits.Rejected,
  pick: emits.Picked,
  pack: emits.Packed,
  dispatch: emits.Dispatched,
  deliver: emits.Delivered,
  ready: emits.Ready,
  collect: emits.Collected,
} as const satisfies Record<Action, unknown>;

type RejectionCause = (typeof REJECTION_CAUSES)[number];
type StepInput = { fulfilmentOrderId: string; reason?: string; cause?: RejectionCause };

const PICKUP_FACTS: ReadonlySet<Action> = new Set(['ready', 'collect']);

const factOf = (action: Action, order: FulfilmentWork, cause: RejectionCause): Fact => {
  const { fulfilmentOrderId, orderId, nodeId, version } = order;
  const lines = order.lines.map(({ sku, units }) => ({ sku, units }));
  const subject = `${PICKUP_FACTS.has(action) ? 'pickup' : 'fulfilment-order'}/${fulfilmentOrderId}`;
  const data = { fulfilmentOrderId, orderId, nodeId, lines, cause };
  return fact(FACTS[action], subject, version, data);
};

/** The fulfilment order, if it is the principal's node's. Another node's looks like a missing one. */
const ownOrder = async (
  tables: Tables,
  id: string,
  principal: Principal,
): Promise<Result<FulfilmentWork, 'not-found'>> => {
  const order = await getFulfilmentOrder(tables, id);
  return order !== undefined && worksAt(principal, order.nodeId)
    ? ok(order)
    : refuse('not-found', `there is no fulfilment order ${id} at your node`);
};

const mayRead = ({ scopes, id }: Principal, order: OrderSnapshot): boolean =>
  scopes.has(scopeInToken('orders:read')) || order.customerId === id || order.channelId === id;

export const handlers = ({ tables }: Runtime): OperationHandlers<typeof fulfilment> => {
  const perform = async <P extends 'insufficient-stock' | 'changed-meanwhile' = never>(
    action: Action,
    { fulfilmentOrderId, reason, cause = 'OTHER' }: StepInput,
    { principal, now }: Request,
    alongside: (order: FulfilmentWork) => Promise<Change<P>[]> = async () => [],
  ) => {
    const found = await ownOrder(tables, fulfilmentOrderId, principal);
    if (!found.ok) return found;
    const taken = take(found.value, action, now, reason);
    if (!taken.ok) return taken;
    const order = taken.value;
    const changes: Change<P | 'changed-meanwhile'>[] = [
      change([changedPart(order)], [factOf(action, order, cause)]),
      ...(await alongside(order)),
    ];
    return reply(order, ...changes);
  };

  const step = (action: Action) => (input: StepInput, request: Request) => perform(action, input, request);
  /** The goods leave the node in the transaction that says so. */
  const handOver = (action: Action) => (input: StepInput, request: Request) =>
    perform(action, input, request, async (order) => [await consume(tables, allocationOf(order), request.cause)]);

  return {
    worklist: async ({ nodeId, limit, cursor }, { principal }) =>
      worksAt(principal, nodeId)
        ? reply(await worklistOf(tables, nodeId, { limit, cursor }))
        : refuse('not-found', `${nodeId} is not your node`),

    fulfilmentOrder: async ({ fulfilmentOrderId }, { principal }) => {
      const found = await ownOrder(tables, fulfilmentOrderId, principal);
      return found.ok ? reply(found.value) : found;
    },

    ofOrder: async ({ orderId }, { principal }) => {
      const order = await orderOf(tables, orderId);
      if (order === undefined || !mayRead(principal, order)) return refuse('not-found', `there is no order ${orderId}`);
      return reply({ items: await fulfilmentOrdersOf(tables, orderId) });
    },

    accept: step('accept'),
    reject: step('reject'),
    pick: step('pick'),
    pack: step('pack'),
    dispatch: handOver('dispatch'),
    deliver: step('deliver'),
    ready: step('ready'),
    collect: handOver('collect'),
  };
};

import { randomBytes } from 'node:crypto';
import customers from '../../functions/customers/contract.ts';
import { type Address, rememberAddress, sealerFrom } from '../../functions/customers/parts.ts';
import { handlers } from '../../functions/fulfilment/api.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import { handlers as reactionHandlers } from '../../functions/fulfilment/events.ts';
import type { Workflow } from '../../functions/fulfilment/step-functions.ts';
import { handlers as taskHandlers } from '../../functions/fulfilment/tasks.ts';
import type { WorkflowInput } from '../../functions/fulfilment/workflow.ts';
import inventory from '../../functions/inventory/contract.ts';
import { totalsOf } from '../../functions/inventory/domain/availability.ts';
import { allocate, happened, stockOf } from '../../functions/inventory/parts.ts';
import { levelsOf } from '../../functions/inventory/store/levels.ts';
import network from '../../functions/network/contract.ts';
import type { NetworkNode } from '../../functions/network/parts.ts';
import { nodePart } from '../../functions/network/store.ts';
import orders from '../../functions/orders/contract.ts';
import type { Choice, Placed } from '../../functions/orders/emits.ts';
import { createOrder } from '../../functions/orders/store.ts';
import type { Change } from '../../shared/change.ts';
import type { Envelope } from '../../shared/outbox.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { type Answer, apiOf, listenerOf, outboxOf, staffCaller, taskRunnerOf } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';
import { NOW, SEOUL } from './network.ts';

export const atNode = (nodeId: string) => staffCaller(nodeId, 'fulfilment:work');
export const homeInSeoul: Address = {
  ...{ recipient: '받는 이', phone: '+82 10-0000-0000', line1: '세종대로 1', city: '서울', postalCode: '04524' },
  country: 'KR',
  location: SEOUL,
};

const PRICE = { amountMinor: 1000, currency: 'KRW' };

/** What an order wants of which node: `{ 'dc-1': { TEE: 2 } }`. */
type Wanted = Record<string, Record<string, number>>;
const linesOf = (units: Record<string, number>) => Object.entries(units).map(([sku, some]) => ({ sku, units: some }));

/** The floors of some nodes on the real engine: work arrives as orders are placed. Time moves by hand. */
export const openFloor = async (given?: Workflow) => {
  const engine = await startTestEngine(network, inventory, customers, orders, fulfilment);
  const clock = { nowMs: Date.parse(NOW) };
  const runtime: Runtime = engine.runtime(clock);
  const { tables } = runtime;
  const starts: WorkflowInput[] = [];
  const answers: { token: string; answer: string }[] = [];
  const workflow: Workflow = given ?? {
    start: async (input) => void starts.push(input),
    answer: async (token, { answer }) => void answers.push({ token, answer }),
  };
  const call = apiOf(fulfilment, handlers(runtime), runtime);
  const hear = listenerOf(fulfilment, reactionHandlers(runtime, workflow), runtime);
  const run = taskRunnerOf(fulfilment, taskHandlers(runtime, workflow), runtime);
  const sealer = sealerFrom(randomBytes);
  const cause = { actor: 'test', correlationId: 'test', now: NOW };
  let lastOrder = 0;
  let lastReceipt = 0;

  const commit = async (...changes: Change[]) => {
    const committed = await commitChanges(runtime, cause, changes);
    if (!committed.ok) throw new Error(committed.refusal.detail);
  };

  const openNode = (nodeId: string, more: Partial<NetworkNode> = {}) =>
    commit({
      parts: [
        nodePart({
          ...{ nodeId, name: { ko: nodeId }, kind: 'STORE', location: SEOUL, timeZone: 'Asia/Seoul', hours: [] },
          ...{ abilities: ['SHIP', 'PICKUP'], answerWithinSeconds: 1800, shipDays: 1, status: 'OPEN', version: 1 },
          ...more,
        }),
      ],
      facts: [],
    });

  const receive = async (nodeId: string, units: Record<string, number>) => {
    for (const line of linesOf(units)) {
      lastReceipt += 1;
      const movement = { ...line, nodeId, kind: 'RECEIPT' as const, movementId: `r${lastReceipt}`, reference: 'test' };
      const { parts } = await happened(tables, [movement], cause, { subject: 'receipt/test', version: lastReceipt });
      await commit({ parts, facts: [] });
    }
  };

  /** An order that is paid: its stock is promised as it asks, and the event says so. */
  const place = async (wanted: Wanted, more: Partial<Placed> = {}): Promise<{ orderId: string; placed: Envelope }> => {
    lastOrder += 1;
    const orderId = `ord_${lastOrder}`;
    const choice: Choice = more.choice ?? 'HOME_DELIVERY';
    const fulfilments = Object.entries(wanted).map(([nodeId, units], index) => ({
      ...{ fulfilmentOrderId: `${orderId}-${index + 1}`, nodeId, lines: linesOf(units), reason: 'a test says so' },
      promise: { by: '2026-11-20T13:00:00.000Z', text: 'delivered by 2026-11-20 22:00' },
    }));
    for (const { fulfilmentOrderId, nodeId, lines } of fulfilments) {
      await commit({ ...allocate([{ allocationId: fulfilmentOrderId, nodeId, lines }], cause), facts: [] });
    }
    const sold = fulfilments.flatMap(({ lines }) => lines.map((line) => ({ ...line, storage: 'AMBIENT' as const })));
    const data: Placed = {
      ...{ orderId, customerId: 'customer-1', choice, lines: sold, fulfilments },
      total: PRICE,
      ...more,
    };
    const placed: Envelope = {
      ...{ specversion: '1.0', id: `order/${orderId}#2`, source: 'ieum.orders', type: 'order.placed.v1', time: NOW },
      ...{ subject: `order/${orderId}`, aggregateversion: 2, actor: 'test', correlationid: 'test' },
      ...{ datacontenttype: 'application/json', data },
    };
    return { orderId, placed };
  };

  const listened = new Set<string>(Object.values(fulfilment.listens).map(({ type }) => type));
  const heard = new Set<string>();

  return {
    ...{ engine, runtime, clock, call, hear, run, starts, answers, openNode, receive, place, commit, cause },
    close: engine.close,

    /** Places an order and runs the first task of each workflow that it starts: the work is there, open to its nodes. */
    work: async (wanted: Wanted, more: Partial<Placed> = {}): Promise<string> => {
      const { orderId, placed } = await place(wanted, more);
      await hear(placed);
      for (const input of starts.filter((start) => start.planned?.orderId === orderId)) {
        await run({ task: 'offer', input, token: `the first of ${input.fulfilmentOrderId}` });
      }
      return orderId;
    },

    /** Takes steps of the work, one after the other, at the node that has it. */
    steps: async (nodeId: string, fulfilmentOrderId: string, ...actions: ('reject' | 'accept' | string)[]) => {
      let answer: Answer | undefined;
      for (const action of actions) {
        const body = action === 'reject' ? { reason: 'damaged' } : {};
        answer = await call(action as 'accept', { as: atNode(nodeId), path: { fulfilmentOrderId }, body });
        if (answer.status !== 200) return answer;
      }
      return answer!;
    },

    /** Brings fulfilment's own events, and whatever they cause, to those who listen, until nothing is new. */
    deliverEvents: async () => {
      for (let found = true; found; ) {
        found = false;
        for (const envelope of await outboxOf(runtime)) {
          const id = `${envelope.type} ${envelope.id}`;
          if (heard.has(id) || !listened.has(envelope.type)) continue;
          heard.add(id);
          found = true;
          await hear(envelope);
        }
      }
    },

    /** Puts an order on record where orders are kept, so that it can be asked whose it is. */
    record: (orderId: string, whose: { customerId: string; channelId?: string }) =>
      commit({
        parts: [
          createOrder({
            ...{
              orderId,
              ...whose,
              status: 'PLACED',
              choice: 'HOME_DELIVERY',
              fulfilments: [],
              payBy: NOW,
              version: 1,
            },
            lines: [{ sku: 'TEE', units: 1, storage: 'AMBIENT', unitPrice: PRICE, taxRatePercent: 10 }],
            total: PRICE,
          }),
        ],
        facts: [],
      }),

    /** Everything said about an order, oldest first. */
    events: async (orderId: string): Promise<Envelope<Record<string, unknown>>[]> =>
      ((await outboxOf(runtime)) as Envelope<Record<string, unknown>>[]).filter(({ data }) => data.orderId === orderId),

    /** `[on hand, allocated, available]` of a SKU at a node. */
    stock: async (nodeId: string, sku: string): Promise<number[]> => {
      const level = (await levelsOf(tables, sku)).find((one) => one.nodeId === nodeId);
      if (level === undefined) return [];
      const { onHand, allocated, available } = totalsOf(level);
      return [onHand, allocated, available];
    },

    available: async (sku: string) =>
      Object.fromEntries((await stockOf(tables, [{ sku }], { now: NOW })).available.get(sku)!),

    remember: async (customerId: string, addressId: string, address: Address = homeInSeoul) =>
      commit(await rememberAddress(tables, sealer, customerId, addressId, address)),
  };
};

export type Floor = Awaited<ReturnType<typeof openFloor>>;

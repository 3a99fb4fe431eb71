import type { Answer } from '../simulation/client.ts';
import { asChannel, asCustomer, associate, home } from '../simulation/shop.ts';
import type { Simulation } from '../simulation/simulation.ts';

/** One customer and one order, as a story that is told step by step. */
export interface Story {
  simulation: Simulation;
  orderId: string;
  cartId: string;
}

export interface Flow {
  /** What has to be there first; nothing crashes meanwhile. */
  before(story: Story): Promise<void>;
  /** Processes die here. */
  armed(story: Story): Promise<void>;
  /** What people do next, when nobody dies any more. */
  after?(story: Story): Promise<void>;
  /** Order and payment in the end, however often somebody died. */
  ends: readonly string[];
}

const CUSTOMER = asCustomer('customer-1');
const MARKET = asChannel('market');

/** Asks as a client does, again and again; what is refused for good is the flow's affair. */
const ask = ({ simulation }: Story, caller: typeof CUSTOMER, request: Parameters<Simulation['clients']['ask']>[1]) =>
  simulation.clients.ask(caller, request);

const must = async (answer: Promise<Answer | undefined>): Promise<Answer['body']> => {
  const given = await answer;
  if (given === undefined || given.status >= 300) throw new Error(`the story stops: ${given?.status} ${given?.text}`);
  return given.body;
};

const fillCart = async (story: Story, choice: 'HOME_DELIVERY' | 'PICKUP'): Promise<void> => {
  await must(ask(story, CUSTOMER, { operation: 'carts.setLine', path: { sku: 'TEE' }, body: { units: 1 } }));
  await must(ask(story, CUSTOMER, { operation: 'carts.setLine', path: { sku: 'CAP' }, body: { units: 1 } }));
  const address = { operation: 'customers.addAddress', body: home(37.5), key: 'address' } as const;
  const delivery =
    choice === 'PICKUP'
      ? { choice, nodeId: 'store-gangnam' }
      : { choice, addressId: (await must(ask(story, CUSTOMER, address))).addressId };
  const cart = await must(ask(story, CUSTOMER, { operation: 'carts.chooseDelivery', body: delivery }));
  story.cartId = cart.cartId;
};

const place = async (story: Story): Promise<void> => {
  const { told } = story.simulation.shop;
  const order = await must(
    ask(story, CUSTOMER, { operation: 'orders.place', body: { cartId: story.cartId }, key: 'place' }),
  );
  story.orderId = order.orderId;
  told.orders.set(order.orderId, { caller: 'customer-1', units: 2, totalMinor: order.total.amountMinor });
};

const placeForChannel = async (story: Story): Promise<void> => {
  const lines = ['TEE', 'CAP', 'TEE'].map((sku) => ({ sku, units: 1 }));
  const delivery = { choice: 'HOME_DELIVERY', shipTo: home(37.5) };
  const body = { reference: 'M-1', buyer: { reference: 'buyer-1' }, lines, delivery };
  story.orderId = (await must(ask(story, MARKET, { operation: 'orders.placeForChannel', body, key: 'place' }))).orderId;
};

const payWith =
  (token: string, caller = CUSTOMER) =>
  async (story: Story): Promise<void> => {
    const { orderId } = story;
    const body = { method: { kind: 'CARD', token } };
    const answer = await ask(story, caller, {
      operation: 'payments.pay',
      path: { orderId },
      body,
      key: `pay-${token}`,
    });
    if (answer?.body.status === 'AUTHORIZED') story.simulation.shop.told.paid.add(orderId);
    if (answer?.body.status !== 'REQUIRES_ACTION') return;
    const path = { orderId, attempt: '1' };
    await ask(story, caller, { operation: 'payments.confirm', path, key: 'confirm' });
  };

const worksOn = async (story: Story) => {
  const answer = await must(
    ask(story, CUSTOMER, { operation: 'fulfilment.ofOrder', path: { orderId: story.orderId } }),
  );
  return answer.items as { fulfilmentOrderId: string; nodeId: string; work: string }[];
};

/** Steps at whichever node has the work; a step that was carried out although its answer was lost is not one. */
const take =
  (...actions: string[]) =>
  async (story: Story): Promise<void> => {
    await story.simulation.cluster.scheduler.sleep(5_000);
    for (const action of actions) {
      for (const { fulfilmentOrderId, nodeId, work } of await worksOn(story)) {
        if (work === 'REJECTED' || work === 'TIMED_OUT') continue;
        const body = action === 'reject' ? { reason: 'damaged' } : {};
        const key = `${action}-${fulfilmentOrderId}`;
        await ask(story, associate(nodeId), {
          operation: `fulfilment.${action}`,
          path: { fulfilmentOrderId },
          body,
          key,
        });
      }
    }
    await story.simulation.cluster.scheduler.sleep(5_000);
  };

const inTurn =
  (...steps: ((story: Story) => Promise<void>)[]) =>
  async (story: Story): Promise<void> => {
    for (const step of steps) await step(story);
  };

const wait =
  (seconds: number) =>
  ({ simulation }: Story) =>
    simulation.cluster.scheduler.sleep(seconds * 1000);
const runDue =
  (place: 'orders.tasks' | 'loyalty.tasks', task: string) =>
  ({ simulation }: Story) =>
    simulation.runTask(place, task);
const cartFor = (choice: 'HOME_DELIVERY' | 'PICKUP') => (story: Story) => fillCart(story, choice);

const ordered = inTurn(cartFor('HOME_DELIVERY'), place);
const collected = inTurn(cartFor('PICKUP'), place, payWith('tok_approve'), take('accept', 'ready'));
const atWork = inTurn(ordered, payWith('tok_approve'), take('accept'));

/** Every flow, with what it comes to whatever happens on the way. */
export const FLOWS: Record<string, Flow> = {
  place: { before: cartFor('HOME_DELIVERY'), armed: place, ends: ['EXPIRED'] },
  'place for a channel': { before: async () => {}, armed: placeForChannel, ends: ['EXPIRED'] },
  'pay, approved': { before: ordered, armed: payWith('tok_approve'), ends: ['COMPLETED CAPTURED', 'EXPIRED FAILED'] },
  'pay, declined': { before: ordered, armed: payWith('tok_decline'), ends: ['EXPIRED FAILED'] },
  'pay, with an action': {
    before: ordered,
    armed: payWith('tok_needs_action'),
    ends: ['COMPLETED CAPTURED', 'EXPIRED FAILED', 'EXPIRED VOIDED'],
  },
  'pay, no answer': {
    before: ordered,
    armed: inTurn(payWith('tok_timeout'), wait(70)),
    ends: ['COMPLETED CAPTURED', 'EXPIRED FAILED', 'EXPIRED VOIDED'],
  },
  allocate: {
    before: ordered,
    armed: inTurn(payWith('tok_approve'), wait(10)),
    ends: ['COMPLETED CAPTURED', 'EXPIRED FAILED'],
  },
  're-source': {
    before: inTurn(ordered, payWith('tok_approve'), wait(10)),
    armed: inTurn(take('reject'), wait(10)),
    after: take('accept'),
    ends: ['COMPLETED CAPTURED'],
  },
  'no answer from the node': {
    before: inTurn(ordered, payWith('tok_approve'), wait(10)),
    armed: wait(150),
    after: take('accept'),
    ends: ['COMPLETED CAPTURED'],
  },
  complete: { before: atWork, armed: take('pick', 'pack', 'dispatch', 'deliver'), ends: ['COMPLETED CAPTURED'] },
  collect: { before: collected, armed: take('collect'), ends: ['COMPLETED CAPTURED'] },
  earn: {
    before: inTurn(atWork, take('pick', 'pack', 'dispatch')),
    armed: inTurn(take('deliver'), wait(7 * 86_400 + 60), runDue('loyalty.tasks', 'mature')),
    ends: ['COMPLETED CAPTURED'],
  },
  expire: {
    before: ordered,
    armed: inTurn(wait(901), runDue('orders.tasks', 'expireUnpaid'), wait(5)),
    ends: ['EXPIRED'],
  },
  'expire while a payment is open': {
    before: inTurn(ordered, async (story) => {
      const body = { method: { kind: 'CARD', token: 'tok_needs_action' } };
      const { orderId } = story;
      await must(ask(story, CUSTOMER, { operation: 'payments.pay', path: { orderId }, body, key: 'pay' }));
    }),
    armed: inTurn(wait(901), runDue('orders.tasks', 'expireUnpaid'), wait(5)),
    ends: ['EXPIRED VOIDED'],
  },
  'nobody collects': { before: collected, armed: wait(7 * 86_400 + 60), ends: ['CANCELLED VOIDED'] },
};

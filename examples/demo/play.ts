import carts from '../../functions/carts/contract.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import network from '../../functions/network/contract.ts';
import { ProblemError } from '../../shared/client.ts';
import type { CloudAccess } from '../access.ts';
import { until } from '../until.ts';
import { Associate, Customer, HeadOffice, type HowToGetIt, type Line, type Order } from './cast.ts';
import { Narrator, type Output, won } from './narrator.ts';
import { STORY_STOCK } from './stock.ts';

export interface DemoOptions {
  access: CloudAccess;
  /** Where it is told; colours and passing lines if it is a terminal. */
  out: Output;
}

/** An order of a story, and whose it is. */
interface Told {
  story: string;
  customer: Customer;
  orderId: string;
}

/** What the stories share: who acts, and where it is told. */
class Stage {
  readonly narrator: Narrator;
  readonly headOffice: HeadOffice;
  readonly told: Told[] = [];
  readonly skus = new Set<string>();
  readonly #access: CloudAccess;

  constructor({ access, out }: DemoOptions) {
    this.#access = access;
    this.narrator = new Narrator(out);
    this.headOffice = new HeadOffice(access);
  }

  customer(n: number): Customer {
    return new Customer(this.#access, n);
  }

  associate(nodeId: string): Associate {
    return new Associate(this.#access, nodeId);
  }

  /** Cart and order, which holds the stock. */
  async place(story: string, customer: Customer, lines: readonly Line[], how: HowToGetIt): Promise<Order> {
    const { narrator } = this;
    for (const { sku } of lines) this.skus.add(sku);
    const cart = await customer.fillCart(lines, how);
    const content = cart.lines.map((line) => `${line.units} × ${line.sku} ${line.name?.en ?? ''}`.trim()).join(', ');
    narrator.step(customer.name, `has ${content} in the cart: ${won(cart.total!)}, ${won(cart.tax!)} VAT inside`);
    const order = await customer.placeOrder(cart);
    this.told.push({ story, customer, orderId: order.orderId });
    narrator.step(customer.name, `places ${order.orderId} for ${order.choice}: ${order.promise.text}`);
    for (const { nodeId, reason } of order.fulfilments) narrator.step(nodeId, 'has its stock promised to it', reason);
    return order;
  }

  async pay(customer: Customer, { orderId }: Order): Promise<void> {
    const payment = await customer.pay(orderId);
    const { status } = await customer.order(orderId);
    this.narrator.step(customer.name, `pays by card: ${payment.status} ${won(payment.amount)}, the order is ${status}`);
  }

  /** Waits for the offer. From here on everything is the node's. */
  async offer(associate: Associate, { orderId }: Order): Promise<{ fulfilmentOrderId: string; reason: string }> {
    const work = await this.narrator.waiting(
      `the workflow offers it to ${associate.nodeId}`,
      associate.offered(orderId),
    );
    this.narrator.step(associate.nodeId, `is offered ${work.fulfilmentOrderId}, to answer by ${work.answerBy}`);
    return work;
  }

  /** Accept, pick, pack, dispatch and deliver. */
  async ship(associate: Associate, fulfilmentOrderId: string): Promise<void> {
    for (const action of ['accept', 'pick', 'pack'] as const) await associate.take(action, fulfilmentOrderId);
    this.narrator.step(associate.nodeId, 'accepts, picks and packs it');
    await associate.take('dispatch', fulfilmentOrderId);
    this.narrator.step(associate.nodeId, 'hands it to the carrier: the units leave its stock');
    await associate.take('deliver', fulfilmentOrderId);
    this.narrator.step('carrier', 'delivers it');
  }

  /** Waits until what follows from the handing-over has happened: completion, capture, points. */
  async complete(customer: Customer, { orderId }: Order): Promise<void> {
    const order = await this.narrator.waiting(
      'the order completes',
      until(`${orderId} to complete`, async () => {
        const now = await customer.order(orderId);
        return now.status === 'COMPLETED' ? { done: now } : { still: `it is ${now.status}` };
      }),
    );
    const payment = await this.narrator.waiting(
      'the payment is captured',
      until(`the payment of ${orderId} to be captured`, async () => {
        const now = await customer.payment(orderId);
        return now.status === 'CAPTURED' ? { done: now } : { still: `it is ${now.status}` };
      }),
    );
    const points = await this.narrator.waiting('points are earned', this.#pointsOf(customer, orderId));
    this.narrator.success(
      `${order.status}: ${won(payment.captured!)} captured, ${points} points pending until it can no longer be returned`,
    );
  }

  #pointsOf(customer: Customer, orderId: string): Promise<number> {
    return until(`the points of ${orderId}`, async () => {
      const { items } = await customer.client(loyalty.operations.entries, {});
      const entry = items.find((one) => one.orderId === orderId);
      return entry === undefined ? { still: `${items.length} other entries` } : { done: entry.pending };
    });
  }
}

/** Stock as the stories need it, however often they were told, and whatever was bought in between. */
const prepare = async ({ headOffice, narrator }: Stage): Promise<void> => {
  const { storeOnly, last } = STORY_STOCK;
  const wanted = [
    ...['TEE-BLK-M', 'MUG-WHT', 'MILK', 'EGGS'].map((sku) => ({ sku, nodeId: 'dc-icheon', units: 10 })),
    ...storeOnly.nodeIds.map((nodeId) => ({ sku: storeOnly.sku, nodeId, units: storeOnly.units })),
    ...['dc-icheon', 'dc-yangsan'].map((nodeId) => ({ sku: storeOnly.sku, nodeId, units: 0, exactly: true })),
    { sku: last.sku, nodeId: last.nodeId, units: last.units, exactly: true },
  ];
  const changed = await Promise.all(wanted.map(async (one) => ({ ...one, delta: await headOffice.stockUp(one) })));
  for (const { delta, sku, nodeId } of changed) {
    if (delta !== 0) narrator.step('head office', `books ${delta > 0 ? '+' : ''}${delta} ${sku} at ${nodeId}`);
  }
};

const homeDelivery = async (stage: Stage): Promise<void> => {
  const story = 'Home delivery';
  stage.narrator.title('1  Home delivery from a distribution centre');
  const customer = stage.customer(1);
  const lines = [
    { sku: 'TEE-BLK-M', units: 2 },
    { sku: 'MUG-WHT', units: 1 },
  ];
  const order = await stage.place(story, customer, lines, { choice: 'HOME_DELIVERY' });
  await stage.pay(customer, order);
  const associate = stage.associate(order.fulfilments[0]!.nodeId);
  const { fulfilmentOrderId } = await stage.offer(associate, order);
  await stage.ship(associate, fulfilmentOrderId);
  await stage.complete(customer, order);
};

/** The last unit belongs to whoever orders first, before paying; nobody else can have it. */
const tooLate = async (stage: Stage, lines: readonly Line[], how: HowToGetIt): Promise<void> => {
  const { narrator } = stage;
  const second = stage.customer(5);
  try {
    await second.placeOrder(await second.fillCart(lines, how));
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 409) throw error;
    const { type, detail } = error.problem;
    narrator.refusal(second.name, 'orders the same a moment later', type.slice(type.lastIndexOf(':') + 1), detail);
    return;
  }
  throw new Error(`${second.name} was sold ${lines[0]!.sku}, whose last unit was promised to somebody else`);
};

const pickup = async (stage: Stage): Promise<void> => {
  const { sku, nodeId } = STORY_STOCK.last;
  stage.narrator.title('2  Pickup in a store: the last unit of a limited edition');
  const customer = stage.customer(2);
  const lines = [{ sku, units: 1 }];
  const how = { choice: 'PICKUP', nodeId } as const;
  const order = await stage.place('Pickup', customer, lines, how);
  await tooLate(stage, lines, how);
  await stage.pay(customer, order);
  const associate = stage.associate(nodeId);
  const { fulfilmentOrderId } = await stage.offer(associate, order);
  for (const action of ['accept', 'pick', 'ready'] as const) await associate.take(action, fulfilmentOrderId);
  stage.narrator.step(nodeId, 'accepts and picks it: it is ready at the counter');
  await associate.take('collect', fulfilmentOrderId);
  stage.narrator.step(customer.name, 'collects it: the unit leaves the stock of the store');
  await stage.complete(customer, order);
};

const shipFromStore = async (stage: Stage): Promise<void> => {
  const { sku } = STORY_STOCK.storeOnly;
  stage.narrator.title('3  Ship from store: the distribution centres are out, and the first store refuses');
  const customer = stage.customer(3);
  const order = await stage.place('Ship from store', customer, [{ sku, units: 1 }], { choice: 'HOME_DELIVERY' });
  await stage.pay(customer, order);
  const first = stage.associate(order.fulfilments[0]!.nodeId);
  const offered = await stage.offer(first, order);
  const rejection = 'the last ones on the shelf are damaged';
  await first.reject(offered.fulfilmentOrderId, rejection);
  stage.narrator.step(first.nodeId, 'refuses it', rejection);
  const next = await stage.narrator.waiting('another node is found', nextNode(customer, order));
  const second = stage.associate(next.nodeId);
  const taken = await stage.offer(second, order);
  stage.narrator.step(second.nodeId, `takes over from ${first.nodeId}`, taken.reason);
  await stage.ship(second, taken.fulfilmentOrderId);
  await stage.complete(customer, order);
};

/** The fulfilment that replaces the one that was refused. */
const nextNode = (customer: Customer, { orderId, fulfilments }: Order): Promise<Order['fulfilments'][number]> => {
  const known = new Set(fulfilments.map(({ fulfilmentOrderId }) => fulfilmentOrderId));
  return until(`another node for ${orderId}`, async () => {
    const now = await customer.order(orderId);
    const added = now.fulfilments.find(({ fulfilmentOrderId }) => !known.has(fulfilmentOrderId));
    return added === undefined ? { still: `the order is ${now.status}` } : { done: added };
  });
};

/** Which ways of getting it there are, and why the others are none. */
const explainChoices = async ({ narrator }: Stage, customer: Customer, lines: readonly Line[]): Promise<void> => {
  await customer.fillCart(lines, { choice: 'DAWN' });
  const addressId = await customer.addressId();
  const { items } = await customer.client(carts.operations.deliveryOptions, { addressId });
  for (const { choice, available, promise, reason } of items) {
    if (available) narrator.step(customer.name, `may choose ${choice}: ${promise?.text ?? ''}`, reason);
    else narrator.step(customer.name, `may not choose ${choice}`, reason);
  }
};

const dawn = async (stage: Stage): Promise<void> => {
  stage.narrator.title('4  Dawn delivery: chilled goods before breakfast');
  const customer = stage.customer(4);
  const lines = [
    { sku: 'MILK', units: 2 },
    { sku: 'EGGS', units: 1 },
  ];
  await explainChoices(stage, customer, lines);
  const order = await stage.place('Dawn delivery', customer, lines, { choice: 'DAWN' });
  await stage.pay(customer, order);
  await cutOffOf(stage, order);
  const associate = stage.associate(order.fulfilments[0]!.nodeId);
  const { fulfilmentOrderId } = await stage.offer(associate, order);
  await stage.ship(associate, fulfilmentOrderId);
  await stage.complete(customer, order);
};

/** Why it is this morning or the next: what the clock at the node says. */
const cutOffOf = async ({ narrator, headOffice }: Stage, { fulfilments }: Order): Promise<void> => {
  const { nodeId } = fulfilments[0]!;
  const { dawn: express, timeZone } = await headOffice.client(network.operations.node, { nodeId });
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' }).format(new Date());
  const { cutOff, deliveredBy } = express!;
  const isInTime = clock <= cutOff;
  narrator.step(
    nodeId,
    isInTime ? `sends it tonight, to be there by ${deliveredBy}` : `sends it tomorrow night`,
    `it is ${clock} there, ${isInTime ? 'before' : 'after'} the cut-off at ${cutOff}`,
  );
};

const tables = async ({ narrator, headOffice, told, skus }: Stage): Promise<void> => {
  const nodeIds = new Set<string>();
  const orders = await Promise.all(
    told.map(async (one) => ({
      ...one,
      order: await one.customer.order(one.orderId),
      payment: await one.customer.payment(one.orderId),
      points: await one.customer.client(loyalty.operations.balance, {}),
    })),
  );
  for (const { order } of orders) for (const { nodeId } of order.fulfilments) nodeIds.add(nodeId);
  const levels = (await Promise.all([...skus].map((sku) => headOffice.levels(sku)))).flat();
  narrator.table(
    'Stock now',
    ['SKU', 'node', 'on hand', 'allocated', 'available'],
    levels
      .filter(({ nodeId }) => nodeIds.has(nodeId))
      .map(({ sku, nodeId, onHand, allocated, available }) => [sku, nodeId, onHand, allocated, available]),
  );
  narrator.table(
    'Orders and payments',
    ['story', 'order', 'status', 'from', 'payment', 'captured'],
    orders.map(({ story, orderId, order, payment }) => [
      ...[story, orderId, order.status],
      order.fulfilments.map(({ nodeId, outcome }) => (outcome === 'REPLACED' ? `(${nodeId})` : nodeId)).join(' → '),
      ...[payment.status, payment.captured === undefined ? '' : won(payment.captured)],
    ]),
  );
  narrator.table(
    'Points',
    ['customer', 'pending', 'available'],
    orders.map(({ customer, points }) => [customer.name, points.pending, points.available]),
  );
};

/**
 * Plays four orders over HTTP, each as its customer, its stores and its payment would, and tells every step with its
 * reason. Needs the demo chain (see `loadDemo`). Every run places new orders; stock is topped up first.
 *
 * @throws Error that says what was waited for in vain; ProblemError where the API refuses what it should not
 */
export const playDemo = async (options: DemoOptions): Promise<void> => {
  const stage = new Stage(options);
  await prepare(stage);
  for (const story of [homeDelivery, pickup, shipFromStore, dawn]) await story(stage);
  await tables(stage);
};

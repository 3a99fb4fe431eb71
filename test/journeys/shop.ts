import {
  type CloudAccess,
  clientOfAnyone,
  clientOfChannel,
  clientOfPerson,
  ensureAccount,
} from '../../examples/access.ts';
import { until } from '../../examples/until.ts';
import carts from '../../functions/carts/contract.ts';
import catalog from '../../functions/catalog/contract.ts';
import customers from '../../functions/customers/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import network from '../../functions/network/contract.ts';
import orders, { type OrderStatus } from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { type Client, ProblemError } from '../../shared/client.ts';
import type { TestCloud } from '../support/cloud.ts';
import { CITY_HALL, NODES } from './chain.ts';

const PASSWORD = 'Ieum-test-2026';

type Line = { sku: string; units: number };
type HowToGetIt = { choice: 'HOME_DELIVERY' | 'DAWN' | 'SAME_DAY' } | { choice: 'PICKUP'; nodeId: string };
export type Step = 'accept' | 'pick' | 'pack' | 'dispatch' | 'deliver' | 'ready' | 'collect';
type Order = Awaited<ReturnType<Customer['order']>>;

/** The problem that a call was refused with; throws where it was not refused. */
export const refusalOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.type.replace('urn:ieum:problem:', '');
    throw error;
  }
  throw new Error('the call was not refused');
};

export const ADDRESS = {
  ...{ recipient: 'A customer', phone: '+82 10-0000-0001', line1: '110 Sejong-daero', city: 'Seoul' },
  ...{ postalCode: '04524', country: 'KR', location: CITY_HALL },
};

/** Somebody who shops, with one address. */
export class Customer {
  readonly username: string;
  readonly client: Client;
  readonly addressId: string;

  constructor(username: string, client: Client, addressId: string) {
    this.username = username;
    this.client = client;
    this.addressId = addressId;
  }

  async fillCart(lines: readonly Line[], how: HowToGetIt = { choice: 'HOME_DELIVERY' }) {
    for (const line of lines) await this.client(carts.operations.setLine, line);
    const where = how.choice === 'PICKUP' ? how : { ...how, addressId: this.addressId };
    return this.client(carts.operations.chooseDelivery, where);
  }

  /** Cart and order, which promises the stock; not paid. */
  async order(lines: readonly Line[], how?: HowToGetIt) {
    const { cartId, total } = await this.fillCart(lines, how);
    return this.client(orders.operations.place, { cartId: cartId!, expectedTotal: total });
  }

  pay(orderId: string, token = 'tok_approve') {
    return this.client(payments.operations.pay, { orderId, method: { kind: 'CARD', token } });
  }

  /** An order that is placed and paid. */
  async buy(lines: readonly Line[], how?: HowToGetIt) {
    const order = await this.order(lines, how);
    await this.pay(order.orderId);
    return order;
  }

  see(orderId: string) {
    return this.client(orders.operations.order, { orderId });
  }

  async payments(orderId: string) {
    return (await this.client(payments.operations.payments, { orderId })).items;
  }

  /** Waits until the order has come so far, and gives it as it is then. */
  sees(orderId: string, status: OrderStatus): Promise<Order> {
    return until(`${orderId} to be ${status}`, async () => {
      const order = await this.see(orderId);
      return order.status === status ? { done: order } : { still: order.status };
    });
  }

  /** Waits until there is work for the order, offered or not. */
  seesWork(orderId: string) {
    return until(`work for ${orderId}`, async () => {
      const { items } = await this.client(fulfilment.operations.ofOrder, { orderId });
      return items.length > 0 ? { done: items } : { still: 'there is none' };
    });
  }

  /** Waits until the last attempt to pay has come so far, and gives it as it is then. */
  seesPayment(orderId: string, status: string) {
    return until(`the payment of ${orderId} to be ${status}`, async () => {
      const payment = (await this.payments(orderId)).at(-1);
      return payment?.status === status ? { done: payment } : { still: String(payment?.status) };
    });
  }
}

/** Somebody who works at one node. */
export class Associate {
  readonly nodeId: string;
  readonly client: Client;

  constructor(nodeId: string, client: Client) {
    this.nodeId = nodeId;
    this.client = client;
  }

  /** Waits until the node is asked to do work for an order. */
  offered(orderId: string) {
    const { client, nodeId } = this;
    return until(`${orderId} on the worklist of ${nodeId}`, async () => {
      const { items } = await client(fulfilment.operations.worklist, { nodeId, limit: 100 });
      const work = items.find((one) => one.orderId === orderId);
      return work?.status === 'OPEN' ? { done: work } : { still: `${work?.status}, among ${items.length}` };
    });
  }

  async take(fulfilmentOrderId: string, ...steps: Step[]): Promise<void> {
    for (const step of steps) await this.client(fulfilment.operations[step], { fulfilmentOrderId });
  }

  reject(fulfilmentOrderId: string) {
    return this.client(fulfilment.operations.reject, { fulfilmentOrderId, reason: 'the last ones are damaged' });
  }

  /** Does everything that it takes to get an order's goods to the door. */
  async deliver(orderId: string): Promise<void> {
    const { fulfilmentOrderId } = await this.offered(orderId);
    await this.take(fulfilmentOrderId, 'accept', 'pick', 'pack', 'dispatch', 'deliver');
  }
}

/** Thrown through a journey that is not worth finishing. */
class Abandoned extends Error {}

/** The chain as its people use it, over HTTP. Everybody brings goods and customers of their own, and so meets nobody. */
export class Chain {
  readonly access: CloudAccess;
  readonly anyone: Client;
  readonly headOffice: Client;
  readonly #signal: AbortSignal | undefined;

  constructor(access: CloudAccess, signal?: AbortSignal) {
    this.access = access;
    this.#signal = signal;
    this.anyone = this.#heeding(clientOfAnyone(access));
    this.headOffice = this.person('head-office');
  }

  #heeding(client: Client): Client {
    return async (...call) => {
      if (this.#signal?.aborted === true) throw new Abandoned();
      return client(...call);
    };
  }

  person(username: string): Client {
    return this.#heeding(clientOfPerson(this.access, username, PASSWORD));
  }

  /** An access token, for requests that no client would send. */
  async tokenOf(username: string): Promise<string> {
    const { identityUrl, screensClientId } = this.access;
    const response = await fetch(identityUrl, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
      body: JSON.stringify({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: screensClientId,
        AuthParameters: { USERNAME: username, PASSWORD },
      }),
    });
    const answer = (await response.json()) as { AuthenticationResult: { AccessToken: string } };
    return answer.AuthenticationResult.AccessToken;
  }

  channel(): Client {
    return this.#heeding(clientOfChannel(this.access));
  }

  /** Accounts of head office and of every node, and the nodes. */
  async open(): Promise<void> {
    const staff = [
      { username: 'head-office', group: 'head-office' as const },
      ...NODES.map(({ nodeId }) => ({ username: nodeId, group: 'associate' as const, nodeId })),
    ];
    for (const account of staff) await this.#account(account);
    for (const node of NODES) await this.headOffice(network.operations.maintain, node);
  }

  #account(account: { username: string; group: 'customer' | 'associate' | 'head-office'; nodeId?: string }) {
    const email = `${account.username}@test.example`;
    return ensureAccount(this.access, { ...account, email, password: PASSWORD });
  }

  associate(nodeId: string): Associate {
    return new Associate(nodeId, this.person(nodeId));
  }

  async customer(): Promise<Customer> {
    const username = `customer-${crypto.randomUUID()}`;
    await this.#account({ username, group: 'customer' });
    const client = this.person(username);
    const { addressId } = await client(customers.operations.addAddress, ADDRESS);
    return new Customer(username, client, addressId);
  }

  /** Publishes goods that nobody else sells, with so many units at each node. Returns the SKU. */
  async goods(
    unitsByNode: Readonly<Record<string, number>>,
    { priceMinor = 10_000, storage = 'AMBIENT' as 'AMBIENT' | 'COLD' } = {},
  ): Promise<string> {
    const sku = `SKU-${crypto.randomUUID()}`;
    await this.headOffice(catalog.operations.publish, {
      productId: `prd-${sku}`,
      name: { ko: sku },
      category: 'test',
      storage,
      variants: [{ sku, price: { amountMinor: priceMinor, currency: 'KRW' }, taxRatePercent: 10 }],
    });
    for (const [nodeId, units] of Object.entries(unitsByNode)) {
      await this.headOffice(inventory.operations.receive, { nodeId, lines: [{ sku, units }] });
    }
    return sku;
  }

  /** Units of a SKU by node: on hand, promised and free. */
  async stock(sku: string): Promise<Record<string, [onHand: number, allocated: number, available: number]>> {
    const { items } = await this.headOffice(inventory.operations.levels, { sku });
    return Object.fromEntries(
      items.map(({ nodeId, onHand, allocated, available }) => [nodeId, [onHand, allocated, available]]),
    );
  }
}

/** The chain on a cloud in this process, where time and functions can be interfered with. */
export class Shop extends Chain {
  readonly world: TestCloud;

  constructor(world: TestCloud, signal?: AbortSignal) {
    super(world.access, signal);
    this.world = world;
  }

  /** The same shop for a journey that may be abandoned. */
  until(signal: AbortSignal): Shop {
    return new Shop(this.world, signal);
  }

  /** Keeps a function from running until the returned call; what comes meanwhile waits, as for a slow network. */
  hold(functionArn: string, isHeld: (event: never) => boolean = () => true): () => void {
    const { functions } = this.world.cloud;
    const { invoke } = functions;
    const released = Promise.withResolvers<void>();
    functions.invoke = async (arn, event) => {
      if (arn === functionArn && isHeld(event as never)) await released.promise;
      return invoke.call(functions, arn, event);
    };
    return () => {
      functions.invoke = invoke;
      released.resolve();
    };
  }
}

/** Journeys by what they show, as business sentences. */
export type Journeys = Readonly<Record<string, (shop: Shop) => Promise<void>>>;

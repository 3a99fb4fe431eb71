import carts from '../../functions/carts/contract.ts';
import customers from '../../functions/customers/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import type { Client } from '../../shared/client.ts';
import { type CloudAccess, clientOfPerson } from '../access.ts';
import { until } from '../until.ts';
import { associateOf, CUSTOMERS, DEMO_PASSWORD, HEAD_OFFICE } from './people.ts';

/** The calls of those who act in the stories, exactly as their own apps would make them. */

export interface Line {
  sku: string;
  units: number;
}

export type HowToGetIt = { choice: 'HOME_DELIVERY' | 'DAWN' | 'SAME_DAY' } | { choice: 'PICKUP'; nodeId: string };

export class Customer {
  readonly name: string;
  readonly client: Client;

  constructor(access: CloudAccess, n: number) {
    const { username } = CUSTOMERS[n - 1]!;
    this.name = `customer ${n}`;
    this.client = clientOfPerson(access, username, DEMO_PASSWORD);
  }

  /** Exactly these lines are in the cart, whatever was left in it, and how to get them is chosen. */
  async fillCart(lines: readonly Line[], how: HowToGetIt) {
    const { client } = this;
    const before = await client(carts.operations.current, {});
    for (const { sku } of before.lines) {
      if (!lines.some((line) => line.sku === sku)) await client(carts.operations.removeLine, { sku });
    }
    for (const line of lines) await client(carts.operations.setLine, line);
    const where = how.choice === 'PICKUP' ? how : { ...how, addressId: await this.addressId() };
    return client(carts.operations.chooseDelivery, where);
  }

  async addressId(): Promise<string> {
    const { items } = await this.client(customers.operations.addresses, {});
    const [address] = items;
    if (address === undefined) throw new Error(`${this.name} has no address: the demo chain is not loaded`);
    return address.addressId;
  }

  placeOrder(cart: Awaited<ReturnType<Customer['fillCart']>>) {
    return this.client(orders.operations.place, { cartId: cart.cartId!, expectedTotal: cart.total });
  }

  pay(orderId: string, token = 'tok_approve') {
    return this.client(payments.operations.pay, { orderId, method: { kind: 'CARD', token } });
  }

  order(orderId: string) {
    return this.client(orders.operations.order, { orderId });
  }

  async payment(orderId: string) {
    const { items } = await this.client(payments.operations.payments, { orderId });
    return items.at(-1)!;
  }
}

export type Order = Awaited<ReturnType<Customer['order']>>;

/** An order that has just been paid reaches its node by the bus and the workflow. */
const OFFER_DEADLINE_SECONDS = 30;
const WORKLIST_MAX = 100;

export class Associate {
  readonly nodeId: string;
  readonly client: Client;

  constructor(access: CloudAccess, nodeId: string) {
    this.nodeId = nodeId;
    this.client = clientOfPerson(access, associateOf(nodeId), DEMO_PASSWORD);
  }

  /** The work that the node is asked to do for an order, as soon as it is on its worklist. */
  offered(orderId: string) {
    const { client, nodeId } = this;
    return until(
      `${orderId} on the worklist of ${nodeId}`,
      async () => {
        const { items } = await client(fulfilment.operations.worklist, { nodeId, limit: WORKLIST_MAX });
        const work = items.find((one) => one.orderId === orderId);
        if (work?.status === 'OPEN') return { done: work };
        return { still: work === undefined ? `${items.length} others are on it` : `it is ${work.status}` };
      },
      OFFER_DEADLINE_SECONDS,
    );
  }

  take(action: 'accept' | 'pick' | 'pack' | 'dispatch' | 'deliver' | 'ready' | 'collect', fulfilmentOrderId: string) {
    return this.client(fulfilment.operations[action], { fulfilmentOrderId });
  }

  reject(fulfilmentOrderId: string, reason: string) {
    return this.client(fulfilment.operations.reject, { fulfilmentOrderId, reason });
  }
}

export class HeadOffice {
  readonly client: Client;

  constructor(access: CloudAccess) {
    this.client = clientOfPerson(access, HEAD_OFFICE, DEMO_PASSWORD);
  }

  async levels(sku: string) {
    return (await this.client(inventory.operations.levels, { sku })).items;
  }

  /** Makes a node have at least, or exactly, so many units to promise; says what it did, if anything. */
  async stockUp(wanted: { sku: string; nodeId: string; units: number; exactly?: boolean }): Promise<number> {
    const { sku, nodeId, units, exactly } = wanted;
    const level = (await this.levels(sku)).find((one) => one.nodeId === nodeId);
    const delta = units - (level?.available ?? 0);
    if (delta > 0) {
      const lines = [{ sku, units: delta }];
      await this.client(inventory.operations.receive, { nodeId, lines, reference: 'top-up for the demo' });
    } else if (delta < 0 && exactly === true) {
      await this.client(inventory.operations.adjust, { nodeId, sku, unitsDelta: delta, reason: 'reset for the demo' });
    } else return 0;
    return delta;
  }
}

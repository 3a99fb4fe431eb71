import { setTimeout } from 'node:timers/promises';
import { until } from '../../examples/until.ts';
import carts from '../../functions/carts/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { ProblemError } from '../../shared/client.ts';
import type { Associate, Customer, Step } from './shop.ts';

/** Moments of a purchase at which something may happen to the system. */
export const MOMENTS = [
  'the order is sent',
  'the order is placed',
  'the payment is sent',
  'the payment is there',
  'the store is asked',
  'the store accepts',
  'the goods leave',
  'the goods arrive',
] as const;
export type Moment = (typeof MOMENTS)[number];

const MOMENT_OF_STEP: Partial<Record<Step, Moment>> = {
  accept: 'the store accepts',
  dispatch: 'the goods leave',
  deliver: 'the goods arrive',
};

const problemOf = (error: unknown): string | undefined =>
  error instanceof ProblemError ? error.problem.type.replace('urn:ieum:problem:', '') : undefined;

/** Long enough for a system that is killed, and started again on a busy machine. */
const OUTAGE_SECONDS = 60;

/**
 * Sends the same command again until it is answered, as an app does whose connection breaks. What the API refuses is
 * an answer.
 */
const insist = <T>(what: string, call: () => Promise<T>): Promise<T> =>
  until(
    what,
    async () => {
      try {
        return { done: await call() };
      } catch (error) {
        if (problemOf(error) !== undefined) throw error;
        return { still: String((error as Error).cause ?? error) };
      }
    },
    OUTAGE_SECONDS,
  );

interface Cast {
  customer: Customer;
  /** Who sends it in the end. */
  sender: Associate;
  sku: string;
}

/** One purchase from cart to capture, by people who do not give up when nobody answers. */
export class Purchase {
  readonly customer: Customer;
  readonly sku: string;
  readonly #sender: Associate;
  readonly #key = crypto.randomUUID();
  /** What was acknowledged so far. */
  orderId: string | undefined;
  onMoment: (moment: Moment) => void = () => {};

  constructor({ customer, sender, sku }: Cast) {
    this.customer = customer;
    this.#sender = sender;
    this.sku = sku;
  }

  async complete(makeOld: (orderId: string) => Promise<void>): Promise<void> {
    const { customer } = this;
    const orderId = await this.#place();
    await this.#pay(orderId, makeOld);
    const { fulfilmentOrderId } = await insist(`the offer of ${orderId}`, () => this.#sender.offered(orderId));
    this.onMoment('the store is asked');
    for (const step of ['accept', 'pick', 'pack', 'dispatch', 'deliver'] as const) {
      const moment = MOMENT_OF_STEP[step];
      if (moment !== undefined) this.onMoment(moment);
      const idempotencyKey = `${this.#key}-${step}`;
      await insist(`${step} of ${fulfilmentOrderId}`, () =>
        this.#sender.client(fulfilment.operations[step], { fulfilmentOrderId }, { idempotencyKey }),
      );
    }
    await insist(`${orderId} to be COMPLETED`, () => customer.sees(orderId, 'COMPLETED'));
    await insist(`${orderId} to be CAPTURED`, () => customer.seesPayment(orderId, 'CAPTURED'));
  }

  async #place(): Promise<string> {
    const { client } = this.customer;
    const { cartId } = await client(carts.operations.current, {});
    this.onMoment('the order is sent');
    const placed = await insist('the order', () =>
      client(orders.operations.place, { cartId: cartId! }, { idempotencyKey: this.#key }),
    );
    this.orderId = placed.orderId;
    this.onMoment('the order is placed');
    return placed.orderId;
  }

  /** Until it is paid: an attempt that the provider never heard of is given up after a minute, and another one made. */
  async #pay(orderId: string, makeOld: (orderId: string) => Promise<void>): Promise<void> {
    const { client } = this.customer;
    const command = { orderId, method: { kind: 'CARD' as const, token: 'tok_approve' } };
    this.onMoment('the payment is sent');
    for (let attempt = 1; ; attempt += 1) {
      const idempotencyKey = `${this.#key}-${attempt}`;
      const payment = await insist(`payment ${attempt} of ${orderId}`, async () => {
        for (;;) {
          try {
            return await client(payments.operations.pay, command, { idempotencyKey });
          } catch (error) {
            if (problemOf(error) !== 'payment-in-progress') throw error;
            await makeOld(orderId);
            await setTimeout(20);
          }
        }
      });
      if (payment.status === 'AUTHORIZED') break;
      if (payment.status !== 'FAILED') throw new Error(`${orderId} cannot be paid: ${JSON.stringify(payment)}`);
    }
    this.onMoment('the payment is there');
  }
}

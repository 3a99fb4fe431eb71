import { setTimeout } from 'node:timers/promises';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { type Client, ProblemError } from '../../shared/client.ts';
import type { Journal } from './journal.ts';
import type { Scenario } from './scenario.ts';
import type { SuperstoreOrder } from './superstore.ts';

const ENDED: ReadonlySet<string> = new Set(['COMPLETED', 'CANCELLED', 'EXPIRED']);

/** A channel waits when so many of its orders are under way, so that the nodes keep up. */
const UNDER_WAY_MAX = 200;
/** An order is looked at soon after its goods were handed over; and now and then, for whatever else may end it. */
const AFTER_HANDING_OVER_MS = 300;
const AFTER_PLACING_MS = 1_000;
const LOOK_AGAIN_MAX_MS = 30_000;
const WAIT_MS = 50;
const BUSY_RETRIES_MAX = 5;
/** A payment that was under way when its function died is settled by the minute; until then the API says to wait. */
const ASK_AGAIN_MS = 2_000;
const ASKED_MAX = 90;
const PAYMENTS_MAX = 3;

const problemOf = ({ problem }: ProblemError): string => problem.type.slice(problem.type.lastIndexOf(':') + 1);

/** Repeats what met too much contention; the same key makes it safe. */
const retrying = async <T>(call: () => Promise<T>): Promise<T> => {
  for (let retry = 1; ; retry += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 503 || retry > BUSY_RETRIES_MAX) throw error;
      await setTimeout(WAIT_MS * 2 ** retry);
    }
  }
};

export interface ChannelOptions {
  client: Client;
  scenario: Scenario;
  journal: Journal;
}

/** The channel's side: places and pays orders, and follows each to its end. */
export class Channel {
  /** How long placing took, this time, in the order in which it happened. */
  readonly placingMs: number[] = [];
  readonly #options: ChannelOptions;
  /** Orders that have not ended, by reference. */
  readonly #underWay = new Map<string, { orderId: string; waitMs: number; lookAtMs: number }>();

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Brings one order as far as a channel can: placed and paid, or refused. Goes on where an earlier run stopped. */
  async see(order: SuperstoreOrder): Promise<void> {
    const { reference } = order;
    const known = this.#options.journal.of(reference);
    if (known?.refused !== undefined || known?.status !== undefined) return;
    while (this.#underWay.size >= UNDER_WAY_MAX) await setTimeout(WAIT_MS);
    const placed = known?.orderId === undefined ? await this.#place(order) : await this.#find(known.orderId);
    if (placed === undefined) return;
    this.#lookIn(AFTER_PLACING_MS, reference, placed.orderId);
    if (placed.status === 'PENDING_PAYMENT') await this.#pay(reference, placed.orderId);
  }

  async #place(order: SuperstoreOrder): Promise<{ orderId: string; status: string } | undefined> {
    const { client, journal, scenario } = this.#options;
    const { reference } = order;
    const startedMs = performance.now();
    try {
      const { orderId, status, choice } = await retrying(() =>
        client(orders.operations.placeForChannel, scenario.channelOrder(order), {
          idempotencyKey: `replay-${reference}`,
        }),
      );
      this.placingMs.push(performance.now() - startedMs);
      journal.add({ reference, orderId, choice });
      return { orderId, status };
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 409) throw error;
      journal.add({ reference, refused: problemOf(error) });
      return undefined;
    }
  }

  async #find(orderId: string): Promise<{ orderId: string; status: string }> {
    try {
      return await this.#options.client(orders.operations.order, { orderId });
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 404) throw error;
      throw new Error(`${orderId} of an earlier replay is not there any more: delete its journal, replay.jsonl, too`);
    }
  }

  async #pay(reference: string, orderId: string): Promise<void> {
    for (let attempt = 1; attempt <= PAYMENTS_MAX; attempt += 1) {
      const key = `replay-${reference}-pay${attempt === 1 ? '' : `-${attempt}`}`;
      if ((await this.#attempt(orderId, key)) !== 'not-received') return;
    }
  }

  /** One payment, asked for until it is known what became of it. One that never reached the provider may be tried anew. */
  async #attempt(orderId: string, idempotencyKey: string): Promise<'not-received' | 'settled'> {
    const method = { kind: 'CARD', token: 'tok_approve' } as const;
    const pay = () => this.#options.client(payments.operations.pay, { orderId, method }, { idempotencyKey });
    for (let asked = 0; ; asked += 1) {
      try {
        const { failure } = await retrying(pay);
        return failure?.code === 'not-received' ? 'not-received' : 'settled';
      } catch (error) {
        // It expired meanwhile: what becomes of the order says so.
        if (!(error instanceof ProblemError) || error.status !== 409) throw error;
        if (problemOf(error) !== 'payment-in-progress' || asked >= ASKED_MAX) return 'settled';
        await setTimeout(ASK_AGAIN_MS);
      }
    }
  }

  #lookIn(waitMs: number, reference: string, orderId: string): void {
    this.#underWay.set(reference, { orderId, waitMs, lookAtMs: performance.now() + waitMs });
  }

  /** The customer has some of an order, or all of it. */
  handedOver(orderId: string): void {
    const reference = this.#options.journal.referenceOf(orderId);
    if (reference !== undefined && this.#underWay.has(reference)) {
      this.#lookIn(AFTER_HANDING_OVER_MS, reference, orderId);
    }
  }

  /** Looks at orders under way, again and again, until `isOver` says that no more will come and all have ended. */
  async follow(isOver: () => boolean): Promise<void> {
    while (!isOver() || this.#underWay.size > 0) {
      await setTimeout(WAIT_MS);
      const due = [...this.#underWay].filter(([, { lookAtMs }]) => lookAtMs <= performance.now());
      for (const [reference, { orderId, waitMs }] of due) {
        this.#lookIn(Math.min(2 * waitMs, LOOK_AGAIN_MAX_MS), reference, orderId);
        await this.#look(reference, orderId);
      }
    }
  }

  async #look(reference: string, orderId: string): Promise<void> {
    const { client, journal } = this.#options;
    const { status, fulfilments } = await client(orders.operations.order, { orderId });
    if (!ENDED.has(status)) return;
    const resourced = fulfilments.filter(({ outcome }) => outcome === 'REPLACED').length;
    const nodes = new Set(fulfilments.filter(({ outcome }) => outcome === 'FULFILLED').map(({ nodeId }) => nodeId));
    journal.add({ reference, orderId, status, nodes: nodes.size, resourced });
    this.#underWay.delete(reference);
  }
}

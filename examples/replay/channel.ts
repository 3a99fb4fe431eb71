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
/** Orders asked for in one round, the one not asked for longest first. */
const LOOK_AT = 40;
const LOOK_EVERY_MS = 500;
const WAIT_MS = 50;
const BUSY_RETRIES_MAX = 5;

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
  /** Ids by reference; the one that was not looked at for longest is first. */
  readonly #underWay = new Map<string, string>();

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
    this.#underWay.set(reference, placed.orderId);
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
    const method = { kind: 'CARD', token: 'tok_approve' } as const;
    try {
      await retrying(() =>
        this.#options.client(
          payments.operations.pay,
          { orderId, method },
          { idempotencyKey: `replay-${reference}-pay` },
        ),
      );
    } catch (error) {
      // It expired, or the outcome is open: what becomes of the order says which.
      if (!(error instanceof ProblemError) || error.status !== 409) throw error;
    }
  }

  /** Looks at orders under way, again and again, until `isOver` says that no more will come and all have ended. */
  async follow(isOver: () => boolean): Promise<void> {
    while (!isOver() || this.#underWay.size > 0) {
      await setTimeout(LOOK_EVERY_MS);
      for (const [reference, orderId] of [...this.#underWay].slice(0, LOOK_AT)) await this.#look(reference, orderId);
    }
  }

  async #look(reference: string, orderId: string): Promise<void> {
    const { client, journal } = this.#options;
    const { status, fulfilments } = await client(orders.operations.order, { orderId });
    this.#underWay.delete(reference);
    if (!ENDED.has(status)) {
      this.#underWay.set(reference, orderId);
      return;
    }
    const replaced = fulfilments.filter(({ outcome }) => outcome === 'REPLACED').length;
    const nodes = new Set(fulfilments.filter(({ outcome }) => outcome === 'FULFILLED').map(({ nodeId }) => nodeId))
      .size;
    journal.add({ reference, orderId, status, nodes, resourced: replaced });
  }
}

import { setTimeout } from 'node:timers/promises';
import fulfilment from '../../functions/fulfilment/contract.ts';
import { type Client, ProblemError } from '../../shared/client.ts';
import { inParallel } from '../loading.ts';

type Work = Awaited<ReturnType<typeof worklist>>[number];
type Action = 'accept' | 'pick' | 'pack' | 'dispatch' | 'deliver' | 'ready' | 'collect';

const WORKLIST_MAX = 100;
const IDLE_MS = 100;

/** What to do next with goods that are sent, and with goods that are collected. */
const NEXT: Record<Work['method'], Partial<Record<Work['work'], Action>>> = {
  SHIP: { ALLOCATED: 'accept', ACCEPTED: 'pick', PICKED: 'pack', PACKED: 'dispatch', DISPATCHED: 'deliver' },
  COLLECT: { ALLOCATED: 'accept', ACCEPTED: 'pick', PICKED: 'ready', READY: 'collect' },
};

const worklist = async (client: Client, nodeId: string) =>
  (await client(fulfilment.operations.worklist, { nodeId, limit: WORKLIST_MAX })).items;

export interface RobotOptions {
  /** Speaks as head office, which may do the work of every node. */
  client: Client;
  nodeIds: readonly string[];
  concurrency: number;
  /** Whether an order is one of the replay's: the robot leaves others' work alone. */
  isOurs(orderId: string): boolean;
  refuses(nodeId: string, orderId: string): boolean;
  /** Is told when the customer has what a node had to supply of an order. */
  handedOver(orderId: string): void;
}

/** Does the work of all nodes: accepts or refuses what is on their worklists, and sees it through. */
export class Robot {
  readonly #options: RobotOptions;
  #running = true;

  constructor(options: RobotOptions) {
    this.#options = options;
  }

  /** Works until it is stopped. */
  async run(): Promise<void> {
    const { client, nodeIds, concurrency, isOurs } = this.#options;
    while (this.#running) {
      const lists = await Promise.all(nodeIds.map((nodeId) => worklist(client, nodeId)));
      const todo = lists.flat().filter(({ orderId }) => isOurs(orderId));
      if (todo.length === 0) await setTimeout(IDLE_MS);
      await inParallel(todo, (work) => this.#see(work), concurrency);
    }
  }

  stop(): void {
    this.#running = false;
  }

  async #see(work: Work): Promise<void> {
    const { client, refuses, handedOver } = this.#options;
    const { fulfilmentOrderId, nodeId, orderId } = work;
    try {
      if (work.work === 'ALLOCATED' && refuses(nodeId, orderId)) {
        const reason = 'not found on the shelf';
        const idempotencyKey = `replay-${fulfilmentOrderId}-reject`;
        await client(fulfilment.operations.reject, { fulfilmentOrderId, reason }, { idempotencyKey });
        return;
      }
      let now = work;
      for (let action = NEXT[now.method][now.work]; action !== undefined; action = NEXT[now.method][now.work]) {
        const idempotencyKey = `replay-${fulfilmentOrderId}-${action}`;
        now = await client(fulfilment.operations[action], { fulfilmentOrderId }, { idempotencyKey });
      }
      handedOver(orderId);
    } catch (error) {
      // Somebody was quicker, or there was too much contention: the worklist says what is left to do.
      if (!(error instanceof ProblemError) || ![409, 503].includes(error.status)) throw error;
    }
  }
}

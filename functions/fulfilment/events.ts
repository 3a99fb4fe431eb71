import type { Reaction, ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Instant } from '../../shared/time.ts';
import type { Placed } from '../orders/emits.ts';
import type fulfilment from './contract.ts';
import { type NodeAnswer, scheduled } from './domain.ts';
import { assign } from './facts.ts';
import { knownNetwork } from './network.ts';
import { answerBy } from './sourcing/clock.ts';
import type { SourcingNode } from './sourcing/request.ts';
import type { Workflow } from './step-functions.ts';
import { type AwaitedFact, tokensOf } from './store.ts';

const secondsBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** What was promised for an order becomes work at its nodes. */
const becomeWork = (placed: Placed, nodes: readonly SourcingNode[], now: Instant): Reaction => {
  const { orderId, customerId, addressId, choice, lines: sourced, fulfilments } = placed;
  const changes = fulfilments.map((planned) =>
    assign(
      scheduled(
        {
          ...planned,
          ...{ orderId, customerId, addressId, choice, sourced, excludedNodeIds: [] },
          answerBy: answerBy(nodes, planned.nodeId, now),
        },
        now,
      ),
    ),
  );
  return { change: { parts: changes.flatMap(({ parts }) => parts), facts: changes.flatMap(({ facts }) => facts) } };
};

export const handlers = ({ tables }: Runtime, workflow: Workflow): ReactionHandlers<typeof fulfilment> => {
  /** Tells the workflow, if it waits already. If it does not yet, its task finds what is on record. */
  const tell =
    (awaited: AwaitedFact, answer: NodeAnswer | 'DONE') =>
    async ({ fulfilmentOrderId }: { fulfilmentOrderId: string }): Promise<Reaction> => ({
      after: async () => {
        for (const token of await tokensOf(tables, fulfilmentOrderId, awaited)) {
          await workflow.answer(token, { answer });
        }
      },
    });

  return {
    OrderPlaced: async (placed, _, { now }) => becomeWork(placed, await knownNetwork(tables, now), now),

    // Seconds from the event's own time, so that a second start asks for the same and is none.
    Allocated: async ({ fulfilmentOrderId, method, answerBy: by }, { time }) => ({
      after: () =>
        workflow.start({
          fulfilmentOrderId,
          method,
          answerWithinSeconds: Math.max(1, Math.ceil(secondsBetween(time, by))),
        }),
    }),

    Accepted: tell('ANSWER', 'ACCEPTED'),
    Rejected: tell('ANSWER', 'REJECTED'),
    Delivered: tell('DONE', 'DONE'),
    Collected: tell('DONE', 'DONE'),
  };
};

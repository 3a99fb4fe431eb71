import { change } from '../../shared/change.ts';
import type { Reaction, ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Instant } from '../../shared/time.ts';
import type { Placed } from '../orders/emits.ts';
import type fulfilment from './contract.ts';
import { type FulfilmentWork, type NodeAnswer, scheduled } from './domain.ts';
import { assign } from './facts.ts';
import { knownNetwork } from './network.ts';
import { answerBy } from './sourcing/clock.ts';
import type { SourcingNode } from './sourcing/request.ts';
import type { Workflow } from './step-functions.ts';
import { type AwaitedFact, tokensOf } from './store.ts';
import type { WorkflowInput } from './workflow.ts';

type StartedWork = Pick<FulfilmentWork, 'fulfilmentOrderId' | 'method' | 'answerBy'>;

const secondsBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** What was promised for an order, as work at its nodes. */
const workOf = (placed: Placed, nodes: readonly SourcingNode[], now: Instant): FulfilmentWork[] => {
  const { orderId, customerId, addressId, choice, lines: sourced, fulfilments } = placed;
  return fulfilments.map((planned) =>
    scheduled(
      {
        ...planned,
        ...{ orderId, customerId, addressId, choice, sourced, excludedNodeIds: [] },
        answerBy: answerBy(nodes, planned.nodeId, now),
      },
      now,
    ),
  );
};

const startOf = ({ fulfilmentOrderId, method, answerBy: by }: StartedWork, from: Instant): WorkflowInput => ({
  fulfilmentOrderId,
  method,
  answerWithinSeconds: Math.max(1, Math.ceil(secondsBetween(from, by))),
});

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
    // An execution is named after its work: starting it again, should the event come again, is no second one.
    OrderPlaced: async (placed, _, { now }) => {
      const work = workOf(placed, await knownNetwork(tables, now), now);
      const changes = work.map(assign);
      return {
        change: change(
          changes.flatMap(({ parts }) => parts),
          changes.flatMap(({ facts }) => facts),
        ),
        after: async () => {
          for (const one of work) await workflow.start(startOf(one, now));
        },
      };
    },

    Allocated: async (work, { time }) => ({ after: () => workflow.start(startOf(work, time)) }),

    Accepted: tell('ANSWER', 'ACCEPTED'),
    Rejected: tell('ANSWER', 'REJECTED'),
    Delivered: tell('DONE', 'DONE'),
    Collected: tell('DONE', 'DONE'),
  };
};

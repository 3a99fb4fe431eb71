import type { Reaction, ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Instant } from '../../shared/time.ts';
import type { Placed } from '../orders/emits.ts';
import type fulfilment from './contract.ts';
import { methodOf, type NodeAnswer, stored } from './domain.ts';
import { knownNetwork } from './network.ts';
import { answerBy } from './sourcing/clock.ts';
import type { SourcingNode } from './sourcing/request.ts';
import type { Workflow } from './step-functions.ts';
import { type AwaitedFact, tokensOf } from './store.ts';
import type { WorkflowInput } from './workflow.ts';

const secondsBetween = (from: Instant, to: Instant): number => (Date.parse(to) - Date.parse(from)) / 1000;

const answerWithinSeconds = (from: Instant, by: Instant): number => Math.max(1, Math.ceil(secondsBetween(from, by)));

/** What was promised for an order, as work at its nodes. */
const startsOf = (
  { orderId, customerId, addressId, choice, lines: sourced, fulfilments }: Placed,
  nodes: readonly SourcingNode[],
  { now, ...cause }: { correlationId: string; causationId: string; now: Instant },
): WorkflowInput[] =>
  fulfilments.map(({ fulfilmentOrderId, lines, ...part }) => {
    const by = answerBy(nodes, part.nodeId, now);
    return {
      ...{ fulfilmentOrderId, method: methodOf(choice), answerWithinSeconds: answerWithinSeconds(now, by) },
      planned: {
        ...part,
        ...{ orderId, customerId, addressId, choice, cause, answerBy: by, partsPlanned: fulfilments.length },
        lines: stored(lines, sourced),
      },
    };
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
    OrderPlaced: async (placed, { id: causationId, correlationid: correlationId }, { now }) => {
      const starts = startsOf(placed, await knownNetwork(tables, now), { correlationId, causationId, now });
      return {
        after: async () => {
          for (const start of starts) await workflow.start(start);
        },
      };
    },

    Allocated: async ({ fulfilmentOrderId, method, answerBy: by }, { time }) => ({
      after: () => workflow.start({ fulfilmentOrderId, method, answerWithinSeconds: answerWithinSeconds(time, by) }),
    }),

    Accepted: tell('ANSWER', 'ACCEPTED'),
    Rejected: tell('ANSWER', 'REJECTED'),
    Delivered: tell('DONE', 'DONE'),
    Collected: tell('DONE', 'DONE'),
  };
};

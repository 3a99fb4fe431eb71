import { change } from '../../shared/change.ts';
import type { Reaction, ReactionHandlers } from '../../shared/events.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type payments from './contract.ts';
import { type Instruction, isSettled, onOrderCancelled, onOrderCompleted, type PaymentRecord } from './domain.ts';
import type { PaymentProvider } from './provider.ts';
import { settle } from './settle.ts';
import { attemptsOf, instruct } from './store.ts';

export const handlers = (runtime: Runtime, provider: PaymentProvider): ReactionHandlers<typeof payments> => {
  /**
   * Puts on record what is to be done, then tries to do it. What the provider does not answer now, the task will ask
   * until it does: a provider that is down for a day loses nothing.
   */
  const carryOut = async (
    orderId: string,
    cause: Cause,
    instructionFor: (payment: PaymentRecord) => Instruction | undefined,
  ): Promise<Reaction> => {
    const changes = (await attemptsOf(runtime.tables, orderId)).flatMap((payment) => {
      const instruction = instructionFor(payment);
      return instruction === undefined ? [] : [instruct(payment, instruction, cause.now).change];
    });
    return {
      ...(changes.length === 0 ? {} : { change: change(changes.flatMap(({ parts }) => parts)) }),
      after: async () => {
        for (const payment of await attemptsOf(runtime.tables, orderId)) {
          if (payment.instruction !== undefined && !isSettled(payment)) {
            await settle({ runtime, provider, cause }, payment);
          }
        }
      },
    };
  };

  return {
    OrderCompleted: ({ orderId, fulfilled }, _envelope, cause) =>
      carryOut(orderId, cause, (payment) => onOrderCompleted(payment, fulfilled)),
    OrderCancelled: ({ orderId }, _envelope, cause) => carryOut(orderId, cause, onOrderCancelled),
  };
};

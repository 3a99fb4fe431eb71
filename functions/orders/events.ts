import { type Change, change, fact } from '../../shared/change.ts';
import type { Reaction, ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import orders from './contract.ts';
import { fulfilledAmount, hear, type News, type OrderSnapshot } from './domain.ts';
import { getOrder, saveProgress } from './store.ts';

/** Says how an order ended, once: an ended order never changes its status again. */
const endOf = (before: OrderSnapshot, after: OrderSnapshot, now: string): Change['facts'] => {
  if (before.status === after.status) return [];
  const { orderId, customerId, channelId, version } = after;
  const subject = `order/${orderId}`;
  const whose = { orderId, customerId, channelId };
  switch (after.status) {
    case 'COMPLETED':
      return [
        fact(orders.emits.OrderCompleted, subject, version, {
          ...whose,
          fulfilled: fulfilledAmount(after),
          completedAt: now,
        }),
      ];
    case 'CANCELLED':
      return [fact(orders.emits.OrderCancelled, subject, version, { ...whose, reason: 'not-supplied' })];
    default:
      return [];
  }
};

export const handlers = ({ tables, now }: Runtime): ReactionHandlers<typeof orders> => {
  const heard = async (orderId: string, news: News): Promise<Reaction | undefined> => {
    const before = await getOrder(tables, orderId);
    // Fulfilment starts with an order that is on record; a missing one belongs to a person, by the dead-letter queue.
    if (before === undefined) throw new Error(`fulfilment speaks of ${orderId}, which is no order`);
    const after = hear(before, news);
    if (after === undefined) return undefined;
    return { change: change([saveProgress(before, after)], endOf(before, after, now())) };
  };
  return {
    Allocated: (data) => heard(data.orderId, { ...data, fact: 'ALLOCATED' }),
    Accepted: (data) => heard(data.orderId, { ...data, fact: 'ACCEPTED' }),
    Delivered: (data) => heard(data.orderId, { ...data, fact: 'FULFILLED' }),
    Collected: (data) => heard(data.orderId, { ...data, fact: 'FULFILLED' }),
    Incomplete: ({ orderId, fulfilmentOrderId, nodeId, lines }) =>
      heard(orderId, { fulfilmentOrderId, nodeId, lines, fact: 'CANCELLED' }),
  };
};

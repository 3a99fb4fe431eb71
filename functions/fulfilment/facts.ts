import { type Change, change, type Fact, fact } from '../../shared/change.ts';
import fulfilment from './contract.ts';
import type { FulfilmentWork } from './domain.ts';
import type { UnitsOfSku } from './sourcing/request.ts';
import { newPart } from './store.ts';

const subjectOf = ({ fulfilmentOrderId }: FulfilmentWork): string => `fulfilment-order/${fulfilmentOrderId}`;

/** A new fulfilment order and the event that says so; its stock is allocated by whoever commits this. */
export const assign = (order: FulfilmentWork): Change<'changed-meanwhile'> => {
  const { fulfilmentOrderId, orderId, nodeId, choice, method, lines, reason, promise, answerBy, replaces } = order;
  return change(
    [newPart(order)],
    [
      fact(fulfilment.emits.Allocated, subjectOf(order), order.version, {
        ...{ fulfilmentOrderId, orderId, nodeId, choice, method, lines, reason, promise, answerBy, replaces },
      }),
    ],
  );
};

/** Nobody will supply these units. */
export const incomplete = (order: FulfilmentWork, lines: readonly UnitsOfSku[], reason: string): Fact => {
  const { fulfilmentOrderId, orderId, nodeId, version } = order;
  return fact(fulfilment.emits.Incomplete, subjectOf(order), version, {
    ...{ fulfilmentOrderId, orderId, nodeId, reason },
    lines: lines.map(({ sku, units }) => ({ sku, units })),
  });
};

export const pickupExpired = ({ fulfilmentOrderId, orderId, nodeId, version }: FulfilmentWork): Fact =>
  fact(fulfilment.emits.Expired, `pickup/${fulfilmentOrderId}`, version, { fulfilmentOrderId, orderId, nodeId });

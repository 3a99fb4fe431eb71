import { type Change, change, check, fact } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import orders from './contract.ts';
import type { OrderSnapshot } from './domain.ts';
import { getOrder, leavePending, orderKey } from './store.ts';

export type { OrderSnapshot } from './domain.ts';

/** The order as it stands (one strongly consistent read), undefined where there is none. Whose it is, ask yourself. */
export const orderOf = (tables: Tables, orderId: string): Promise<OrderSnapshot | undefined> =>
  getOrder(tables, orderId);

/** Holds while the order waits for its payment; refuses with `wrong-state` otherwise. */
export const payable = ({ orderId }: OrderSnapshot): Change<'wrong-state'> =>
  change([
    check('orders', orderKey(orderId), [{ guard: 'one-of', attribute: 'status', values: ['PENDING_PAYMENT'] }], {
      problem: 'wrong-state',
      detail: `${orderId} does not wait for a payment any more`,
    }),
  ]);

/**
 * The order is paid: PENDING_PAYMENT → PLACED, told with everything that fulfilment, loyalty and payments need.
 * Refuses with `wrong-state` where the order expired or was paid by another attempt: then void what was authorised.
 */
export const markPaid = (order: OrderSnapshot, cause: Cause): Change<'wrong-state'> => {
  const { orderId, customerId, channelId, choice, addressId, pickupNodeId, total } = order;
  return change(
    [leavePending(order, { status: 'PLACED', at: cause.now })],
    [
      fact(orders.emits.OrderPlaced, `order/${orderId}`, order.version + 1, {
        ...{ orderId, customerId, channelId, choice, addressId, pickupNodeId, total },
        lines: order.lines.map(({ sku, units, storage }) => ({ sku, units, storage })),
        fulfilments: order.fulfilments.map(({ fulfilmentOrderId, nodeId, lines, reason, promise }) => ({
          ...{ fulfilmentOrderId, nodeId, lines, reason },
          // An order that waits for its payment has only planned fulfilments, and a plan always promises.
          promise: promise!,
        })),
      }),
    ],
  );
};

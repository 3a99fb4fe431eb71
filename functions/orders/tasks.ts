import { change, fact } from '../../shared/change.ts';
import { dueKeys } from '../../shared/due.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import type { TaskHandlers, TaskRun } from '../../shared/tasks.ts';
import { release } from '../inventory/parts.ts';
import orders from './contract.ts';
import type { OrderSnapshot } from './domain.ts';
import { getOrder, leavePending, orderIdOf } from './store.ts';

/** Orders of one run, which has a minute; the rest waits for the next. */
const RUN_MAX = 500;

/** The order expires and its stock is available again, in one transaction; or it was paid first, and keeps both. */
const expire = async (tables: Tables, order: OrderSnapshot, run: TaskRun) => {
  const { orderId, customerId, channelId, fulfilments, version } = order;
  const released = await Promise.all(
    fulfilments.map(({ fulfilmentOrderId: allocationId, nodeId, lines }) =>
      release(tables, { allocationId, nodeId, lines }, run.cause),
    ),
  );
  return run.commit(
    change(
      [leavePending(order, { status: 'EXPIRED', at: run.now })],
      [
        fact(orders.emits.OrderCancelled, `order/${orderId}`, version + 1, {
          orderId,
          customerId,
          channelId,
          reason: 'unpaid',
        }),
      ],
    ),
    ...released,
  );
};

export const handlers = ({ tables }: Runtime): TaskHandlers<typeof orders> => ({
  expireUnpaid: async (_input, run) => {
    let expired = 0;
    const failed: string[] = [];
    for await (const key of dueKeys(tables, 'orders', run.now, RUN_MAX)) {
      const order = await getOrder(tables, orderIdOf(key));
      if (order?.status !== 'PENDING_PAYMENT') continue;
      const committed = await expire(tables, order, run);
      if (committed.ok) expired += 1;
      else if (committed.refusal.problem !== 'wrong-state')
        failed.push(`${order.orderId}: ${committed.refusal.detail}`);
    }
    // Said at the end, so that one order that cannot be expired does not keep the stock of all others.
    if (failed.length > 0) throw new Error(`not expired: ${failed.join('; ')}`);
    return { expired };
  },
});

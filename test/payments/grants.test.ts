import { afterEach, beforeEach, expect, it } from 'vitest';
import payments from '../../functions/payments/contract.ts';
import { ProviderUnreachable } from '../../functions/payments/provider.ts';
import { simulatedProvider } from '../../functions/payments/simulated-provider.ts';
import { customerCaller } from '../support/call.ts';
import { recorded, sortedGrants } from '../support/recorded.ts';
import { type Desk, openDesk, won } from './desk.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

/** A process of its own whose use of the tables is recorded, the provider's records included: it runs in there. */
const watched = () => {
  const { tables, used } = recorded(desk.runtime.tables);
  return { process: desk.processWith({ ...desk.runtime, tables }, simulatedProvider(tables)), used };
};

it('the API uses what it is granted, all of it and nothing else', async () => {
  const { process, used } = watched();
  const order = await desk.newOrder();
  await process.pay(order, 'tok_needs_action', 'key-1');
  await process.pay(order, 'tok_needs_action', 'key-1');
  await process.confirm(order);
  await process.call('payments', { as: customerCaller(order.customerId), path: { orderId: order.orderId } });
  expect(used()).toEqual(sortedGrants(payments.grants.api.tables));
});

it('the reactions to events use what they are granted, all of it and nothing else', async () => {
  const { process, used } = watched();
  for (const type of ['order.completed.v1', 'order.cancelled.v1']) {
    const order = await desk.newOrder();
    await desk.pay(order);
    const { orderId, customerId } = order;
    const data = type.includes('completed')
      ? { orderId, customerId, fulfilled: won(900), completedAt: desk.runtime.now() }
      : { orderId, customerId, reason: 'not-supplied' };
    const { events } = await desk.look(order);
    await process.hear({ ...events[0]!, type, id: `order/${orderId}#3`, data });
  }
  expect(used()).toEqual(sortedGrants(payments.grants.events.tables));
});

it('the task uses what it is granted, all of it and nothing else', async () => {
  const { process, used } = watched();
  const [approved, waiting, lost] = [await desk.newOrder(), await desk.newOrder(), await desk.newOrder()];
  await desk.pay(approved, 'tok_timeout');
  await desk.pay(waiting, 'tok_needs_action');
  desk.faults.before = () => Promise.reject(new ProviderUnreachable('the line is cut'));
  await desk.pay(lost);
  delete desk.faults.before;
  desk.later(61);
  expect(await process.reconcile()).toEqual({ looked: 3, settled: 2 });
  expect(used()).toEqual(sortedGrants(payments.grants.tasks.tables));
});

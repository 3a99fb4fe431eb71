import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OrderSnapshot } from '../../functions/orders/parts.ts';
import { ProviderUnreachable } from '../../functions/payments/provider.ts';
import type { Money } from '../../shared/money.ts';
import type { Envelope } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import { type Desk, openDesk, won } from './desk.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => {
  vi.restoreAllMocks();
  return desk.close();
});

const ended = ({ orderId, customerId }: OrderSnapshot, type: string, data: object, version = 7): Envelope => ({
  specversion: '1.0',
  id: `order/${orderId}#${version}`,
  source: 'ieum.orders',
  type,
  time: desk.runtime.now(),
  subject: `order/${orderId}`,
  aggregateversion: version,
  actor: 'test',
  correlationid: 'test',
  datacontenttype: 'application/json',
  data: { orderId, customerId, ...data },
});
const completed = (order: OrderSnapshot, fulfilled: Money, version?: number): Envelope =>
  ended(order, 'order.completed.v1', { fulfilled, completedAt: desk.runtime.now() }, version);
const cancelled = (order: OrderSnapshot): Envelope => ended(order, 'order.cancelled.v1', { reason: 'not-supplied' });

const cutTheLine = (): void => {
  desk.faults.before = () => Promise.reject(new ProviderUnreachable('the line is cut'));
};
const mendTheLine = (): void => {
  delete desk.faults.before;
  delete desk.faults.after;
};

const paidOrder = async (): Promise<OrderSnapshot> => {
  const order = await desk.newOrder();
  await desk.pay(order);
  return order;
};

describe('an order that ends', () => {
  it('completed as a whole is captured as a whole, and said once', async () => {
    const order = await paidOrder();
    await desk.hear(completed(order, won(12_900)));
    const { payments, charges, events } = await desk.auditAtRest(order);
    expect(payments[0]).toMatchObject({ status: 'CAPTURED', captured: won(12_900) });
    expect(charges[0]).toEqual({ state: 'CAPTURED', amount: won(12_900) });
    expect(events.filter(({ type }) => type === 'payment.captured.v1').map(({ data }) => data)).toEqual([
      { paymentId: `${order.orderId}-001`, orderId: order.orderId, amount: won(12_900) },
    ]);
  });

  it('completed in part is captured in part', async () => {
    const order = await paidOrder();
    await desk.hear(completed(order, won(900)));
    const { payments, charges } = await desk.auditAtRest(order);
    expect(payments[0]).toMatchObject({ status: 'PARTIALLY_CAPTURED', captured: won(900) });
    expect(charges[0]).toEqual({ state: 'CAPTURED', amount: won(900) });
  });

  it('is captured once, however often it is said', async () => {
    const order = await paidOrder();
    const event = completed(order, won(900));
    await Promise.all([desk.hear(event), desk.hear(event)]);
    await desk.hear(event);
    await desk.hear(completed(order, won(12_900), 8));
    const { charges, events } = await desk.auditAtRest(order);
    expect(charges[0]).toEqual({ state: 'CAPTURED', amount: won(900) });
    expect(events.filter(({ type }) => type === 'payment.captured.v1')).toHaveLength(1);
  });

  it('cancelled after it was paid is voided', async () => {
    const order = await paidOrder();
    await desk.hear(cancelled(order));
    const { payments, charges, events } = await desk.look(order);
    expect([payments[0]!.status, charges[0]!.state]).toEqual(['VOIDED', 'VOIDED']);
    expect(events.find(({ type }) => type === 'payment.voided.v1')?.data).toMatchObject({ reason: 'order-cancelled' });
  });

  it('while the provider is down is captured once it is up again, by the task', async () => {
    const order = await paidOrder();
    cutTheLine();
    await desk.hear(completed(order, won(900)));
    for (let minute = 0; minute < 3; minute += 1) {
      desk.later(61);
      await desk.reconcile();
    }
    expect((await desk.look(order)).payments[0]).toMatchObject({ status: 'AUTHORIZED' });
    mendTheLine();
    desk.later(61);
    await desk.reconcile();
    expect((await desk.auditAtRest(order)).payments[0]).toMatchObject({ status: 'PARTIALLY_CAPTURED' });
  });

  it('whose capture was carried out but not answered is not captured again', async () => {
    const order = await paidOrder();
    desk.faults.after = () => Promise.reject(new ProviderUnreachable('the answer was lost'));
    await desk.hear(completed(order, won(900)));
    expect((await desk.look(order)).charges[0]).toMatchObject({ state: 'CAPTURED' });
    mendTheLine();
    desk.later(61);
    await desk.reconcile();
    const { events } = await desk.auditAtRest(order);
    expect(events.filter(({ type }) => type === 'payment.captured.v1')).toHaveLength(1);
  });

  it('without a payment is nobody to this capability', async () => {
    const order = await desk.newOrder();
    await desk.hear(cancelled(order));
    expect((await desk.look(order)).payments).toEqual([]);
  });
});

describe('too much contention', () => {
  it('for the confirm loses nothing: the same command, sent again, finds its charge and places the order', async () => {
    const order = await desk.newOrder();
    const { tables } = desk.runtime;
    let isContended = true;
    const contended: Tables = {
      ...tables,
      commit: (parts) =>
        isContended &&
        parts.some(({ table }) => table === 'orders') &&
        parts.some(({ write }) => write.kind === 'update')
          ? Promise.resolve({ ok: false, refusal: { problem: 'too-busy', detail: 'others write the same items' } })
          : tables.commit(parts),
    };
    const process = desk.processWith({ ...desk.runtime, tables: contended }, desk.provider);
    const busy = await process.pay(order, 'tok_approve', 'key-1');
    expect([busy.status, busy.body.type]).toEqual([503, 'urn:ieum:problem:too-busy']);
    expect((await desk.look(order)).charges[0]!.state).toBe('APPROVED');
    isContended = false;
    const again = await process.pay(order, 'tok_approve', 'key-1');
    expect([again.status, again.body.status]).toEqual([201, 'AUTHORIZED']);
    expect((await desk.auditAtRest(order)).payments).toHaveLength(1);
  });
});

describe('reconciling', () => {
  it('what was approved and not answered places the order', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_timeout');
    await desk.reconcile();
    expect((await desk.look(order)).payments[0]!.status).toBe('UNKNOWN');
    desk.later(60);
    expect(await desk.reconcile()).toEqual({ looked: 1, settled: 1 });
    expect((await desk.auditAtRest(order)).order.status).toBe('PLACED');
    expect(await desk.reconcile()).toEqual({ looked: 0, settled: 0 });
  });

  it('what never reached the provider fails, can never arrive later, and leaves the order payable', async () => {
    const order = await desk.newOrder();
    cutTheLine();
    expect((await desk.pay(order)).body.status).toBe('UNKNOWN');
    mendTheLine();
    desk.later(61);
    await desk.reconcile();
    const { payments, charges } = await desk.auditAtRest(order);
    expect(payments[0]).toMatchObject({ status: 'FAILED', failure: { code: 'not-received' } });
    expect(charges[0]!.state).toBe('VOIDED');
    // The request that was lost on its way arrives after all.
    const late = await desk.provider.authorise({ key: `${order.orderId}#1`, amount: won(12_900), token: 'tok_late' });
    expect(late.state).toBe('VOIDED');
    expect((await desk.pay(order)).body).toMatchObject({ attempt: 2, status: 'AUTHORIZED' });
    await desk.auditAtRest(order);
  });

  it('a provider that stays silent is asked every minute, and the outcome stays open meanwhile', async () => {
    const order = await desk.newOrder();
    cutTheLine();
    await desk.pay(order, 'tok_decline');
    for (let minute = 0; minute < 3; minute += 1) {
      desk.later(61);
      expect(await desk.reconcile()).toEqual({ looked: 1, settled: 0 });
    }
    const { payments, events } = await desk.look(order);
    expect(payments[0]!.status).toBe('UNKNOWN');
    expect(events.map(({ type }) => type)).toEqual(['payment.outcome-unknown.v1']);
  });

  it('a buyer who never acts holds nothing once the order has expired', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_needs_action');
    desk.later(61);
    await desk.reconcile();
    expect((await desk.look(order)).payments[0]!.status).toBe('REQUIRES_ACTION');
    desk.later(15 * 60);
    // The event of the expiry is still on its way: the task finds out by itself.
    await desk.expireOrders();
    await desk.reconcile();
    const { payments, charges } = await desk.auditAtRest(order);
    expect([payments[0]!.status, charges[0]!.state]).toEqual(['VOIDED', 'VOIDED']);
  });

  it('a buyer who acts at the last moment is not charged for an order that expired', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_needs_action');
    desk.later(15 * 60 + 1);
    await desk.expireOrders();
    expect((await desk.confirm(order)).body.status).toBe('VOIDED');
    await desk.auditAtRest(order);
  });

  it('a payment that cannot be is reported, and does not keep the others from being settled', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const [strange, usual] = [await desk.newOrder(), await desk.newOrder()];
    await desk.pay(strange, 'tok_timeout');
    await desk.pay(usual, 'tok_timeout');
    // Somebody took the money at the provider, past us.
    await desk.provider.capture(`${strange.orderId}#1`, won(12_900));
    desk.later(61);
    await expect(desk.reconcile()).rejects.toThrow('1 payments could not be reconciled');
    expect((await desk.auditAtRest(usual)).order.status).toBe('PLACED');
    expect((await desk.look(strange)).payments[0]!.status).toBe('UNKNOWN');
  });
});

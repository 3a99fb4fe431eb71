import { expect } from 'vitest';
import orders from '../../functions/orders/contract.ts';
import { type OrderSnapshot, orderOf } from '../../functions/orders/parts.ts';
import { createOrder } from '../../functions/orders/store.ts';
import { handlers as orderTasks } from '../../functions/orders/tasks.ts';
import { handlers } from '../../functions/payments/api.ts';
import payments from '../../functions/payments/contract.ts';
import { providerKey } from '../../functions/payments/domain.ts';
import { handlers as reactions } from '../../functions/payments/events.ts';
import type { PaymentProvider } from '../../functions/payments/provider.ts';
import { type Faults, simulatedProvider } from '../../functions/payments/simulated-provider.ts';
import { attemptsOf } from '../../functions/payments/store.ts';
import { handlers as taskHandlers } from '../../functions/payments/tasks.ts';
import type { Money } from '../../shared/money.ts';
import type { Envelope } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { instantOf } from '../../shared/time.ts';
import { apiOf, customerCaller, listenerOf, outboxOf, taskRunnerOf } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

export const won = (amountMinor: number): Money => ({ amountMinor, currency: 'KRW' });

/** One process of ours: the payments functions on some view of the world. */
const processOf = (runtime: Runtime, provider: PaymentProvider) => {
  const call = apiOf(payments, handlers(runtime, provider), runtime);
  const runTask = taskRunnerOf(payments, taskHandlers(runtime, provider), runtime);
  return {
    call,
    reconcile: () => runTask({ task: 'reconcile' }),
    hear: listenerOf(payments, reactions(runtime, provider), runtime),
    pay: (order: OrderSnapshot, token = 'tok_approve', idempotencyKey?: string) =>
      call('pay', {
        as: customerCaller(order.customerId),
        path: { orderId: order.orderId },
        body: { method: { kind: 'CARD', token } },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    confirm: (order: OrderSnapshot, attempt = 1) =>
      call('confirm', {
        as: customerCaller(order.customerId),
        path: { orderId: order.orderId, attempt: String(attempt) },
      }),
  };
};
export type Process = ReturnType<typeof processOf>;

/** What the provider may say where we say this, at rest. */
const atProvider: Record<string, readonly string[]> = {
  AUTHORIZED: ['APPROVED'],
  CAPTURED: ['CAPTURED'],
  PARTIALLY_CAPTURED: ['CAPTURED'],
  VOIDED: ['VOIDED'],
  FAILED: ['DECLINED', 'VOIDED', 'NONE'],
};

/** Orders that wait for their money, a provider whose connection can be cut, and a clock that is moved by hand. */
export const openDesk = async () => {
  const engine = await startTestEngine(payments, orders);
  const clock = { nowMs: Date.parse('2026-11-21T09:00:00.000Z') };
  const runtime = engine.runtime(clock);
  /** What goes wrong on the way to the provider; a test sets it and takes it away. */
  const faults: Faults = {};
  const provider = simulatedProvider(runtime.tables, {
    before: async (operation, key) => faults.before?.(operation, key),
    after: async (operation, key) => faults.after?.(operation, key),
  });
  const expireUnpaid = taskRunnerOf(orders, orderTasks(runtime), runtime);
  const process = processOf(runtime, provider);

  const eventsOf = async (orderId: string): Promise<Envelope[]> =>
    (await outboxOf(runtime)).filter(({ data }) => (data as { orderId?: string }).orderId === orderId);

  const look = async ({ orderId }: OrderSnapshot) => {
    const attempts = await attemptsOf(runtime.tables, orderId);
    const charges = await Promise.all(
      attempts.map((payment) => simulatedProvider(runtime.tables).outcomeOf(providerKey(payment))),
    );
    const order = await orderOf(runtime.tables, orderId);
    return { order: order!, payments: attempts, charges, events: await eventsOf(orderId) };
  };

  return {
    ...process,
    runtime,
    clock,
    faults,
    provider,
    look,
    close: engine.close,
    /** A second process with its own view of the tables and of the provider. */
    processWith: processOf,
    later: (seconds: number): void => {
      clock.nowMs += seconds * 1000;
    },

    newOrder: async (total: Money = won(12_900), channelId?: string): Promise<OrderSnapshot> => {
      const orderId = runtime.newId('order');
      const order: OrderSnapshot = {
        orderId,
        customerId: `customer-${orderId}`,
        ...(channelId === undefined ? {} : { channelId }),
        status: 'PENDING_PAYMENT',
        choice: 'HOME_DELIVERY',
        lines: [{ sku: 'TEE', units: 1, unitPrice: total, taxRatePercent: 10, storage: 'AMBIENT' }],
        total,
        fulfilments: [],
        payBy: instantOf(clock.nowMs + 15 * 60_000),
        version: 1,
      };
      const created = await runtime.tables.commit([createOrder(order)]);
      if (!created.ok) throw new Error(created.refusal.detail);
      return order;
    },

    /** Every order expires whose time has run out, and payments hear of it. */
    expireOrders: async (...expected: OrderSnapshot[]): Promise<void> => {
      await expireUnpaid({ task: 'expireUnpaid' });
      for (const { orderId } of expected) {
        for (const event of await eventsOf(orderId)) {
          if (event.type === 'order.cancelled.v1') await process.hear(event);
        }
      }
    },

    /**
     * Invariant I6 and its like, once everything has come to rest: nothing is open, what we say is what the provider
     * says, at most one charge holds money, the order is placed exactly if one does, and each fact was told once.
     */
    auditAtRest: async (order: OrderSnapshot) => {
      const seen = await look(order);
      for (const [index, payment] of seen.payments.entries()) {
        expect(atProvider[payment.status], `${payment.status} at rest`).toBeDefined();
        expect(atProvider[payment.status], `${payment.status}, provider`).toContain(seen.charges[index]!.state);
      }
      const holding = seen.charges.filter(({ state }) => state === 'APPROVED' || state === 'CAPTURED');
      expect(holding.length).toBeLessThanOrEqual(1);
      const isPaid = seen.order.status === 'PLACED';
      expect(isPaid).toBe(holding.length === 1);
      const told = (type: string): number => seen.events.filter((event) => event.type === type).length;
      expect(told('payment.authorised.v1')).toBe(isPaid ? 1 : 0);
      expect(told('order.placed.v1')).toBe(isPaid ? 1 : 0);
      expect(told('payment.voided.v1')).toBe(seen.payments.filter(({ status }) => status === 'VOIDED').length);
      expect(new Set(seen.events.map(({ type, id }) => `${type} ${id}`)).size).toBe(seen.events.length);
      return seen;
    },
  };
};

export type Desk = Awaited<ReturnType<typeof openDesk>>;

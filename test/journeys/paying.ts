import { expect } from 'vitest';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { CENTRE } from './chain.ts';
import { type Journeys, refusalOf, type Shop } from './shop.ts';

const paymentKey = (orderId: string) => ({ pk: `ORDER#${orderId}`, sk: 'PAYMENT#001' });
const orderKey = (orderId: string) => ({ pk: `ORDER#${orderId}`, sk: 'ORDER' });

/** A customer with an order of one unit, not paid. */
const unpaid = async (shop: Shop) => {
  const sku = await shop.goods({ [CENTRE]: 1 });
  const customer = await shop.customer();
  const { orderId } = await customer.order([{ sku, units: 1 }]);
  return { sku, customer, orderId };
};

/** Fifteen minutes later. */
const expire = async ({ world }: Shop, orderId: string): Promise<void> => {
  await world.makeDue('orders', orderKey(orderId));
  await world.runTask('orders', 'expireUnpaid');
};

export const paying: Journeys = {
  'a declined card leaves the order payable, and the next one pays it': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    expect(await customer.pay(orderId, 'tok_decline')).toMatchObject({
      status: 'FAILED',
      failure: { code: 'declined' },
    });
    expect(await customer.see(orderId)).toMatchObject({ status: 'PENDING_PAYMENT' });
    expect(await customer.pay(orderId)).toMatchObject({ status: 'AUTHORIZED', attempt: 2 });
    await customer.sees(orderId, 'PLACED');
    expect(await refusalOf(customer.pay(orderId))).toBe('wrong-state');
  },

  "a card that needs the buyer's action pays once that is done": async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    const asked = await customer.pay(orderId, 'tok_needs_action');
    expect(asked).toMatchObject({ status: 'REQUIRES_ACTION', nextAction: { url: expect.stringMatching(/^https:/) } });
    expect(await refusalOf(customer.pay(orderId))).toBe('payment-in-progress');
    const confirm = () => customer.client(payments.operations.confirm, { orderId, attempt: asked.attempt });
    const confirmed = await Promise.all([confirm(), confirm()]);
    expect(confirmed).toMatchObject([{ status: 'AUTHORIZED' }, { status: 'AUTHORIZED' }]);
    await customer.sees(orderId, 'PLACED');
  },

  'a buyer who has yet to act is waited for': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    await customer.pay(orderId, 'tok_needs_action');
    await shop.world.makeDue('payments', paymentKey(orderId));
    await shop.world.runTask('payments', 'reconcile');
    expect(await customer.payments(orderId)).toMatchObject([{ status: 'REQUIRES_ACTION' }]);
    expect(await customer.see(orderId)).toMatchObject({ status: 'PENDING_PAYMENT' });
  },

  'a provider that did not answer is asked again, and the order is placed': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    expect(await customer.pay(orderId, 'tok_timeout')).toMatchObject({ status: 'UNKNOWN' });
    expect(await refusalOf(customer.pay(orderId))).toBe('payment-in-progress');
    await shop.world.makeDue('payments', paymentKey(orderId));
    await Promise.all([shop.world.runTask('payments', 'reconcile'), shop.world.runTask('payments', 'reconcile')]);
    expect(await customer.payments(orderId)).toMatchObject([{ status: 'AUTHORIZED' }]);
    await customer.sees(orderId, 'PLACED');
  },

  'an order that is not paid in time gives its stock back and can no longer be paid': async (shop) => {
    const { sku, customer, orderId } = await unpaid(shop);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [1, 1, 0] });
    await expire(shop, orderId);
    expect(await customer.see(orderId)).toMatchObject({ status: 'EXPIRED' });
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [1, 0, 1] });
    expect(await refusalOf(customer.pay(orderId))).toBe('wrong-state');
  },

  'a buyer who acts after the order expired is not charged': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    const { attempt } = await customer.pay(orderId, 'tok_needs_action');
    const release = shop.hold(shop.world.functionArn('payments', 'events'));
    try {
      await expire(shop, orderId);
      const late = await customer.client(payments.operations.confirm, { orderId, attempt });
      expect(late.status).toBe('VOIDED');
    } finally {
      release();
    }
    await shop.world.cloud.whenIdle();
    expect(await customer.payments(orderId)).toMatchObject([{ status: 'VOIDED' }]);
  },

  'a provider that comes back after the order expired holds nothing': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    await customer.pay(orderId, 'tok_timeout');
    await expire(shop, orderId);
    await customer.seesPayment(orderId, 'VOIDED');
    expect(await shop.world.item('payments', { pk: `PROVIDER#${orderId}#1`, sk: 'CHARGE' })).toMatchObject({
      state: 'VOIDED',
    });
  },

  'two payments at once are one charge': async (shop) => {
    const { customer, orderId } = await unpaid(shop);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => customer.pay(orderId)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await customer.payments(orderId)).toMatchObject([{ status: 'AUTHORIZED', attempt: 1 }]);
    const { items } = await customer.client(orders.operations.orders, {});
    expect(items).toMatchObject([{ orderId, status: 'PLACED' }]);
  },
};

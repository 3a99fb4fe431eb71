import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cartOf } from '../../functions/carts/parts.ts';
import { outboxOf } from '../support/call.ts';
import { type Customer, customerWith, openShop, place, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

/** A SKU of this test's own, at 10,000 won, with stock. */
const stocked = async (units: Record<string, number>, amountMinor = 10_000): Promise<string> => {
  const sku = `SKU-${randomUUID().slice(0, 8)}`;
  await shop.sell(sku, amountMinor);
  for (const [nodeId, count] of Object.entries(units)) await shop.receive(nodeId, sku, count);
  return sku;
};
const ordersOf = async ({ as }: Customer) => (await shop.call.orders('orders', { as })).body.items;
const problemOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');
const countBy = (items: readonly unknown[]) =>
  Object.fromEntries(Object.entries(Object.groupBy(items, String)).map(([item, all]) => [item, all!.length]));

describe('placing an order', () => {
  it('fixes prices, promises stock at the chosen node, takes the cart and waits 15 minutes for the payment', async () => {
    const sku = await stocked({ 'dc-icheon': 5 }, 12_900);
    const customer = await customerWith(shop, { [sku]: 2 });
    const { status, body } = await place(shop, customer);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'PENDING_PAYMENT',
      choice: 'HOME_DELIVERY',
      lines: [
        {
          sku,
          units: 2,
          unitPrice: { amountMinor: 12_900, currency: 'KRW' },
          total: { amountMinor: 25_800, currency: 'KRW' },
          tax: { amountMinor: 2_345, currency: 'KRW' },
        },
      ],
      total: { amountMinor: 25_800, currency: 'KRW' },
      tax: { amountMinor: 2_345, currency: 'KRW' },
      fulfilments: [{ fulfilmentOrderId: `${body.orderId}-1`, nodeId: 'dc-icheon', lines: [{ sku, units: 2 }] }],
      payBy: '2026-11-23T01:15:00.000Z',
    });
    expect(body.promise.deliverBy > '2026-11-23').toBe(true);
    expect(body.promise.text).not.toBe('');
    expect(body.fulfilments[0].reason).toContain('dc-icheon');
    expect(await shop.levels(sku)).toEqual({ 'dc-icheon': { onHand: 5, allocated: 2, available: 3 } });
    const emptied = await cartOf(shop.runtime.tables, customer.id);
    expect(emptied).toMatchObject({ lines: [] });
    expect(emptied?.cartId).not.toBe(customer.cartId);
    expect((await shop.call.orders('order', { as: customer.as, path: { orderId: body.orderId } })).body).toEqual(body);
  });

  it('says that stock is committed, and nothing of an order that nobody has paid', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const { body } = await place(shop, await customerWith(shop, { [sku]: 1 }));
    const said = (await outboxOf(shop.runtime)).filter((event) => JSON.stringify(event).includes(body.orderId));
    expect(said.map(({ type, subject }) => [type, subject])).toEqual([
      ['inventory.stock-committed.v1', `allocation/${body.orderId}-1`],
    ]);
  });

  it('an order that no node has alone is supplied by two, each promised its own', async () => {
    const sku = await stocked({ 'dc-icheon': 2, 'store-gangnam': 1 });
    const { status, body } = await place(shop, await customerWith(shop, { [sku]: 3 }));
    expect(status).toBe(201);
    const units = Object.fromEntries(
      body.fulfilments.map((part: { nodeId: string; lines: { units: number }[] }) => [
        part.nodeId,
        part.lines[0]!.units,
      ]),
    );
    expect(units).toEqual({ 'dc-icheon': 2, 'store-gangnam': 1 });
    expect(body.fulfilments.map((part: { fulfilmentOrderId: string }) => part.fulfilmentOrderId)).toEqual([
      `${body.orderId}-1`,
      `${body.orderId}-2`,
    ]);
    const levels = await shop.levels(sku);
    expect(
      Object.values(levels)
        .map(({ available, allocated }) => [available, allocated])
        .sort(),
    ).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  it('a pickup is promised at the very node, and says when it is ready', async () => {
    const sku = await stocked({ 'dc-icheon': 9, 'store-gangnam': 1 });
    const customer = await customerWith(shop, { [sku]: 1 }, { choice: 'PICKUP', nodeId: 'store-gangnam' });
    const { status, body } = await place(shop, customer);
    expect(status).toBe(201);
    expect(body).toMatchObject({ choice: 'PICKUP', fulfilments: [{ nodeId: 'store-gangnam' }] });
    expect(body.promise.readyBy).toBeDefined();
    expect(body.promise.deliverBy).toBeUndefined();
  });

  it('forty different SKUs are one order, unless they have to be taken from too many shelves', async () => {
    const skus = Array.from({ length: 40 }, (_, index) => `MANY-${index}`);
    await shop.sell(skus, 1_000);
    for (const nodeId of ['dc-icheon', 'store-gangnam']) await shop.receive(nodeId, skus, 3);
    const inCart = (units: number) => customerWith(shop, Object.fromEntries(skus.map((sku) => [sku, units])));
    // Four of each would be taken from two nodes: eighty promises, more than one transaction holds.
    const tooMany = await place(shop, await inCart(4));
    expect([tooMany.status, problemOf(tooMany)]).toEqual([409, 'not-deliverable']);
    expect((await shop.levels('MANY-0'))['dc-icheon']!.allocated).toBe(0);
    const { status, body } = await place(shop, await inCart(1));
    expect([status, body.lines.length, body.total.amountMinor]).toEqual([201, 40, 40_000]);
  });
});

describe('the last unit', () => {
  it('is sold exactly once, however many want it at the same moment', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const customers = await Promise.all(Array.from({ length: 12 }, () => customerWith(shop, { [sku]: 1 })));
    const answers = await Promise.all(customers.map((customer) => place(shop, customer)));
    expect(countBy(answers.map(({ status }) => status))).toEqual({ 201: 1, 409: 11 });
    expect(countBy(answers.map(problemOf))).toEqual({ undefined: 1, 'sold-out': 11 });
    expect(await shop.levels(sku)).toEqual({ 'dc-icheon': { onHand: 1, allocated: 1, available: 0 } });
    for (const [index, { status }] of answers.entries()) {
      const cart = await cartOf(shop.runtime.tables, customers[index]!.id);
      expect(cart?.cartId === customers[index]!.cartId).toBe(status !== 201);
    }
  });

  it('whoever loses it at one node gets it at another that has one', async () => {
    const sku = await stocked({ 'dc-icheon': 1, 'store-gangnam': 1 });
    const customers = await Promise.all(Array.from({ length: 6 }, () => customerWith(shop, { [sku]: 1 })));
    const answers = await Promise.all(customers.map((customer) => place(shop, customer)));
    const sold = answers.filter(({ status }) => status === 201);
    expect(sold.map(({ body }) => body.fulfilments[0].nodeId).sort()).toEqual(['dc-icheon', 'store-gangnam']);
    expect(countBy(answers.map(problemOf))).toEqual({ undefined: 2, 'sold-out': 4 });
  });
});

describe('sent twice', () => {
  it('with one key at the same moment: one order, and the same bytes for everybody', async () => {
    const sku = await stocked({ 'dc-icheon': 9 });
    const customer = await customerWith(shop, { [sku]: 2 });
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 6 }, () => place(shop, customer, { idempotencyKey })));
    const again = await place(shop, customer, { idempotencyKey });
    expect(new Set([...answers, again].map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(again.status).toBe(201);
    expect(await ordersOf(customer)).toHaveLength(1);
    expect(await shop.levels(sku)).toMatchObject({ 'dc-icheon': { allocated: 2 } });
  });

  it('with different keys at the same moment: one cart is still one order', async () => {
    const sku = await stocked({ 'dc-icheon': 9 });
    const customer = await customerWith(shop, { [sku]: 2 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => place(shop, customer)));
    expect(countBy(answers.map(({ status }) => status))).toEqual({ 201: 1, 404: 5 });
    expect(await ordersOf(customer)).toHaveLength(1);
    expect(await shop.levels(sku)).toMatchObject({ 'dc-icheon': { allocated: 2 } });
  });

  it('with one key and another body: refused, and nothing happens', async () => {
    const sku = await stocked({ 'dc-icheon': 9 });
    const customer = await customerWith(shop, { [sku]: 1 });
    const idempotencyKey = randomUUID();
    await place(shop, customer, { idempotencyKey });
    const other = await place(shop, { ...customer, cartId: 'crt_other' }, { idempotencyKey });
    expect([other.status, problemOf(other)]).toEqual([422, 'idempotency-key-reused']);
  });

  it('because the first acknowledgement was lost: the repeat gets the answer of the order that is there', async () => {
    const sku = await stocked({ 'dc-icheon': 9 });
    const customer = await customerWith(shop, { [sku]: 1 });
    const stop = shop.engine.intercept(async (operation, input, next) => {
      const result = await next(input);
      if (operation === 'TransactWriteItems') throw new Error('the connection broke after the commit');
      return result;
    });
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const idempotencyKey = randomUUID();
    const lost = await place(shop, customer, { idempotencyKey });
    stop();
    log.mockRestore();
    expect(lost.status).toBe(500);
    const repeated = await place(shop, customer, { idempotencyKey });
    expect(repeated.status).toBe(201);
    expect((await ordersOf(customer)).map(({ orderId }: { orderId: string }) => orderId)).toEqual([
      repeated.body.orderId,
    ]);
    expect(await shop.levels(sku)).toMatchObject({ 'dc-icheon': { allocated: 1 } });
  });
});

describe('prices', () => {
  it('come from the server: a price that is sent along is refused', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const customer = await customerWith(shop, { [sku]: 1 });
    const lines = [{ sku, units: 1, unitPrice: { amountMinor: 1, currency: 'KRW' } }];
    const answer = await place(shop, customer, { body: { lines, total: { amountMinor: 1, currency: 'KRW' } } });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ field }: { field: string }) => field)).toEqual(['/lines', '/total']);
  });

  it('are those of the moment of the order, and stay when the catalog changes', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const customer = await customerWith(shop, { [sku]: 1 });
    await shop.sell(sku, 11_000);
    const { body } = await place(shop, customer);
    expect(body.total.amountMinor).toBe(11_000);
    await shop.sell(sku, 99_000);
    const later = await shop.call.orders('order', { as: customer.as, path: { orderId: body.orderId } });
    expect(later.body.total.amountMinor).toBe(11_000);
  });

  it('that are not what the customer saw are not charged', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const customer = await customerWith(shop, { [sku]: 2 });
    await shop.sell(sku, 10_500);
    const seen = { expectedTotal: { amountMinor: 20_000, currency: 'KRW' } };
    const refused = await place(shop, customer, { body: seen });
    expect([refused.status, problemOf(refused)]).toEqual([409, 'price-changed']);
    expect(refused.body.detail).toContain('21000');
    expect(await shop.levels(sku)).toMatchObject({ 'dc-icheon': { allocated: 0 } });
    expect((await cartOf(shop.runtime.tables, customer.id))?.cartId).toBe(customer.cartId);
    const agreed = await place(shop, customer, { body: { expectedTotal: { amountMinor: 21_000, currency: 'KRW' } } });
    expect(agreed.status).toBe(201);
  });
});

describe('an order that cannot be placed says why', () => {
  it('a cart that is not there, or somebody else’s', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const [mine, theirs] = [await customerWith(shop, { [sku]: 1 }), await customerWith(shop, { [sku]: 1 })];
    for (const cartId of [theirs.cartId, 'crt_never']) {
      const answer = await place(shop, { ...mine, cartId });
      expect([answer.status, problemOf(answer)]).toEqual([404, 'not-found']);
    }
    expect((await cartOf(shop.runtime.tables, theirs.id))?.cartId).toBe(theirs.cartId);
  });

  it('an empty cart', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const customer = await customerWith(shop, { [sku]: 1 });
    await shop.call.carts('removeLine', { as: customer.as, path: { sku } });
    expect(problemOf(await place(shop, customer))).toBe('cart-empty');
  });

  it('no way of fulfilment chosen', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const customer = await customerWith(shop, { [sku]: 1 });
    await place(shop, customer);
    const next = await shop.call.carts('setLine', { as: customer.as, path: { sku }, body: { units: 1 } });
    const answer = await place(shop, { ...customer, cartId: next.body.cartId });
    expect([answer.status, problemOf(answer)]).toEqual([409, 'delivery-not-chosen']);
  });

  it('an address that is gone because its customer was erased', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const customer = await customerWith(shop, { [sku]: 1 });
    await shop.call.customers('erase', { as: customer.as });
    expect(problemOf(await place(shop, customer))).toBe('delivery-not-chosen');
  });

  it('a SKU that nobody sells any more, or sells in another currency', async () => {
    const [sku, other] = [await stocked({ 'dc-icheon': 5 }), await stocked({ 'dc-icheon': 5 })];
    const customer = await customerWith(shop, { [sku]: 1, [other]: 1 });
    await shop.sell(other, 1_000, 'USD');
    const answer = await place(shop, customer);
    expect([answer.status, problemOf(answer)]).toEqual([409, 'not-sellable']);
    expect(answer.body.detail).toBe(`${other} is sold in USD, this order is in KRW`);
  });

  it('more than there is anywhere, or a way that no node offers', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    expect(problemOf(await place(shop, await customerWith(shop, { [sku]: 2 })))).toBe('sold-out');
    const addressee = await customerWith(shop, { [sku]: 1 });
    const addressId = await shop.addressFor(addressee.id);
    await shop.call.carts('chooseDelivery', { as: addressee.as, body: { choice: 'DAWN', addressId } });
    expect(problemOf(await place(shop, addressee))).toBe('not-deliverable');
    expect(await shop.levels(sku)).toMatchObject({ 'dc-icheon': { available: 1, allocated: 0 } });
  });
});

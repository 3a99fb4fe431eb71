import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import carts from '../../functions/carts/contract.ts';
import catalog from '../../functions/catalog/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import network from '../../functions/network/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import platform from '../../functions/platform/contract.ts';
import { ProblemError } from '../../shared/client.ts';
import { CENTRE, NEAR, NODES } from './chain.ts';
import { ADDRESS, type Customer, type Journeys, refusalOf, type Shop } from './shop.ts';

/** Sends `POST` as it stands, to compare the very bytes of answers. */
const posts = async ({ world }: Shop, path: string, token: string, key: string, body: object) => {
  const response = await fetch(`${world.access.apiUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};

const problemOf = (outcome: PromiseSettledResult<unknown>): string => {
  if (outcome.status === 'fulfilled') return 'none';
  if (!(outcome.reason instanceof ProblemError)) throw outcome.reason;
  return outcome.reason.problem.type.replace('urn:ieum:problem:', '');
};

const ordersOf = async ({ client }: Customer) => (await client(orders.operations.orders, {})).items;

export const ordering: Journeys = {
  'an order sent twice at once, and again later, is answered with the same bytes': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 3 });
    const customer = await shop.customer();
    const { cartId } = await customer.fillCart([{ sku, units: 1 }]);
    const token = await shop.tokenOf(customer.username);
    const place = (key: string) => posts(shop, '/v1/orders', token, key, { cartId });
    const [first, second] = await Promise.all([place('one-click'), place('one-click')]);
    expect(first.status).toBe(201);
    expect(second).toEqual(first);
    const { orderId } = JSON.parse(first.text) as { orderId: string };
    await customer.pay(orderId);
    expect(await place('one-click')).toEqual(first);
    expect((await posts(shop, '/v1/orders', token, 'one-click', { cartId: 'crt_other' })).status).toBe(422);
    expect(await ordersOf(customer)).toMatchObject([{ orderId, status: 'PLACED' }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [3, 1, 2] });
  },

  'one cart becomes one order and one payment, however often it is sent': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 9 });
    const customer = await shop.customer();
    const { cartId, total } = await customer.fillCart([{ sku, units: 1 }]);
    const place = () => customer.client(orders.operations.place, { cartId: cartId!, expectedTotal: total });
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, place));
    expect(outcomes.map(problemOf).sort()).toEqual(['none', ...Array(5).fill('not-found')].sort());
    const [order, ...others] = await ordersOf(customer);
    expect(others).toEqual([]);
    await Promise.allSettled([customer.pay(order!.orderId), customer.pay(order!.orderId)]);
    expect(await customer.payments(order!.orderId)).toMatchObject([{ status: 'AUTHORIZED' }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [9, 1, 8] });
  },

  'the last unit goes to one of twenty shoppers, and the others hear that it is sold out': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 1 });
    const shoppers = await Promise.all(Array.from({ length: 20 }, () => shop.customer()));
    const filled = await Promise.all(shoppers.map((one) => one.fillCart([{ sku, units: 1 }])));
    const outcomes = await Promise.allSettled(
      shoppers.map(({ client }, at) => client(orders.operations.place, { cartId: filled[at]!.cartId! })),
    );
    expect(outcomes.map(problemOf).sort()).toEqual(['none', ...Array(19).fill('sold-out')].sort());
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [1, 1, 0] });
    expect(await shop.anyone(inventory.operations.availability, { sku })).toMatchObject({ available: 0 });
  },

  'two devices of one customer share the cart': async (shop) => {
    const [tea, cup] = [await shop.goods({ [CENTRE]: 3 }), await shop.goods({ [CENTRE]: 3 }, { priceMinor: 300 })];
    const customer = await shop.customer();
    const phone = customer.client;
    const laptop = shop.person(customer.username);
    await phone(carts.operations.setLine, { sku: tea, units: 1 });
    await Promise.all([
      phone(carts.operations.setLine, { sku: tea, units: 2 }),
      laptop(carts.operations.setLine, { sku: cup, units: 1 }),
    ]);
    const cart = await laptop(carts.operations.current, {});
    expect(Object.fromEntries(cart.lines.map(({ sku, units }) => [sku, units]))).toEqual({ [tea]: 2, [cup]: 1 });
    expect(cart.total?.amountMinor).toBe(20_300);
    await laptop(carts.operations.removeLine, { sku: cup });
    expect(await phone(carts.operations.current, {})).toMatchObject({ lines: [{ sku: tea, units: 2 }] });
  },

  'nobody is charged a price that they were not shown': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 1 });
    const customer = await shop.customer();
    const cart = await customer.fillCart([{ sku, units: 1 }]);
    await shop.headOffice(catalog.operations.publish, {
      ...{ productId: `prd-${sku}`, name: { ko: sku }, category: 'test', storage: 'AMBIENT' },
      variants: [{ sku, price: { amountMinor: 12_000, currency: 'KRW' }, taxRatePercent: 10 }],
    });
    const { cartId, total } = cart;
    expect(await refusalOf(customer.client(orders.operations.place, { cartId: cartId!, expectedTotal: total }))).toBe(
      'price-changed',
    );
    // What a cart shows may be a second old.
    await setTimeout(1_100);
    const order = await customer.order([{ sku, units: 1 }]);
    expect([order.total, order.tax]).toEqual([
      { amountMinor: 12_000, currency: 'KRW' },
      { amountMinor: 1_090, currency: 'KRW' },
    ]);
  },

  "a channel's order is delivered to its buyer, one for each of its references": async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 9 });
    const channel = shop.channel();
    const place = (reference: string) =>
      channel(orders.operations.placeForChannel, {
        ...{ reference, buyer: { reference: 'buyer-1' }, lines: [{ sku, units: 1 }] },
        delivery: { choice: 'HOME_DELIVERY', shipTo: ADDRESS },
      });
    const reference = crypto.randomUUID();
    const order = await place(reference);
    expect(await refusalOf(place(reference))).toBe('already-exists');
    // A second order of a buyer who is known by now.
    await place(crypto.randomUUID());
    const { orderId } = order;
    await channel(payments.operations.pay, { orderId, method: { kind: 'CARD', token: 'tok_approve' } });
    await shop.associate(CENTRE).deliver(orderId);
    await shop.world.cloud.whenIdle();
    expect(await channel(orders.operations.order, { orderId })).toMatchObject({ status: 'COMPLETED' });
    expect(await channel(orders.operations.anyOrder, { orderId })).toMatchObject({ reference });
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [8, 1, 7] });
  },

  'head office counts, and may not book away what is not there': async (shop) => {
    const { headOffice } = shop;
    const sku = await shop.goods({ [NEAR]: 3 });
    const adjust = (unitsDelta: number) =>
      headOffice(inventory.operations.adjust, { nodeId: NEAR, sku, unitsDelta, reason: 'count' });
    await adjust(-1);
    expect(await refusalOf(adjust(-3))).toBe('insufficient-stock');
    const { items } = await headOffice(inventory.operations.ledger, { sku, nodeId: NEAR });
    expect(items.map(({ kind, onHand }) => [kind, onHand])).toEqual([
      ['RECEIPT', 3],
      ['CORRECTION', -1],
    ]);
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [2, 0, 2] });
  },

  'anybody may look at the shop window': async (shop) => {
    const { anyone } = shop;
    const sku = await shop.goods({ [NEAR]: 1 });
    const productId = `prd-${sku}`;
    expect(await anyone(platform.operations.health, {})).toMatchObject({ status: 'ok' });
    const listed: string[] = [];
    // Journeys are played again and again in one shop: it has more goods than a page.
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await anyone(catalog.operations.products, { category: 'test', limit: 20, cursor });
      listed.push(...page.items.map((product) => product.productId));
      cursor = page.cursor;
    }
    expect(listed).toContain(productId);
    expect(await anyone(catalog.operations.product, { productId })).toMatchObject({ variants: [{ sku }] });
    expect(await anyone(catalog.operations.variant, { sku })).toMatchObject({ price: { amountMinor: 10_000 } });
    expect(await anyone(network.operations.node, { nodeId: NEAR })).toMatchObject({ nodeId: NEAR });
    expect((await anyone(network.operations.nodes, {})).items).toHaveLength(NODES.length);
  },
};

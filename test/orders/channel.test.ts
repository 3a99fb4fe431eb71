import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf } from '../../functions/customers/parts.ts';
import { orderOf } from '../../functions/orders/parts.ts';
import { channelCaller, customerCaller, staffCaller } from '../support/call.ts';
import { customerWith, homeInSeoul, openShop, place, type Shop } from './shop.ts';

const SKU = 'TEE-BLK-M';
const market = channelCaller('market1');
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.sell(SKU, 10_000);
  await shop.receive('dc-icheon', SKU, 1_000);
  await shop.receive('store-gangnam', SKU, 1_000);
});
afterAll(() => shop.close());

const wish = (extra: object = {}) => ({
  reference: randomUUID(),
  buyer: { reference: 'buyer-1' },
  lines: [{ sku: SKU, units: 1 }],
  delivery: { choice: 'HOME_DELIVERY', shipTo: homeInSeoul },
  ...extra,
});
const send = (body: object, as = market) => shop.call.orders('placeForChannel', { as, body });
const problemOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');

describe('an order of a channel', () => {
  it('is placed like any other, for the buyer that the channel knows', async () => {
    const { status, body, text } = await send(wish());
    expect(status, text).toBe(201);
    expect(body).toMatchObject({ status: 'PENDING_PAYMENT', total: { amountMinor: 10_000 }, choice: 'HOME_DELIVERY' });
    const order = await orderOf(shop.runtime.tables, body.orderId);
    expect(order).toMatchObject({ customerId: 'market1_buyer-1', channelId: 'market1' });
    expect(await addressOf(shop.runtime.tables, order!.customerId, order!.addressId!)).toEqual(homeInSeoul);
  });

  it('leaves the address nowhere but sealed with the customer', async () => {
    const shipTo = { ...homeInSeoul, recipient: 'Unmistakable Recipient', line1: 'Nowhere Lane 77' };
    const { status } = await send(wish({ delivery: { choice: 'HOME_DELIVERY', shipTo } }));
    expect(status).toBe(201);
    for (const TableName of ['orders', 'customers', 'inventory']) {
      const { Items } = await shop.engine.client.send(new ScanCommand({ TableName }));
      expect(Items!.length).toBeGreaterThan(0);
      expect(JSON.stringify(Items)).not.toMatch(/Unmistakable|Nowhere Lane/);
    }
  });

  it('is one a reference: sent again under another key it is refused and the order is named', async () => {
    const body = wish();
    const first = await send(body);
    const second = await send(body);
    expect([second.status, problemOf(second)]).toEqual([409, 'already-exists']);
    expect(second.body.detail).toContain(first.body.orderId);
    expect((await send(body, channelCaller('market2'))).status).toBe(201);
  });

  it('is one a reference, at the same moment too', async () => {
    const before = await shop.levels(SKU);
    const body = wish({ buyer: { reference: 'crowd' } });
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    const after = await shop.levels(SKU);
    expect(after['dc-icheon']!.allocated - before['dc-icheon']!.allocated).toBe(1);
  });

  it('sums lines of one SKU, and can be collected', async () => {
    const lines = [
      { sku: SKU, units: 1 },
      { sku: SKU, units: 2 },
    ];
    const { status, body } = await send(wish({ lines, delivery: { choice: 'PICKUP', nodeId: 'store-gangnam' } }));
    expect(status).toBe(201);
    expect(body.lines).toMatchObject([{ units: 3 }]);
    expect(body.fulfilments).toMatchObject([{ nodeId: 'store-gangnam', lines: [{ sku: SKU, units: 3 }] }]);
    expect((await orderOf(shop.runtime.tables, body.orderId))!.addressId).toBeUndefined();
  });

  it('in another currency, or at another total than the buyer paid, is refused', async () => {
    expect(problemOf(await send(wish({ currency: 'USD' })))).toBe('not-sellable');
    expect(problemOf(await send(wish({ expectedTotal: { amountMinor: 9_999, currency: 'KRW' } })))).toBe(
      'price-changed',
    );
    expect(
      (await send(wish({ currency: 'KRW', expectedTotal: { amountMinor: 10_000, currency: 'KRW' } }))).status,
    ).toBe(201);
  });

  it.each([
    [{ lines: [] }, '/lines'],
    [{ lines: [{ sku: SKU, units: 0 }] }, '/lines/0/units'],
    [{ lines: [{ sku: SKU, units: 1, unitPrice: 1 }] }, '/lines/0/unitPrice'],
    [{ buyer: { reference: 'a_b' } }, '/buyer/reference'],
    [{ reference: 'with space' }, '/reference'],
    [{ delivery: { choice: 'PICKUP', shipTo: homeInSeoul } }, '/delivery/nodeId'],
    [
      { delivery: { choice: 'HOME_DELIVERY', shipTo: { ...homeInSeoul, country: 'Korea' } } },
      '/delivery/shipTo/country',
    ],
    [{ status: 'PLACED' }, '/status'],
  ])('%j is refused and the field is named', async (extra, field) => {
    const answer = await send(wish(extra));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });
});

describe('whose order it is', () => {
  const see = (orderId: string, as = market) => shop.call.orders('order', { as, path: { orderId } });

  it('a channel sees what it placed; for another channel and for customers it does not exist', async () => {
    const { body } = await send(wish());
    expect((await see(body.orderId)).body).toEqual(body);
    const others = [channelCaller('market2'), customerCaller('mina')];
    expect((await Promise.all(others.map((as) => see(body.orderId, as)))).map(({ status }) => status)).toEqual([
      404, 404,
    ]);
  });

  it('somebody else’s order answers as a missing one does', async () => {
    const customer = await customerWith(shop, { [SKU]: 1 });
    const { body } = await place(shop, customer);
    const [foreign, missing] = await Promise.all([
      see(body.orderId, customerCaller('eve')),
      see('ord_0', customerCaller('eve')),
    ]);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(foreign.body.detail.replace(body.orderId, 'ord_0')).toBe(missing.body.detail);
    expect((await see(body.orderId, customer.as)).body).toEqual(body);
  });

  it('staff with the scope see any order and whose it is, and customers do not', async () => {
    const { body } = await send(wish({ reference: 'R-1' }));
    const seen = await shop.call.orders('anyOrder', {
      as: staffCaller('*', 'orders:read'),
      path: { orderId: body.orderId },
    });
    expect(seen.body).toMatchObject({
      ...body,
      customerId: 'market1_buyer-1',
      channelId: 'market1',
      reference: 'R-1',
      version: 1,
    });
    const refused = await shop.call.orders('anyOrder', { as: customerCaller('mina'), path: { orderId: body.orderId } });
    expect(refused.status).toBe(403);
  });

  it('a customer’s list holds their own orders, newest first, page by page', async () => {
    const customer = await customerWith(shop, { [SKU]: 1 });
    const placed = [(await place(shop, customer)).body.orderId];
    const addressId = await shop.addressFor(customer.id);
    for (const _ of [2, 3]) {
      shop.clock.nowMs += 1_000;
      const cart = await shop.call.carts('setLine', { as: customer.as, path: { sku: SKU }, body: { units: 1 } });
      await shop.call.carts('chooseDelivery', { as: customer.as, body: { choice: 'HOME_DELIVERY', addressId } });
      placed.unshift((await place(shop, { ...customer, cartId: cart.body.cartId })).body.orderId);
    }
    const list = (query: Record<string, string>) => shop.call.orders('orders', { as: customer.as, query });
    const idsOf = ({ body }: { body: { items: { orderId: string }[] } }) => body.items.map(({ orderId }) => orderId);
    const first = await list({ limit: '2' });
    const rest = await list({ limit: '2', cursor: first.body.cursor });
    expect([...idsOf(first), ...idsOf(rest)]).toEqual(placed);
    const stolen = await shop.call.orders('orders', {
      as: customerCaller('eve'),
      query: { cursor: first.body.cursor },
    });
    expect(stolen.status).toBe(400);
    expect(idsOf(await shop.call.orders('orders', { as: customerCaller('eve') }))).toEqual([]);
  });

  it('a token for shopping places no channel order, and a channel has no cart', async () => {
    expect((await send(wish(), customerCaller('mina'))).status).toBe(403);
    expect((await place(shop, { id: 'market1', as: market, cartId: 'crt_1' })).status).toBe(403);
    expect((await shop.call.orders('placeForChannel', { body: wish() })).status).toBe(401);
  });
});

import { expect } from 'vitest';
import carts from '../../functions/carts/contract.ts';
import customers from '../../functions/customers/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import imports from '../../functions/imports/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import type { OutboxItem } from '../../shared/outbox.ts';
import { CENTRE, FAR, NEAR } from './chain.ts';
import { ADDRESS, type Journeys, refusalOf } from './shop.ts';

/** What is kept from others, and what is kept although something failed. */
export const keeping: Journeys = {
  "another customer's order, payments, cart and address look like missing ones": async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 3 });
    const [owner, stranger] = [await shop.customer(), await shop.customer()];
    const { orderId } = await owner.order([{ sku, units: 1 }]);
    const { cartId } = await owner.fillCart([{ sku, units: 1 }]);
    const ask = stranger.client;
    await stranger.fillCart([{ sku, units: 1 }]);
    const attempts = [
      ask(orders.operations.order, { orderId }),
      ask(payments.operations.payments, { orderId }),
      stranger.pay(orderId),
      ask(payments.operations.confirm, { orderId, attempt: 1 }),
      ask(fulfilment.operations.ofOrder, { orderId }),
      ask(orders.operations.place, { cartId: cartId! }),
      ask(carts.operations.chooseDelivery, { choice: 'HOME_DELIVERY', addressId: owner.addressId }),
      ask(carts.operations.deliveryOptions, { addressId: owner.addressId }),
    ];
    for (const refusal of await Promise.all(attempts.map(refusalOf))) expect(refusal).toBe('not-found');
    expect((await ask(orders.operations.orders, {})).items).toEqual([]);
    expect((await ask(customers.operations.addresses, {})).items.map(({ addressId }) => addressId)).toEqual([
      stranger.addressId,
    ]);
    expect(await refusalOf(shop.channel()(orders.operations.order, { orderId }))).toBe('not-found');
  },

  "another store's work looks like missing work": async (shop) => {
    const sku = await shop.goods({ [NEAR]: 1 });
    const { orderId } = await (await shop.customer()).buy([{ sku, units: 1 }]);
    const near = shop.associate(NEAR);
    const { fulfilmentOrderId } = await near.offered(orderId);
    const other = shop.associate(FAR);
    const attempts = [
      other.client(fulfilment.operations.fulfilmentOrder, { fulfilmentOrderId }),
      other.client(fulfilment.operations.worklist, { nodeId: NEAR }),
      other.take(fulfilmentOrderId, 'accept'),
      other.reject(fulfilmentOrderId),
    ];
    for (const refusal of await Promise.all(attempts.map(refusalOf))) expect(refusal).toBe('not-found');
    expect(await near.client(fulfilment.operations.fulfilmentOrder, { fulfilmentOrderId })).toMatchObject({
      work: 'ALLOCATED',
    });
  },

  'a customer who leaves is forgotten, and the order on its way still arrives': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 1 });
    const customer = await shop.customer();
    const { client } = customer;
    const profile = { name: 'A customer', email: 'a@test.example', phone: '+82 10-0000-0001', locale: 'ko' as const };
    await client(customers.operations.saveProfile, profile);
    expect(await client(customers.operations.profile, {})).toMatchObject(profile);
    await client(customers.operations.addAddress, { ...ADDRESS, line1: 'another one' });
    expect((await client(customers.operations.addresses, {})).items).toHaveLength(2);
    const { orderId } = await customer.buy([{ sku, units: 1 }]);
    await client(customers.operations.erase, {});
    expect(await refusalOf(client(customers.operations.profile, {}))).toBe('not-found');
    expect((await client(customers.operations.addresses, {})).items).toEqual([]);
    await shop.associate(CENTRE).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
  },

  'events that the stream left behind are swept up, and acted on once although they come twice': async (shop) => {
    const { world } = shop;
    const sku = await shop.goods({ [CENTRE]: 1 });
    const customer = await shop.customer();
    const { orderId } = await customer.order([{ sku, units: 1 }]);
    await world.cloud.whenIdle();
    const sweep = () => world.runTask('outbox', 'sweep');
    const release = shop.hold(world.functionArn('outbox', 'stream'));
    let told: OutboxItem[];
    try {
      await customer.pay(orderId);
      told = await world.ageOutbox();
      expect(told.flatMap(({ entries }) => entries.map(({ type }) => type))).toContain('order.placed.v1');
      await sweep();
      expect(await world.outbox()).not.toContainEqual(told[0]);
      for (const item of told) await world.putItem('outbox', item);
      await sweep();
    } finally {
      // What was held comes a third time now.
      release();
    }
    await shop.associate(CENTRE).offered(orderId);
    await world.cloud.whenIdle();
    await shop.associate(CENTRE).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
    const { items } = await customer.client(fulfilment.operations.ofOrder, { orderId });
    expect(items).toMatchObject([{ work: 'DELIVERED' }]);
  },

  'a stock file is loaded but for its bad row, which is put right, and comes out again as it went in': async (shop) => {
    const { headOffice } = shop;
    const { open, load, quarantine, fix, close, progress, exported } = imports.operations;
    const [plain, hot] = [await shop.goods({ [CENTRE]: 3 }), await shop.goods({ [CENTRE]: 4 })];
    await headOffice(inventory.operations.spread, { sku: hot, nodeId: CENTRE, shards: 2 });
    const importId = `file-${crypto.randomUUID()}`;
    const header = 'sku,nodeId,onHand';
    const asOf = new Date(Date.now() - 60_000).toISOString();
    await headOffice(open, { importId, format: 'csv', meaning: 'ON_HAND', header, asOf });
    // What came within the last minute is not in the file, and stays.
    const text = `${plain},${CENTRE},2\n${hot},${CENTRE},1\n${plain},nowhere,7`;
    for (let times = 0; times < 2; times += 1) await headOffice(load, { importId, firstLine: 2, text });
    const { items } = await headOffice(quarantine, { importId });
    expect(items).toMatchObject([{ line: 4, field: 'nodeId', reason: 'there is no node nowhere' }]);
    await headOffice(fix, { importId, line: 4, sku: plain, nodeId: FAR, onHand: 7 });
    expect(await headOffice(close, { importId, rows: 3 })).toMatchObject({ loaded: 2, fixed: 1, quarantined: 0 });
    expect(await headOffice(progress, { importId })).toMatchObject({ status: 'CLOSED' });
    expect(await shop.stock(plain)).toEqual({ [CENTRE]: [5, 0, 5], [FAR]: [7, 0, 7] });
    expect(await shop.stock(hot)).toEqual({ [CENTRE]: [5, 0, 5] });
    const rows = await headOffice(exported, { nodeId: FAR, limit: 1_000 });
    expect(rows.text).toContain(`${plain},${FAR},7,7,${plain}\r\n`);
  },
};

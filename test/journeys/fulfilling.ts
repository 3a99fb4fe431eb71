import { expect } from 'vitest';
import carts from '../../functions/carts/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import { CENTRE, FAR, HASTY, NEAR } from './chain.ts';
import { type Journeys, refusalOf } from './shop.ts';

/** What was ordered reaches the customer, from wherever it is. */
export const fulfilling: Journeys = {
  'a parcel from the distribution centre is delivered, captured and earns points': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 5, [NEAR]: 5 });
    const customer = await shop.customer();
    const order = await customer.buy([{ sku, units: 2 }]);
    expect(order.fulfilments).toMatchObject([{ nodeId: CENTRE, lines: [{ sku, units: 2 }] }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [5, 2, 3], [NEAR]: [5, 0, 5] });

    await shop.associate(CENTRE).deliver(order.orderId);
    expect((await customer.sees(order.orderId, 'COMPLETED')).fulfilments).toMatchObject([{ outcome: 'FULFILLED' }]);
    expect(await customer.seesPayment(order.orderId, 'CAPTURED')).toMatchObject({ captured: { amountMinor: 20_000 } });
    await shop.world.cloud.whenIdle();
    expect(await customer.client(loyalty.operations.balance, {})).toEqual({ pending: 200, available: 0 });
    const { items } = await customer.client(loyalty.operations.entries, {});
    expect(items).toMatchObject([{ kind: 'EARN', orderId: order.orderId, pending: 200 }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [3, 0, 3], [NEAR]: [5, 0, 5] });
  },

  'points become available when the return window has closed, once': async (shop) => {
    const { world } = shop;
    const sku = await shop.goods({ [CENTRE]: 1 });
    const customer = await shop.customer();
    const { orderId } = await customer.buy([{ sku, units: 1 }]);
    await shop.associate(CENTRE).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
    await world.cloud.whenIdle();
    await world.runTask('loyalty', 'mature');
    expect(await customer.client(loyalty.operations.balance, {})).toEqual({ pending: 100, available: 0 });

    const order = await world.item('orders', { pk: `ORDER#${orderId}`, sk: 'ORDER' });
    await world.makeDue('loyalty', { pk: `CUSTOMER#${order?.byCustomerPk}`, sk: `LOT#${orderId}` });
    await Promise.all([world.runTask('loyalty', 'mature'), world.runTask('loyalty', 'mature')]);
    expect(await customer.client(loyalty.operations.balance, {})).toEqual({ pending: 0, available: 100 });
  },

  'goods are collected at the store that the customer chose': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 5, [NEAR]: 5, [FAR]: 5 });
    const customer = await shop.customer();
    const order = await customer.buy([{ sku, units: 1 }], { choice: 'PICKUP', nodeId: FAR });
    expect(order.fulfilments).toMatchObject([{ nodeId: FAR }]);
    expect(order.promise.readyBy).toBeDefined();
    const store = shop.associate(FAR);
    const { fulfilmentOrderId } = await store.offered(order.orderId);
    await store.take(fulfilmentOrderId, 'accept', 'pick', 'ready', 'collect');
    await customer.sees(order.orderId, 'COMPLETED');
    await customer.seesPayment(order.orderId, 'CAPTURED');
    expect((await shop.stock(sku))[FAR]).toEqual([4, 0, 4]);
    expect((await store.client(fulfilment.operations.worklist, { nodeId: FAR })).items).toEqual([]);
  },

  'a pickup that nobody comes for goes back on the shelf, and nothing is charged': async (shop) => {
    const { cloud } = shop.world;
    const sku = await shop.goods({ [NEAR]: 1 });
    const customer = await shop.customer();
    const { orderId } = await customer.buy([{ sku, units: 1 }], { choice: 'PICKUP', nodeId: NEAR });
    const store = shop.associate(NEAR);
    const { fulfilmentOrderId } = await store.offered(orderId);
    await store.take(fulfilmentOrderId, 'accept', 'pick', 'ready');
    await cloud.whenIdle();
    const kept = await shop.world.item('fulfilment', { pk: `ORDER#${orderId}`, sk: 'TOKEN#1#DONE' });
    // Seven days are over for the workflow.
    cloud.workflows.sendTaskFailure({ taskToken: String(kept?.token), error: 'States.Timeout' });
    await customer.sees(orderId, 'CANCELLED');
    await customer.seesPayment(orderId, 'VOIDED');
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [1, 0, 1] });
    expect(await refusalOf(store.take(fulfilmentOrderId, 'collect'))).toBe('wrong-state');
  },

  'chilled goods come before breakfast, from where there is a cold chain': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 5, [CENTRE]: 5 }, { storage: 'COLD' });
    const customer = await shop.customer();
    await customer.fillCart([{ sku, units: 1 }], { choice: 'DAWN' });
    const { addressId, client } = customer;
    const { items } = await client(carts.operations.deliveryOptions, { addressId });
    const possible = items.filter(({ available }) => available).map(({ choice }) => choice);
    expect(possible).toEqual(['HOME_DELIVERY', 'DAWN']);
    for (const { available, reason } of items)
      expect([available, reason]).toEqual([available, expect.stringMatching(/./)]);

    const order = await customer.buy([{ sku, units: 1 }], { choice: 'DAWN' });
    expect(order.fulfilments).toMatchObject([{ nodeId: CENTRE }]);
    // Seven o'clock in Seoul, where summer time is unknown.
    expect(order.promise.deliverBy).toMatch(/T22:00:00\.000Z$/);
    await shop.associate(CENTRE).deliver(order.orderId);
    await customer.sees(order.orderId, 'COMPLETED');
  },

  'an order that no node has alone comes in two parcels and is charged once': async (shop) => {
    const [one, other] = [await shop.goods({ [NEAR]: 2 }), await shop.goods({ [FAR]: 3 }, { priceMinor: 500 })];
    const customer = await shop.customer();
    const { orderId, fulfilments } = await customer.buy([
      { sku: one, units: 1 },
      { sku: other, units: 3 },
    ]);
    expect(fulfilments.map(({ nodeId }) => nodeId).sort()).toEqual([FAR, NEAR].sort());
    await shop.associate(NEAR).deliver(orderId);
    await shop.world.cloud.whenIdle();
    expect(await customer.see(orderId)).toMatchObject({ status: 'PROCESSING' });
    expect(await customer.payments(orderId)).toMatchObject([{ status: 'AUTHORIZED' }]);
    await shop.associate(FAR).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
    expect(await customer.seesPayment(orderId, 'CAPTURED')).toMatchObject({ captured: { amountMinor: 11_500 } });
    expect(await customer.payments(orderId)).toHaveLength(1);
  },

  'a store that refuses is not asked again: the next one sends it': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 3, [FAR]: 3 });
    const customer = await shop.customer();
    const { orderId } = await customer.buy([{ sku, units: 2 }]);
    const near = shop.associate(NEAR);
    await near.reject((await near.offered(orderId)).fulfilmentOrderId);
    await shop.associate(FAR).deliver(orderId);
    const order = await customer.sees(orderId, 'COMPLETED');
    expect(order.fulfilments).toMatchObject([
      { nodeId: NEAR, outcome: 'REPLACED' },
      { nodeId: FAR, outcome: 'FULFILLED' },
    ]);
    expect(order.fulfilments[1]?.reason).toMatch(FAR);
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [3, 0, 3], [FAR]: [1, 0, 1] });
    const { items } = await customer.client(fulfilment.operations.ofOrder, { orderId });
    expect(items).toMatchObject([{ work: 'REJECTED' }, { work: 'DELIVERED', replaces: `${orderId}-1` }]);
  },

  'a store that does not answer in time loses the work to the next one': async (shop) => {
    const sku = await shop.goods({ [HASTY]: 1, [NEAR]: 1 });
    const customer = await shop.customer();
    const { orderId, fulfilments } = await customer.buy([{ sku, units: 1 }]);
    expect(fulfilments).toMatchObject([{ nodeId: HASTY }]);
    await shop.associate(NEAR).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
    expect(await shop.stock(sku)).toEqual({ [HASTY]: [1, 0, 1], [NEAR]: [0, 0, 0] });
    expect(await refusalOf(shop.associate(HASTY).take(`${orderId}-1`, 'accept'))).toBe('wrong-state');
  },

  'a store that is quicker than the workflow has its answer heard': async (shop) => {
    const sku = await shop.goods({ [HASTY]: 1, [NEAR]: 1 });
    const customer = await shop.customer();
    const store = shop.associate(HASTY);
    const { cloud } = shop.world;
    const { orderId } = await customer.buy([{ sku, units: 1 }]);
    await customer.seesWork(orderId);
    // The task that is to wait for the delivery comes when it is over.
    const release = shop.hold(shop.world.functionArn('fulfilment', 'tasks'));
    try {
      await store.take(`${orderId}-1`, 'accept', 'pick', 'pack', 'dispatch', 'deliver');
      await customer.sees(orderId, 'COMPLETED');
    } finally {
      release();
    }
    await cloud.whenIdle();
    const execution = cloud.workflows.list().find(({ name }) => name === `${orderId}-1`);
    expect(execution).toMatchObject({ status: 'SUCCEEDED' });
    expect(await shop.stock(sku)).toEqual({ [HASTY]: [0, 0, 0], [NEAR]: [1, 0, 1] });
  },

  'an order that nobody can supply is cancelled: payment voided, stock back': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 1, [FAR]: 1 });
    const customer = await shop.customer();
    const { orderId } = await customer.buy([{ sku, units: 1 }]);
    for (const nodeId of [NEAR, FAR]) {
      const store = shop.associate(nodeId);
      await store.reject((await store.offered(orderId)).fulfilmentOrderId);
    }
    await customer.sees(orderId, 'CANCELLED');
    await customer.seesPayment(orderId, 'VOIDED');
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [1, 0, 1], [FAR]: [1, 0, 1] });
    expect(await customer.client(loyalty.operations.balance, {})).toEqual({ pending: 0, available: 0 });
  },

  'what nobody can supply of a split order is not charged': async (shop) => {
    const [one, other] = [await shop.goods({ [NEAR]: 1 }), await shop.goods({ [FAR]: 1 }, { priceMinor: 700 })];
    const customer = await shop.customer();
    const { orderId } = await customer.buy([
      { sku: one, units: 1 },
      { sku: other, units: 1 },
    ]);
    const near = shop.associate(NEAR);
    await near.reject((await near.offered(orderId)).fulfilmentOrderId);
    await shop.associate(FAR).deliver(orderId);
    await customer.sees(orderId, 'COMPLETED');
    const payment = await customer.seesPayment(orderId, 'PARTIALLY_CAPTURED');
    expect([payment.amount.amountMinor, payment.captured?.amountMinor]).toEqual([10_700, 700]);
  },
};

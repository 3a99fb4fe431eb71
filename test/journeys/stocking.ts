import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { until } from '../../examples/until.ts';
import carts from '../../functions/carts/contract.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import orders from '../../functions/orders/contract.ts';
import { CENTRE, CITY_HALL, FAR, NEAR } from './chain.ts';
import { type Journeys, refusalOf } from './shop.ts';

const { operations } = inventory;

/** Longer than the shortest hold. */
const ONE_SECOND_LATER_MS = 1_100;

/** Stock as shoppers, stores and head office see it, hold it and correct it. */
export const stocking: Journeys = {
  'a shopper has a unit kept at a store, longer, and gives it back': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 1 });
    const [holder, other] = [await shop.customer(), await shop.customer()];
    const lines = [{ sku, nodeId: NEAR, units: 1 }];
    const { holdId } = await holder.client(operations.hold, { lines, holdSeconds: 60 });
    expect(await refusalOf(other.client(operations.hold, { lines, holdSeconds: 60 }))).toBe('insufficient-stock');
    expect(await refusalOf(other.client(operations.releaseHold, { holdId }))).toBe('not-found');
    await holder.client(operations.extendHold, { holdId, holdSeconds: 3600 });
    await holder.client(operations.releaseHold, { holdId });
    expect(await holder.client(operations.heldBy, { holdId })).toMatchObject({ status: 'RELEASED' });
    expect((await shop.anyone(operations.availability, { sku })).available).toBe(1);
  },

  'a cart keeps its goods while its shopper pays, and ordering takes them over': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 1 });
    const [holder, other] = [await shop.customer(), await shop.customer()];
    const { cartId } = await holder.fillCart([{ sku, units: 1 }]);
    await holder.client(carts.operations.hold, { holdSeconds: 600 });
    const { cart } = await holder.client(carts.operations.hold, { holdSeconds: 900 });
    expect(await refusalOf(other.order([{ sku, units: 1 }]))).toBe('sold-out');
    await holder.client(orders.operations.place, { cartId: cartId! });
    expect(await holder.client(operations.heldBy, { holdId: cart.holdId! })).toMatchObject({ status: 'COMMITTED' });
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [1, 1, 0] });
  },

  'a hold that ran out is taken over by whoever orders, or keeps the goods in another cart': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 2 });
    const [idle, buyer, keeper] = [await shop.customer(), await shop.customer(), await shop.customer()];
    const keep = (units: number) =>
      idle.client(operations.hold, { lines: [{ sku, nodeId: CENTRE, units }], holdSeconds: 1 });
    const held = await keep(2);
    await setTimeout(ONE_SECOND_LATER_MS);
    await buyer.order([{ sku, units: 1 }]);
    expect(await idle.client(operations.heldBy, { holdId: held.holdId })).toMatchObject({ status: 'EXPIRED' });
    const again = await keep(1);
    await setTimeout(ONE_SECOND_LATER_MS);
    await keeper.fillCart([{ sku, units: 1 }]);
    await keeper.client(carts.operations.hold, { holdSeconds: 60 });
    expect(await idle.client(operations.heldBy, { holdId: again.holdId })).toMatchObject({ status: 'EXPIRED' });
    expect((await shop.anyone(operations.availability, { sku })).available).toBe(0);
  },

  'what nobody orders is given back within the minute, also where somebody wants to hold it himself': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 1 });
    const [idle, other] = [await shop.customer(), await shop.customer()];
    const lines = [{ sku, nodeId: NEAR, units: 1 }];
    const { holdId } = await idle.client(operations.hold, { lines, holdSeconds: 1 });
    await setTimeout(ONE_SECOND_LATER_MS);
    const second = await other.client(operations.hold, { lines, holdSeconds: 1 });
    expect(await idle.client(operations.heldBy, { holdId })).toMatchObject({ status: 'EXPIRED' });
    await setTimeout(ONE_SECOND_LATER_MS);
    await shop.world.runTask('inventory', 'expireHolds');
    expect(await other.client(operations.heldBy, { holdId: second.holdId })).toMatchObject({ status: 'EXPIRED' });
    expect((await shop.anyone(operations.availability, { sku })).available).toBe(1);
  },

  'a channel sees what its buffers, the pilot and the safety stock leave': async (shop) => {
    const { anyone, headOffice } = shop;
    const sku = await shop.goods({ [CENTRE]: 10, [NEAR]: 4 });
    const policy = { policyId: `test-${sku.slice(-12)}`, kind: 'BUFFER' as const, channels: ['app' as const] };
    await headOffice(operations.setPolicy, { ...policy, skus: [sku], categories: ['test'], units: 3 });
    await headOffice(operations.settings, { sku, nodeId: NEAR, safetyStock: 2 });
    const seenBy = async (channel: 'web' | 'app' | 'pos') => {
      await setTimeout(ONE_SECOND_LATER_MS);
      const { nodes } = await anyone(operations.availability, { sku, channel });
      return Object.fromEntries(nodes.map(({ nodeId, available }) => [nodeId, available]));
    };
    expect(await seenBy('web')).toEqual({ [CENTRE]: 10, [NEAR]: 2 });
    expect(await seenBy('app')).toEqual({ [CENTRE]: 7, [NEAR]: 0 });
    expect(await seenBy('pos')).toEqual({ [CENTRE]: 10, [NEAR]: 4 });
    const customer = await shop.customer();
    const { cartId } = await customer.fillCart([{ sku, units: 8 }]);
    const place = (channel: 'web' | 'app') => customer.client(orders.operations.place, { cartId: cartId!, channel });
    expect(await refusalOf(place('app'))).toBe('sold-out');
    await headOffice(operations.endPolicy, { policyId: policy.policyId });
    const { items } = await headOffice(operations.policies, {});
    expect(items.map(({ policyId }) => policyId)).not.toContain(policy.policyId);
    await place('web');
  },

  'several SKUs, one node, the nearest nodes with a whole basket, and when more comes': async (shop) => {
    const { anyone, headOffice } = shop;
    const [a, b] = [await shop.goods({ [NEAR]: 2, [FAR]: 1 }), await shop.goods({ [NEAR]: 1, [FAR]: 5 })];
    const skus = `${a},${b}`;
    expect((await anyone(operations.availabilities, { skus })).items.map(({ available }) => available)).toEqual([3, 6]);
    const near = await anyone(operations.availabilityAtNode, { nodeId: NEAR, skus });
    expect(near.items.map(({ available }) => available)).toEqual([2, 1]);
    const nearest = await anyone(operations.nearestNodes, { ...CITY_HALL, lines: `${a}:1,${b}:1` });
    expect(nearest.items.map(({ nodeId }) => nodeId)).toEqual([NEAR, FAR]);
    const dueAt = new Date(Date.now() + 86_400_000).toISOString();
    await headOffice(operations.supply, { sku: a, nodeId: FAR, supplyId: 'po-1', units: 9, dueAt });
    const promise = await anyone(operations.promise, { sku: a, units: 10 });
    expect(promise.promised).toEqual({ nodeId: FAR, from: dueAt });
  },

  'a threshold is told once when it is crossed': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 3 });
    await shop.headOffice(operations.settings, { sku, nodeId: CENTRE, safetyStock: 0, lowAt: 2 });
    const customer = await shop.customer();
    await customer.order([{ sku, units: 1 }]);
    await customer.order([{ sku, units: 1 }]);
    const key = { pk: `SKU#${sku}`, sk: `NODE#${CENTRE}` };
    await until(`${sku} to be low`, async () => {
      const item = await shop.world.item('inventory', key);
      return item?.isLow === true ? { done: item } : { still: String(item?.isLow) };
    });
    await shop.world.cloud.whenIdle();
    expect(await shop.world.item('inventory', key)).toMatchObject({ lowCrossings: 1 });
  },

  'a refusal because the goods are not there makes the books less believed': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 10 });
    const { orderId } = await (await shop.customer()).buy([{ sku, units: 1 }]);
    const near = shop.associate(NEAR);
    const { fulfilmentOrderId } = await near.offered(orderId);
    await near.client(fulfilment.operations.reject, { fulfilmentOrderId, reason: 'empty shelf', cause: 'NOT_FOUND' });
    await shop.world.cloud.whenIdle();
    const { items } = await near.client(operations.levels, { sku });
    expect(items[0]!.confidence.percent).toBe(50);
    const { nodes } = await shop.anyone(operations.availability, { sku });
    expect(nodes[0]).toMatchObject({ available: 5, withheld: [{ units: 5 }] });
  },

  'units are set aside and come back, and a store finds what was missing': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 4 });
    const near = shop.associate(NEAR);
    const aside = { nodeId: NEAR, sku, reason: 'a torn seam' };
    await near.client(operations.setAside, { ...aside, unitsDelta: 2, as: 'DAMAGE' });
    await near.client(operations.setAside, { ...aside, unitsDelta: -1, as: 'DAMAGE' });
    await near.client(operations.setAside, { ...aside, unitsDelta: 3, as: 'ONLINE_ONLY' });
    expect(await refusalOf(near.client(operations.setAside, { ...aside, unitsDelta: 1, as: 'ONLINE_ONLY' }))).toBe(
      'insufficient-stock',
    );
    expect((await shop.anyone(operations.availability, { sku, channel: 'pos' })).available).toBe(0);
    expect((await shop.anyone(operations.availability, { sku, channel: 'web' })).available).toBe(3);
    await shop.world.putItem('inventory', {
      ...{ pk: `DISCREPANCY#${NEAR}`, sk: `OPEN#dis-${sku}`, discrepancyId: `dis-${sku}`, sku, nodeId: NEAR },
      ...{ units: 1, kind: 'SALE', reference: 'a till', openedAt: '2026-11-01T00:00:00.000Z' },
    });
    const { items } = await near.client(operations.discrepancies, { nodeId: NEAR, limit: 100 });
    expect(items.map((one) => one.sku)).toContain(sku);
    const resolution = { nodeId: NEAR, discrepancyId: `dis-${sku}`, resolution: 'FOUND' as const, unitsDelta: 1 };
    await near.client(operations.resolveDiscrepancy, { ...resolution, note: 'behind the counter' });
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [5, 0, 4] });
  },

  'a level that buyers queue for is spread, evened out and brought together again': async (shop) => {
    const sku = await shop.goods({ [CENTRE]: 8 });
    const { world, headOffice } = shop;
    const place = { sku, nodeId: CENTRE };
    await headOffice(operations.spread, { ...place, shards: 4 });
    await headOffice(operations.spread, { ...place, shards: 4 });
    const customer = await shop.customer();
    // More than any one shard has.
    const { orderId } = await customer.order([{ sku, units: 5 }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [8, 5, 3] });
    expect(await refusalOf(customer.order([{ sku, units: 4 }]))).toBe('sold-out');
    await world.putItem('inventory', { pk: 'CONTENTION', sk: `${sku}#${CENTRE}`, conflicts: 100 });
    await world.runTask('inventory', 'tendShards');
    const [spread] = (await headOffice(operations.levels, { sku })).items;
    expect(spread!.shards).toBe(16);
    await world.makeDue('orders', { pk: `ORDER#${orderId}`, sk: 'ORDER' });
    await world.runTask('orders', 'expireUnpaid');
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [8, 0, 8] });
    // More is missing than there is, on whichever shard it lies.
    const discrepancyId = `dis-${sku}`;
    await world.putItem('inventory', {
      ...{ pk: `DISCREPANCY#${CENTRE}`, sk: `OPEN#${discrepancyId}`, discrepancyId, sku, nodeId: CENTRE, units: 9 },
      ...{ kind: 'SALE', reference: 'a till', openedAt: '2026-11-01T00:00:00.000Z' },
    });
    await headOffice(operations.resolveDiscrepancy, {
      ...{ nodeId: CENTRE, discrepancyId, resolution: 'WRITTEN_OFF', unitsDelta: -9, note: 'stolen' },
    });
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [-1, 0, -1] });
    await headOffice(operations.receive, { nodeId: CENTRE, lines: [{ sku, units: 1 }] });
    // Nobody has queued for it for an hour.
    const busyAt = new Date(Date.now() - 3_600_000).toISOString();
    await world.putItem('inventory', { pk: 'SPREAD', sk: `${sku}#${CENTRE}`, shards: 16, busyAt });
    await world.runTask('inventory', 'tendShards');
    expect((await headOffice(operations.levels, { sku })).items[0]!.shards).toBe(1);
    const { items } = await headOffice(operations.ledger, { ...place, from: '2026-01-01T00:00:00.000Z', limit: 100 });
    expect(items.filter(({ kind }) => kind === 'REBALANCE').every(({ onHand }) => onHand === 0)).toBe(true);
  },
};

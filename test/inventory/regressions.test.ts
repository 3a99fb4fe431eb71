import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import orders from '../../functions/orders/contract.ts';
import { handlers as orderTasks } from '../../functions/orders/tasks.ts';
import { type Floor, openFloor } from '../fulfilment/floor.ts';
import { customerWith, homeInSeoul, openShop, place, type Shop } from '../orders/shop.ts';
import { channelCaller, customerCaller, staffCaller, taskRunnerOf } from '../support/call.ts';

/**
 * What went wrong with stock elsewhere, as scenarios of our own: each names the report it answers. All of it goes
 * through the real handlers, on the embedded engine.
 */

const headOffice = staffCaller('*', 'inventory:read', 'inventory:write');
const market = channelCaller('market1');
const MINUTE_MS = 60_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const stocked = async (units: Record<string, number>): Promise<string> => {
  const sku = `SKU-${randomUUID().slice(0, 8)}`;
  await shop.sell(sku, 10_000);
  for (const [nodeId, count] of Object.entries(units)) await shop.receive(nodeId, sku, count);
  return sku;
};
const problemOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');
const orderOfMarket = (lines: { sku: string; units: number }[]) =>
  shop.call.orders('placeForChannel', {
    as: market,
    body: {
      ...{ reference: randomUUID(), buyer: { reference: 'buyer-1' }, lines },
      delivery: { choice: 'HOME_DELIVERY', shipTo: homeInSeoul },
    },
  });
const hold = (as: ReturnType<typeof customerCaller>, lines: { sku: string; nodeId: string; units: number }[]) =>
  shop.call.inventory('hold', { as, body: { lines, holdSeconds: 600 } });
const levelAt = async (sku: string, nodeId: string) => {
  const { body } = await shop.call.inventory('levels', { as: headOffice, path: { sku } });
  return body.items.find((level: { nodeId: string }) => level.nodeId === nodeId);
};
/** The sum of what a level's ledger says, which its balance has to be. */
const ledgerOf = async (sku: string, nodeId: string) => {
  const { body } = await shop.call.inventory('ledger', {
    as: headOffice,
    path: { sku, nodeId },
    query: { limit: '100' },
  });
  const sum = (quantity: string) =>
    body.items.reduce((total: number, entry: Record<string, number>) => total + entry[quantity]!, 0);
  return { onHand: sum('onHand'), reserved: sum('reserved'), allocated: sum('allocated'), available: sum('available') };
};

describe('lines that draw on the same units', () => {
  it('Medusa #16502: two lines of five each, five on the shelf: nothing is promised, in an order or in a hold', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const ordered = await orderOfMarket([
      { sku, units: 5 },
      { sku, units: 5 },
    ]);
    expect([ordered.status, problemOf(ordered)]).toEqual([409, 'sold-out']);
    const held = await hold(customerCaller('twice'), [
      { sku, nodeId: 'dc-icheon', units: 5 },
      { sku, nodeId: 'dc-icheon', units: 5 },
    ]);
    expect([held.status, problemOf(held)]).toEqual([409, 'insufficient-stock']);
    expect(await levelAt(sku, 'dc-icheon')).toMatchObject({ onHand: 5, reserved: 0, allocated: 0, available: 5 });
  });

  it('Medusa #16502: two lines that fit together are promised as their sum', async () => {
    const sku = await stocked({ 'dc-icheon': 5 });
    const ordered = await orderOfMarket([
      { sku, units: 2 },
      { sku, units: 3 },
    ]);
    expect(ordered.status).toBe(201);
    expect(await levelAt(sku, 'dc-icheon')).toMatchObject({ onHand: 5, allocated: 5, available: 0 });
  });
});

describe('stock of several nodes', () => {
  it('Medusa #14987: what only all nodes together have is promised at each node that has it, not at the first', async () => {
    const sku = await stocked({ 'dc-icheon': 3, 'store-gangnam': 4 });
    const { status, body } = await place(shop, await customerWith(shop, { [sku]: 6 }));
    expect(status).toBe(201);
    expect(body.fulfilments).toHaveLength(2);
    for (const { nodeId, lines } of body.fulfilments) {
      expect((await levelAt(sku, nodeId)).allocated).toBe(lines[0].units);
    }
    const levels = Object.values(await shop.levels(sku));
    expect(levels.reduce((sum, { available }) => sum + available, 0)).toBe(1);
    expect(levels.every(({ available }) => available >= 0)).toBe(true);
    const another = await place(shop, await customerWith(shop, { [sku]: 2 }));
    expect([another.status, problemOf(another)]).toEqual([409, 'sold-out']);
  });

  it('Vendure #4030: units that are promised already are not promised again because they are still on hand', async () => {
    const sku = await stocked({ 'dc-icheon': 10 });
    expect((await place(shop, await customerWith(shop, { [sku]: 8 }))).status).toBe(201);
    await shop.receive('store-gangnam', sku, 15);
    const { status, body } = await place(shop, await customerWith(shop, { [sku]: 16 }));
    expect(status).toBe(201);
    const units = Object.fromEntries(
      body.fulfilments.map((part: { nodeId: string; lines: { units: number }[] }) => [
        part.nodeId,
        part.lines[0]!.units,
      ]),
    );
    expect(units['dc-icheon']).toBeLessThanOrEqual(2);
    expect(units['store-gangnam'] + units['dc-icheon']).toBe(16);
    for (const { onHand, allocated, available } of Object.values(await shop.levels(sku))) {
      expect(allocated).toBeLessThanOrEqual(onHand);
      expect(available).toBe(onHand - allocated);
    }
  });

  it('Magento inventory #2727: what one channel has sold of two nodes is gone for a channel that sells from one of them', async () => {
    const sku = await stocked({ 'dc-icheon': 10, 'store-gangnam': 5 });
    expect((await place(shop, await customerWith(shop, { [sku]: 15 }))).status).toBe(201);
    for (const channel of ['web', 'pos', 'marketplace', 'live']) {
      const { body } = await shop.call.inventory('availability', { path: { sku }, query: { channel } });
      expect(body.available, channel).toBe(0);
    }
    const ordered = await orderOfMarket([{ sku, units: 5 }]);
    expect([ordered.status, problemOf(ordered)]).toEqual([409, 'sold-out']);
    const picked = await place(
      shop,
      await customerWith(shop, { [sku]: 1 }, { choice: 'PICKUP', nodeId: 'store-gangnam' }),
    );
    expect([picked.status, problemOf(picked)]).toEqual([409, 'sold-out']);
  });
});

describe('goods that leave a node', () => {
  let floor: Floor;
  beforeAll(async () => {
    floor = await openFloor();
    await floor.openNode('dc-1', { kind: 'DC' });
    await floor.openNode('store-1');
  });
  afterAll(() => floor.close());

  it('Magento inventory #2032: a promise is of the node that was confirmed; its goods leave there, and no other is touched', async () => {
    await floor.receive('dc-1', { TEE: 3 });
    await floor.receive('store-1', { TEE: 3 });
    const order = await floor.work({ 'dc-1': { TEE: 3 } });
    expect(await floor.available('TEE')).toEqual({ 'dc-1': 0, 'store-1': 3 });
    await floor.steps('dc-1', `${order}-1`, 'accept', 'pick', 'pack', 'dispatch');
    expect(await floor.stock('dc-1', 'TEE')).toEqual([0, 0, 0]);
    expect(await floor.stock('store-1', 'TEE')).toEqual([3, 0, 3]);
    expect(await floor.available('TEE')).toEqual({ 'dc-1': 0, 'store-1': 3 });
  });
});

describe('many at the same moment', () => {
  it('Medusa #16569: of many holds of the last unit one is kept, and what is reserved is what open holds hold', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, shopper) =>
        hold(customerCaller(`shopper-${shopper}`), [{ sku, nodeId: 'dc-icheon', units: 1 }]),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(['insufficient-stock', 'changed-meanwhile', 'too-busy']).toContain(problemOf(answer));
    }
    expect(await levelAt(sku, 'dc-icheon')).toMatchObject({ onHand: 1, reserved: 1, available: 0 });
    expect(await ledgerOf(sku, 'dc-icheon')).toEqual({ onHand: 1, reserved: 1, allocated: 0, available: 0 });
  });

  it('Vendure #3508: of many customers who check out the last unit one gets it, and nobody else pays for it', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const customers = await Promise.all(Array.from({ length: 8 }, () => customerWith(shop, { [sku]: 1 })));
    const answers = await Promise.all(customers.map((customer) => place(shop, customer)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await shop.levels(sku)).toEqual({ 'dc-icheon': { onHand: 1, allocated: 1, available: 0 } });
    // Whoever lost keeps the cart, and is told the truth when asking again.
    const loser = customers[answers.findIndex(({ status }) => status !== 201)]!;
    expect(problemOf(await place(shop, loser))).toBe('sold-out');
  });

  it('nopCommerce #8085: no update of a balance is lost: orders, holds and receipts at once leave exactly their sum', async () => {
    const sku = await stocked({ 'dc-icheon': 100 });
    const customers = await Promise.all([5, 3, 2, 7, 1].map((units) => customerWith(shop, { [sku]: units })));
    const answers = await Promise.all([
      ...customers.map((customer) => place(shop, customer)),
      ...[10, 20, 30].map((units) => shop.receive('dc-icheon', sku, units).then(() => ({ status: 201 }))),
      ...[4, 6].map((units) => hold(customerCaller(`holder-${units}`), [{ sku, nodeId: 'dc-icheon', units }])),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const sum = { onHand: 160, allocated: 18, reserved: 10, available: 132 };
    expect(await levelAt(sku, 'dc-icheon')).toMatchObject({ ...sum, version: 11 });
    expect(await ledgerOf(sku, 'dc-icheon')).toEqual(sum);
  });
});

describe('customers who do not pay', () => {
  it('Vendure #3509: what an unpaid order kept is given back in time, once, and the next customer gets it', async () => {
    const run = taskRunnerOf(orders, orderTasks(shop.runtime), shop.runtime);
    const sku = await stocked({ 'dc-icheon': 1 });
    const unpaid = await place(shop, await customerWith(shop, { [sku]: 1 }));
    const next = await customerWith(shop, { [sku]: 1 });
    expect(problemOf(await place(shop, next))).toBe('sold-out');
    shop.clock.nowMs += 15 * MINUTE_MS + 1_000;
    await Promise.all([run({ task: 'expireUnpaid' }), run({ task: 'expireUnpaid' })]);
    const { body } = await shop.call.orders('anyOrder', {
      as: staffCaller('*', 'orders:read'),
      path: { orderId: unpaid.body.orderId },
    });
    expect(body.status).toBe('EXPIRED');
    expect((await place(shop, next)).status).toBe(201);
    expect(await shop.levels(sku)).toEqual({ 'dc-icheon': { onHand: 1, allocated: 1, available: 0 } });
  });

  it('Vendure #3509: a hold whose time is up keeps nothing from an order, even before anybody has swept it', async () => {
    const sku = await stocked({ 'dc-icheon': 1 });
    const held = await hold(customerCaller('sleeper'), [{ sku, nodeId: 'dc-icheon', units: 1 }]);
    expect(held.status).toBe(201);
    const next = await customerWith(shop, { [sku]: 1 });
    expect(problemOf(await place(shop, next))).toBe('sold-out');
    shop.clock.nowMs += 11 * MINUTE_MS;
    expect((await place(shop, next)).status).toBe(201);
    expect(await levelAt(sku, 'dc-icheon')).toMatchObject({ onHand: 1, reserved: 0, allocated: 1, available: 0 });
  });
});

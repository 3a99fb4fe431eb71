import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customer, headOffice, openStock, type Stock } from './floor.ts';

let stock: Stock;
beforeAll(async () => {
  stock = await openStock();
});
afterAll(() => stock.close());

const DAY_MS = 86_400_000;
const settings = (sku: string, body: { safetyStock: number; lowAt?: number }) =>
  stock.did('settings', { as: headOffice, path: { sku, nodeId: 'dc' }, body });
/** Policies serve for a second: the next question is asked later. */
const policy = async (policyId: string, body: object) => {
  await stock.did('setPolicy', { as: headOffice, path: { policyId }, body });
  stock.clock.nowMs += 1_000;
};
const seen = async (sku: string, channel: string) => {
  const { nodes } = await stock.did('availability', { path: { sku }, query: { channel } });
  return nodes[0] as { available: number; withheld?: { units: number; because: string }[] };
};

describe('what a channel may sell', () => {
  it('is everything but the safety stock, which a till may sell', async () => {
    await stock.receive('SAFE', 'dc', 5);
    await settings('SAFE', { safetyStock: 2 });
    expect(await seen('SAFE', 'web')).toMatchObject({
      available: 3,
      withheld: [{ units: 2, because: 'safety stock' }],
    });
    expect(await seen('SAFE', 'pos')).toMatchObject({ available: 5 });
    expect((await stock.hold(customer, 'SAFE', 'dc', 4)).status).toBe(409);
    expect((await stock.hold(customer, 'SAFE', 'dc', 3)).status).toBe(201);
    expect(await stock.available('SAFE')).toBe(0);
  });

  it('is less by the largest buffer that concerns it, by units or per cent, while it is in force', async () => {
    await stock.receive('BUFFERED', 'dc', 20);
    const until = new Date(stock.clock.nowMs + DAY_MS).toISOString();
    await policy('few', { kind: 'BUFFER', skus: ['BUFFERED'], units: 1 });
    await policy('many', { kind: 'BUFFER', skus: ['BUFFERED'], channels: ['app'], percent: 25, until });
    expect((await seen('BUFFERED', 'web')).available).toBe(19);
    expect(await seen('BUFFERED', 'app')).toMatchObject({
      ...{ available: 15, withheld: [{ units: 5, because: 'buffer many' }] },
    });
    stock.clock.nowMs += DAY_MS;
    expect((await seen('BUFFERED', 'app')).available).toBe(19);
  });

  it('is nothing at the nodes of a pilot, unless it is its channel', async () => {
    await stock.receive('PILOT', 'dc', 3);
    await policy('app-first', { kind: 'PILOT', channels: ['app'], nodeIds: ['dc'], skus: ['PILOT'] });
    expect((await seen('PILOT', 'app')).available).toBe(3);
    expect(await seen('PILOT', 'web')).toMatchObject({
      ...{ available: 0, withheld: [{ units: 3, because: 'pilot app-first is for app only' }] },
    });
  });

  it('is kept from the till where it was set aside for online, and used up by online', async () => {
    await stock.receive('POOL', 'dc', 4);
    const body = { sku: 'POOL', unitsDelta: 3, as: 'ONLINE_ONLY', reason: 'for the live show' };
    await stock.did('setAside', { as: headOffice, path: { nodeId: 'dc' }, body });
    expect([await stock.available('POOL', 'pos'), await stock.available('POOL', 'live')]).toEqual([1, 4]);
    await stock.happen({ kind: 'SALE', sku: 'POOL', nodeId: 'dc', units: 2 });
    expect(await stock.level('POOL')).toMatchObject({ onHand: 2, available: 2, onlineOnly: 2 });
    expect(await stock.available('POOL', 'pos')).toBe(0);
  });
});

describe('what may be promised', () => {
  it('grows with what is on its way, from the day on which it arrives', async () => {
    await stock.receive('AHEAD', 'dc', 2);
    const dueAt = new Date(stock.clock.nowMs + DAY_MS).toISOString();
    const put = (units: number) =>
      stock.did('supply', {
        ...{ as: headOffice, path: { sku: 'AHEAD', nodeId: 'store', supplyId: 'po-1' }, body: { units, dueAt } },
      });
    await put(5);
    const ask = (units: number) => stock.did('promise', { path: { sku: 'AHEAD' }, query: { units: String(units) } });
    expect((await ask(2)).promised).toMatchObject({ nodeId: 'dc' });
    expect((await ask(5)).promised).toEqual({ nodeId: 'store', from: dueAt });
    expect((await ask(6)).promised).toBeUndefined();
    await put(0);
    expect((await ask(5)).promised).toBeUndefined();
  });
});

describe('a low-stock threshold', () => {
  it('is told once when it is crossed, however often its suspicion is heard, and again at the next crossing', async () => {
    await stock.receive('LOW', 'dc', 4);
    await settings('LOW', { safetyStock: 0, lowAt: 2 });
    const lows = async () => {
      await stock.hearAll('LOW', 2);
      return (await stock.told('inventory.stock-low.v1', 'LOW')).length;
    };
    expect(await lows()).toBe(0);
    await stock.happen({ kind: 'SALE', sku: 'LOW', nodeId: 'dc', units: 1 });
    expect(await lows()).toBe(0);
    await stock.happen({ kind: 'SALE', sku: 'LOW', nodeId: 'dc', units: 1 });
    expect(await lows()).toBe(1);
    await stock.happen({ kind: 'SALE', sku: 'LOW', nodeId: 'dc', units: 1 });
    expect(await lows()).toBe(1);
    await stock.receive('LOW', 'dc', 5);
    expect(await lows()).toBe(1);
    await stock.hold(customer, 'LOW', 'dc', 5);
    expect(await lows()).toBe(2);
  });
});

describe('confidence', () => {
  const rejected = (version: number, cause: string, sku: string) => ({
    ...{ specversion: '1.0' as const, id: `fulfilment-order/${sku}#${version}`, source: 'ieum.fulfilment' },
    ...{ type: 'fulfilment-order.rejected.v1', time: new Date(stock.clock.nowMs).toISOString() },
    ...{ subject: `fulfilment-order/${sku}`, aggregateversion: version, actor: 'test', correlationid: 'test' },
    datacontenttype: 'application/json' as const,
    data: { fulfilmentOrderId: 'f-1', orderId: 'f', nodeId: 'dc', lines: [{ sku, units: 1 }], cause },
  });

  it('falls when goods are not found, keeps units from online channels, and says why; a count restores it', async () => {
    await stock.receive('DOUBT', 'dc', 8);
    await stock.hear(rejected(1, 'NOT_FOUND', 'DOUBT'));
    await stock.hear(rejected(1, 'NOT_FOUND', 'DOUBT'));
    await stock.hear(rejected(2, 'BUSY', 'DOUBT'));
    expect(await seen('DOUBT', 'web')).toMatchObject({
      available: 4,
      withheld: [{ units: 4, because: 'confidence in the books is 50 %: 1 short pick' }],
    });
    expect((await seen('DOUBT', 'pos')).available).toBe(8);
    await stock.happen({ kind: 'COUNT', sku: 'DOUBT', nodeId: 'dc', units: 0 });
    expect(await stock.level('DOUBT')).toMatchObject({ confidence: { percent: 100 }, version: 2 });
    expect((await seen('DOUBT', 'web')).available).toBe(8);
  });

  it('of a level that has not been counted for long falls by itself', async () => {
    await stock.receive('OLD', 'dc', 10);
    await stock.happen({ kind: 'COUNT', sku: 'OLD', nodeId: 'dc', units: 0 });
    stock.clock.nowMs += 180 * DAY_MS;
    expect((await stock.level('OLD')).confidence).toEqual({ percent: 71, because: ['last counted 180 days ago'] });
    stock.clock.nowMs -= 180 * DAY_MS;
  });
});

describe('what happened', () => {
  it('is booked below zero, with one discrepancy, which somebody resolves once', async () => {
    await stock.receive('BELOW', 'dc', 1);
    await stock.happen({ kind: 'SALE', sku: 'BELOW', nodeId: 'dc', units: 3 });
    expect(await stock.level('BELOW')).toMatchObject({ onHand: -2, available: -2 });
    const list = await stock.did('discrepancies', { as: headOffice, path: { nodeId: 'dc' }, query: { limit: '100' } });
    const [found] = list.items.filter((one: { sku: string }) => one.sku === 'BELOW');
    expect(found).toMatchObject({ units: 2, kind: 'SALE' });
    expect(await stock.told('inventory.discrepancy-found.v1', 'BELOW')).toHaveLength(1);
    const resolve = () =>
      stock.call('resolveDiscrepancy', {
        as: headOffice,
        path: { nodeId: 'dc', discrepancyId: found.discrepancyId },
        body: { resolution: 'FOUND', unitsDelta: 2, note: 'a delivery was not booked' },
      });
    expect((await resolve()).status).toBe(200);
    expect((await resolve()).status).toBe(404);
    expect(await stock.level('BELOW')).toMatchObject({ onHand: 0, available: 0 });
  });

  it('in thirty sales at once of twenty units is thirty sales, and ten units of discrepancy', async () => {
    await stock.receive('RUSH', 'dc', 20);
    const sell = async (): Promise<void> => {
      for (;;) {
        try {
          return await stock.happen({ kind: 'SALE', sku: 'RUSH', nodeId: 'dc', units: 1 });
        } catch (error) {
          if (!String(error).includes('meanwhile') && !String(error).includes('fewer than')) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 30 }, sell));
    expect(await stock.level('RUSH')).toMatchObject({ onHand: -10, available: -10, version: 31 });
    const { items } = await stock.did('discrepancies', {
      ...{ as: headOffice, path: { nodeId: 'dc' }, query: { limit: '100' } },
    });
    const units = items.filter((one: { sku: string }) => one.sku === 'RUSH').map((one: { units: number }) => one.units);
    expect(units.reduce((sum: number, one: number) => sum + one, 0)).toBe(10);
  });

  it('is found in the ledger by when it was booked', async () => {
    await stock.receive('TIMED', 'dc', 1);
    const from = new Date(stock.clock.nowMs + 1_000).toISOString();
    stock.clock.nowMs += 2_000;
    await stock.receive('TIMED', 'dc', 2);
    const ask = (query: Record<string, string>) =>
      stock.did('ledger', { as: headOffice, path: { sku: 'TIMED', nodeId: 'dc' }, query });
    expect((await ask({})).items.map((one: { onHand: number }) => one.onHand)).toEqual([1, 2]);
    expect((await ask({ from })).items.map((one: { onHand: number }) => one.onHand)).toEqual([2]);
    expect((await ask({ until: from })).items.map((one: { onHand: number }) => one.onHand)).toEqual([1]);
    const first = await ask({ limit: '1' });
    expect((await ask({ limit: '1', cursor: first.cursor })).items[0].onHand).toBe(2);
  });
});

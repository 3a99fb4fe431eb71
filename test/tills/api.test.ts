import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicKeyOf } from '../../examples/till/journal.ts';
import { outboxOf, staffCaller } from '../support/call.ts';
import {
  type Counter,
  cashier,
  fresh,
  headOffice,
  newKey,
  OTHER_STORE,
  openCounter,
  otherCashier,
  STORE,
  saleOf,
} from './counter.ts';

let counter: Counter;
beforeAll(async () => {
  counter = await openCounter();
});
afterAll(() => counter?.engine.close());

describe('the tills of a store', () => {
  const put = (tillId: string, body: object) => counter.call('maintain', { as: headOffice, path: { tillId }, body });

  it('a till is registered with its key, and its store sees it', async () => {
    const tillId = fresh('till');
    const body = { nodeId: STORE, keys: [publicKeyOf(newKey())], status: 'ACTIVE' };
    const registered = await put(tillId, body);
    expect(registered.body).toEqual({ tillId, ...body, version: 1, highest: 0, missing: [] });
    const seen = await counter.call('till', { as: cashier, path: { tillId } });
    expect(seen.body).toEqual(registered.body);
    const listed = await counter.call('tills', { as: cashier, path: { nodeId: STORE }, query: { limit: '100' } });
    expect(listed.body.items).toContainEqual(registered.body);
  });

  it("another store's till looks like a missing one, and its list is not shown", async () => {
    const { tillId } = await counter.newTill();
    for (const operation of ['till', 'conflicts'] as const) {
      expect((await counter.call(operation, { as: otherCashier, path: { tillId } })).status).toBe(404);
    }
    expect((await counter.call('tills', { as: otherCashier, path: { nodeId: STORE } })).status).toBe(404);
    expect((await counter.sell(tillId, saleOf([{ sku: 'A', units: 1 }]), otherCashier)).status).toBe(404);
    const elsewhere = await counter.sell(tillId, saleOf([{ sku: 'A', units: 1 }]), otherCashier, OTHER_STORE);
    expect(elsewhere.status).toBe(404);
  });

  it('a till stands at a node that is there, and never moves', async () => {
    const keys = [publicKeyOf(newKey())];
    const nowhere = await put(fresh('till'), { nodeId: 'nowhere', keys, status: 'ACTIVE' });
    expect([nowhere.status, nowhere.body.errors[0].field]).toEqual([404, '/nodeId']);
    const { tillId } = await counter.newTill();
    const moved = await put(tillId, { nodeId: OTHER_STORE, keys, status: 'ACTIVE' });
    expect([moved.status, moved.body.errors[0].field]).toEqual([409, '/nodeId']);
  });

  it('a private key is refused, and so is what is no Ed25519 key', async () => {
    const key = publicKeyOf(newKey());
    const refusals = [
      [{ ...key, d: key.x }, '/keys/0/d'],
      [{ ...key, crv: 'X25519' }, '/keys/0/crv'],
      [{ ...key, x: key.x.slice(1) }, '/keys/0/x'],
      // The same bytes in another spelling.
      [{ ...key, x: `${key.x.slice(0, 42)}B` }, '/keys/0/x'],
    ] as const;
    for (const [bad, field] of refusals) {
      const { status, body } = await put(fresh('till'), { nodeId: STORE, keys: [bad], status: 'ACTIVE' });
      expect([status, body.errors.map((error: { field: string }) => error.field)]).toEqual([400, [field]]);
    }
  });

  it('only head office registers tills', async () => {
    const body = { nodeId: STORE, keys: [publicKeyOf(newKey())], status: 'ACTIVE' };
    expect((await counter.call('maintain', { as: cashier, path: { tillId: 'x' }, body })).status).toBe(403);
    const reader = staffCaller(STORE, 'inventory:read');
    expect((await counter.call('till', { as: reader, path: { tillId: 'x' } })).status).toBe(403);
  });
});

describe('a sale over the counter', () => {
  it('leaves the shelf at once, and what comes back is there at once', async () => {
    const sku = await counter.goods(5);
    const { tillId } = await counter.newTill();
    const sale = saleOf([
      { sku, units: 2 },
      { sku, units: 1 },
    ]);
    const sold = await counter.sell(tillId, sale);
    expect(sold.status).toBe(201);
    expect(sold.body).toEqual({ tillId, nodeId: STORE, ...sale, bookedAt: '2026-11-21T01:00:00.000Z' });
    expect(await counter.level(sku)).toMatchObject({ onHand: 2, available: 2 });
    await counter.sell(tillId, saleOf([{ sku, units: 1 }], 'RETURN'));
    expect(await counter.level(sku)).toMatchObject({ onHand: 3, available: 3 });
    expect(await counter.booked(sku)).toMatchObject([
      { kind: 'SALE', onHand: -3, reference: `${tillId}/${sale.saleId}`, occurredAt: sale.occurredAt },
      { kind: 'RETURN', onHand: 1 },
    ]);
  });

  it('is booked once for ever, whatever key it is sent with, and answered as it was booked', async () => {
    const sku = await counter.goods(5);
    const { tillId } = await counter.newTill();
    const sale = saleOf([{ sku, units: 2 }]);
    const first = await counter.sell(tillId, sale, cashier, STORE, 'key-1');
    counter.clock.nowMs += 30 * 24 * 3600 * 1000;
    const again = await Promise.all([
      counter.sell(tillId, sale, cashier, STORE, 'key-1'),
      counter.sell(tillId, sale),
      counter.sell(tillId, { ...sale, occurredAt: '2031-01-01T00:00:00.000Z' }),
    ]);
    expect(again.map(({ status, text }) => [status, text])).toEqual(Array(3).fill([201, first.text]));
    expect(await counter.level(sku)).toMatchObject({ onHand: 3 });
  });

  it('sent four times at once is booked once', async () => {
    const sku = await counter.goods(5);
    const { tillId } = await counter.newTill();
    const sale = saleOf([{ sku, units: 2 }]);
    const answers = await Promise.all([1, 2, 3, 4].map(() => counter.sell(tillId, sale)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(await counter.booked(sku)).toHaveLength(1);
  });

  it('sent twice at once with other goods is booked as one of them', async () => {
    const skus = [await counter.goods(5), await counter.goods(5)];
    const { tillId } = await counter.newTill();
    const sale = saleOf([]);
    const answers = await Promise.all(skus.map((sku) => counter.sell(tillId, { ...sale, lines: [{ sku, units: 1 }] })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const levels = await Promise.all(skus.map((sku) => counter.level(sku)));
    expect(levels.map(({ onHand }) => onHand).sort()).toEqual([4, 5]);
  });

  it('with a saleId that stands for other goods is refused; with that of another till it is another sale', async () => {
    const sku = await counter.goods(5);
    const [{ tillId }, other] = [await counter.newTill(), await counter.newTill()];
    const sale = saleOf([{ sku, units: 1 }]);
    await counter.sell(tillId, sale);
    for (const changed of [{ lines: [{ sku, units: 2 }] }, { kind: 'RETURN' as const }]) {
      const refused = await counter.sell(tillId, { ...sale, ...changed });
      expect([refused.status, refused.body.errors[0].field]).toEqual([409, '/saleId']);
    }
    expect((await counter.sell(other.tillId, sale)).status).toBe(201);
    expect(await counter.level(sku)).toMatchObject({ onHand: 3 });
  });

  it('from a till that was retired is refused', async () => {
    const key = newKey();
    const tillId = await counter.register([key]);
    await counter.register([key], tillId, 'RETIRED');
    const refused = await counter.sell(tillId, saleOf([{ sku: 'A', units: 1 }]));
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:ieum:problem:wrong-state']);
  });

  it('of more than is there is accepted, and becomes a discrepancy that somebody resolves', async () => {
    const sku = await counter.goods(1);
    const { tillId } = await counter.newTill();
    const sale = saleOf([{ sku, units: 3 }]);
    expect((await counter.sell(tillId, sale)).status).toBe(201);
    expect(await counter.level(sku)).toMatchObject({ onHand: -2, available: -2 });
    const [open] = await counter.discrepancies(sku);
    expect(open).toMatchObject({ units: 2, kind: 'SALE', reference: `${tillId}/${sale.saleId}` });

    await counter.stock('resolveDiscrepancy', {
      as: cashier,
      path: { nodeId: STORE, discrepancyId: open.discrepancyId },
      body: { resolution: 'FOUND', unitsDelta: 2, note: 'behind the counter' },
    });
    expect(await counter.level(sku)).toMatchObject({ onHand: 0, available: 0 });
    expect(await counter.discrepancies(sku)).toEqual([]);
    expect(await counter.discrepancies(sku, 'RESOLVED')).toMatchObject([{ resolution: 'FOUND' }]);
  });

  it('of what is set aside for online is accepted, and takes it from there', async () => {
    const sku = await counter.goods(3);
    const aside = { sku, unitsDelta: 2, as: 'ONLINE_ONLY', reason: 'live show' };
    await counter.done(counter.stock('setAside', { as: cashier, path: { nodeId: STORE }, body: aside }));
    const { tillId } = await counter.newTill();
    await counter.sell(tillId, saleOf([{ sku, units: 2 }]));
    expect(await counter.level(sku)).toMatchObject({ onHand: 1, available: 1, onlineOnly: 1 });
    expect(await counter.discrepancies(sku)).toEqual([]);
  });

  it('says so in one event', async () => {
    const sku = await counter.goods(3);
    const { tillId } = await counter.newTill();
    const sale = saleOf([{ sku, units: 1 }]);
    await counter.sell(tillId, sale);
    const told = (await outboxOf(counter.runtime)).filter(({ subject }) => subject.includes(sale.saleId));
    expect(told).toMatchObject([
      { type: 'inventory.stock-adjusted.v1', data: { nodeId: STORE, lines: [{ sku, units: -1 }] } },
    ]);
  });

  it('of goods that are spread over more shards than a transaction writes waits until they are together', async () => {
    const skus = [await counter.goods(1), await counter.goods(1)];
    for (const sku of skus) {
      await counter.done(
        counter.stock('spread', { as: headOffice, path: { sku, nodeId: STORE }, body: { shards: 64 } }),
      );
    }
    const { tillId } = await counter.newTill();
    const sale = saleOf(skus.map((sku) => ({ sku, units: 2 })));
    expect((await counter.sell(tillId, sale)).status).toBe(503);
    await counter.done(
      counter.stock('spread', { as: headOffice, path: { sku: skus[0]!, nodeId: STORE }, body: { shards: 1 } }),
    );
    expect((await counter.sell(tillId, sale)).status).toBe(201);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers as catalogHandlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { allocate, release, stockOf } from '../../functions/inventory/parts.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { node, product } from '../hostile/furnish.ts';
import { apiOf, staffCaller } from '../support/call.ts';
import { customer, headOffice, openStock, type Stock, somebody } from './floor.ts';

let stock: Stock;
beforeAll(async () => {
  stock = await openStock();
});
afterAll(() => stock.close());

const MINUTE_MS = 60_000;
const settings = (sku: string, safetyStock: number) =>
  stock.did('settings', { as: headOffice, path: { sku, nodeId: 'dc' }, body: { safetyStock } });
const policy = async (policyId: string, body: object) => {
  await stock.did('setPolicy', { as: headOffice, path: { policyId }, body });
  stock.clock.nowMs += 1_000;
};
const problem = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');

describe('what an expired hold gives back', () => {
  it('pays first what a till sold below zero, and is not sold twice', async () => {
    await stock.receive('OWED', 'dc', 5);
    await stock.hold(customer, 'OWED', 'dc', 5);
    await stock.happen({ kind: 'SALE', sku: 'OWED', nodeId: 'dc', units: 3 });
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect(problem(await stock.hold(somebody, 'OWED', 'dc', 3))).toBe('insufficient-stock');
    expect((await stock.hold(somebody, 'OWED', 'dc', 2)).status).toBe(201);
    expect(await stock.level('OWED')).toMatchObject({ onHand: 2, reserved: 2, available: 0 });
  });

  it('fills up the safety stock before anybody may have it', async () => {
    await stock.receive('SAFE', 'dc', 5);
    await stock.hold(customer, 'SAFE', 'dc', 5);
    await settings('SAFE', 5);
    await stock.receive('SAFE', 'dc', 2);
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect(problem(await stock.hold(somebody, 'SAFE', 'dc', 3))).toBe('insufficient-stock');
    expect((await stock.hold(somebody, 'SAFE', 'dc', 2)).status).toBe(201);
  });

  it('stays with the channels of a pilot', async () => {
    await stock.receive('PILOTED', 'dc', 1);
    await stock.hold(customer, 'PILOTED', 'dc', 1);
    await policy('app-only', { kind: 'PILOT', channels: ['app'], skus: ['PILOTED'] });
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect(problem(await stock.hold(somebody, 'PILOTED', 'dc', 1))).toBe('insufficient-stock');
  });

  it('from more holds than fit into one transaction is asked for in a moment, and nothing has changed', async () => {
    await stock.receive('CROWD', 'dc', 50);
    for (let held = 0; held < 50; held += 1) await stock.hold(customer, 'CROWD', 'dc', 1);
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect(problem(await stock.hold(somebody, 'CROWD', 'dc', 50))).toBe('too-busy');
    expect(await stock.level('CROWD')).toMatchObject({ reserved: 50, available: 0 });
    await stock.run({ task: 'expireHolds' });
    expect((await stock.hold(somebody, 'CROWD', 'dc', 50)).status).toBe(201);
  });
});

describe('what goes by category', () => {
  it('keeps units from a hold as from an order', async () => {
    const publish = apiOf(catalog, catalogHandlers(stock.runtime), stock.runtime);
    const as = staffCaller('*', 'catalog:write');
    const [variant] = product.variants;
    const body = { ...product, category: 'sneakers', variants: [{ ...variant, sku: 'SNEAKER' }] };
    expect((await publish('publish', { as, path: { productId: 'prd-sneaker' }, body })).status).toBe(200);
    await stock.receive('SNEAKER', 'dc', 1);
    await policy('drop', { kind: 'PILOT', channels: ['app'], categories: ['sneakers'] });
    expect(await stock.available('SNEAKER', 'web')).toBe(0);
    expect(problem(await stock.hold(somebody, 'SNEAKER', 'dc', 1))).toBe('insufficient-stock');
    await stock.did('endPolicy', { as: headOffice, path: { policyId: 'drop' } });
    stock.clock.nowMs += 1_000;
  });
});

describe('units that are set aside for online', () => {
  it('are used up by a promise, and set aside again when it is taken back', async () => {
    await stock.receive('POOLED', 'dc', 10);
    const body = { sku: 'POOLED', unitsDelta: 5, as: 'ONLINE_ONLY', reason: 'for the live show' };
    await stock.did('setAside', { as: headOffice, path: { nodeId: 'dc' }, body });
    const { tables } = stock.runtime;
    const cause = { actor: 'test', correlationId: 'test', now: stock.runtime.now() };
    const allocation = { allocationId: 'ord_pool-1', nodeId: 'dc', lines: [{ sku: 'POOLED', units: 5 }] };
    const seen = await stockOf(tables, [{ sku: 'POOLED' }], { now: cause.now, channel: 'live' });
    expect(await tables.commit(allocate([allocation], cause, seen).parts)).toMatchObject({ ok: true });
    expect(await stock.level('POOLED')).toMatchObject({ available: 5, onlineOnly: 0 });
    expect(await tables.commit((await release(tables, allocation, cause)).parts)).toMatchObject({ ok: true });
    expect(await stock.level('POOLED')).toMatchObject({ available: 10, onlineOnly: 5 });
  });
});

describe('questions', () => {
  it('about a time that ends before it begins are refused, and the field is named', async () => {
    const query = { from: '2026-02-01T00:00:00.000Z', until: '2026-01-01T00:00:00.000Z' };
    const { status, body } = await stock.call('ledger', { as: headOffice, path: { sku: 'A', nodeId: 'dc' }, query });
    expect([status, body.errors[0].field]).toEqual([400, '/until']);
  });

  it('about a basket with a SKU on two lines want the sum of both', async () => {
    const maintain = apiOf(network, networkHandlers(stock.runtime), stock.runtime);
    const as = staffCaller('*', 'network:write');
    await maintain('maintain', { as, path: { nodeId: 'near' }, body: node });
    await stock.receive('TWICE', 'near', 1);
    const near = (lines: string) => stock.did('nearestNodes', { query: { latitude: '37.5', longitude: '127', lines } });
    expect((await near('TWICE:1')).items).toHaveLength(1);
    expect((await near('TWICE:1,TWICE:1')).items).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customer, openStock, type Stock, somebody } from './floor.ts';

let stock: Stock;
beforeAll(async () => {
  stock = await openStock();
});
afterAll(() => stock.close());

const MINUTE_MS = 60_000;
const problem = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');

describe('a hold', () => {
  it('keeps units from everybody else until it is given back, and is given back once', async () => {
    await stock.receive('KEEP', 'dc', 3);
    const { body } = await stock.hold(customer, 'KEEP', 'dc', 2);
    expect(await stock.level('KEEP')).toMatchObject({ onHand: 3, reserved: 2, available: 1 });
    expect(problem(await stock.hold(somebody, 'KEEP', 'dc', 2))).toBe('insufficient-stock');
    const release = () => stock.call('releaseHold', { as: customer, path: { holdId: body.holdId } });
    expect((await release()).status).toBe(200);
    expect(problem(await release())).toBe('wrong-state');
    expect(await stock.level('KEEP')).toMatchObject({ reserved: 0, available: 3 });
    expect(await stock.told('inventory.hold-released.v1', 'KEEP')).toHaveLength(1);
  });

  it('names the line that cannot be had, and keeps nothing of the others', async () => {
    await stock.receive('ONE', 'dc', 5);
    await stock.receive('TWO', 'dc', 1);
    const lines = [
      { sku: 'ONE', nodeId: 'dc', units: 1 },
      { sku: 'TWO', nodeId: 'dc', units: 2 },
    ];
    const { status, body } = await stock.call('hold', { as: customer, body: { lines, holdSeconds: 60 } });
    expect(status).toBe(409);
    expect(body.errors).toEqual([{ field: '/lines/1/units', detail: '1 of 2 TWO are available at dc' }]);
    expect(await stock.level('ONE')).toMatchObject({ reserved: 0, available: 5 });
  });

  it('of one SKU on two lines is one promise of the sum', async () => {
    await stock.receive('SUM', 'dc', 3);
    const line = { sku: 'SUM', nodeId: 'dc', units: 2 };
    const held = await stock.call('hold', { as: customer, body: { lines: [line, line], holdSeconds: 60 } });
    expect(problem(held)).toBe('insufficient-stock');
  });

  it('is not seen by somebody else', async () => {
    await stock.receive('MINE', 'dc', 1);
    const { body } = await stock.hold(customer, 'MINE', 'dc', 1);
    const path = { holdId: body.holdId };
    for (const operation of ['heldBy', 'releaseHold'] as const) {
      expect(problem(await stock.call(operation, { as: somebody, path }))).toBe('not-found');
    }
  });

  it('lasts longer when it is extended, as long as its purpose allows', async () => {
    await stock.receive('LONG', 'dc', 1);
    const lines = [{ sku: 'LONG', nodeId: 'dc', units: 1 }];
    const { holdId } = await stock.did('hold', { as: customer, body: { purpose: 'CART', lines, holdSeconds: 3000 } });
    const extend = (holdSeconds: number) =>
      stock.call('extendHold', { as: customer, path: { holdId }, body: { holdSeconds } });
    const longest = new Date(stock.clock.nowMs + 3_600_000).toISOString();
    expect((await extend(9000)).body).toMatchObject({ heldUntil: longest, status: 'HELD' });
    expect(problem(await extend(9000))).toBe('wrong-state');
    const tooLong = await stock.call('hold', { as: customer, body: { purpose: 'CART', lines, holdSeconds: 3601 } });
    expect(tooLong.body.errors[0].field).toBe('/holdSeconds');
  });
});

describe('a hold whose time is up', () => {
  it('still holds until somebody resolves it: by state, never by the clock', async () => {
    await stock.receive('LATE', 'dc', 1);
    const { body } = await stock.hold(customer, 'LATE', 'dc', 1);
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect(await stock.available('LATE')).toBe(0);
    const extended = await stock.call('extendHold', {
      ...{ as: customer, path: { holdId: body.holdId }, body: { holdSeconds: 60 } },
    });
    expect(extended.status).toBe(200);
    await stock.run({ task: 'expireHolds' });
    expect(await stock.level('LATE')).toMatchObject({ reserved: 1, available: 0 });
  });

  it('is swept up, once, however often the sweep runs', async () => {
    await stock.receive('SWEPT', 'dc', 2);
    await stock.hold(customer, 'SWEPT', 'dc', 2);
    stock.clock.nowMs += 2 * MINUTE_MS;
    await Promise.all([stock.run({ task: 'expireHolds' }), stock.run({ task: 'expireHolds' })]);
    expect(await stock.level('SWEPT')).toMatchObject({ reserved: 0, available: 2 });
    const told = await stock.told('inventory.hold-released.v1', 'SWEPT');
    expect(told.map(({ data }) => (data as { outcome: string }).outcome)).toEqual(['EXPIRED']);
  });

  it('is taken over by whoever wants its units, in one transaction, and never twice', async () => {
    await stock.receive('TAKEN', 'dc', 1);
    const first = await stock.hold(customer, 'TAKEN', 'dc', 1);
    stock.clock.nowMs += 2 * MINUTE_MS;
    const others = await Promise.all([1, 2, 3].map(() => stock.hold(somebody, 'TAKEN', 'dc', 1)));
    expect(others.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect((await stock.did('heldBy', { as: customer, path: { holdId: first.body.holdId } })).status).toBe('EXPIRED');
    expect(await stock.level('TAKEN')).toMatchObject({ reserved: 1, available: 0 });
  });

  it('is left alone while there is enough without it', async () => {
    await stock.receive('ENOUGH', 'dc', 2);
    const { body } = await stock.hold(customer, 'ENOUGH', 'dc', 1);
    stock.clock.nowMs += 2 * MINUTE_MS;
    expect((await stock.hold(somebody, 'ENOUGH', 'dc', 1)).status).toBe(201);
    expect((await stock.did('heldBy', { as: customer, path: { holdId: body.holdId } })).status).toBe('HELD');
  });
});

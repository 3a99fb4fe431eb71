import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { associate, DC, type Floor, HEAD_OFFICE, openFloor, STORE } from './floor.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
});
afterAll(() => floor.close());

const dueAt = '2026-11-25T00:00:00.000Z';
const announce = (adviceId: string, lines: object[], more: object = {}) =>
  floor.call('announceAdvice', {
    as: HEAD_OFFICE,
    path: { nodeId: DC, adviceId },
    body: { lines, dueAt, ...more },
  });
const receive = (adviceId: string, deliveryId: string, lines: object[]) =>
  floor.at(DC, 'receiveAdvice', { path: { adviceId, deliveryId }, body: { lines } });
const close = (adviceId: string) => floor.at(DC, 'closeAdvice', { path: { adviceId } });

describe('receiving against an advice', () => {
  it('what is announced is incoming, and a customer may be promised it', async () => {
    await floor.done(announce('asn-1', [{ sku: 'COAT', units: 10 }]));
    expect(await floor.levelOf('COAT', DC)).toBeUndefined();
    await floor.takesPlace('RECEIPT', { sku: 'COAT', nodeId: DC }, 1);
    expect(await floor.levelOf('COAT', DC)).toMatchObject({ onHand: 1, incoming: 10 });
    const promise = await floor.done(floor.stock('promise', { path: { sku: 'COAT' }, query: { units: '5' } }));
    expect(promise.promised).toEqual({ nodeId: DC, from: dueAt });
  });

  it('comes in two deliveries: one short, one over, some of it damaged', async () => {
    await floor.done(
      announce('asn-2', [
        { sku: 'TEE', units: 10 },
        { sku: 'CAP', units: 2 },
      ]),
    );
    const first = await floor.done(
      receive('asn-2', 'd1', [
        { sku: 'TEE', good: 3, damaged: 1 },
        { sku: 'CAP', good: 3 },
      ]),
    );
    expect(first).toMatchObject({
      status: 'RECEIVING',
      lines: [
        { sku: 'TEE', expected: 10, good: 3, damaged: 1, over: 0, short: 6 },
        { sku: 'CAP', expected: 2, good: 3, damaged: 0, over: 1, short: 0 },
      ],
    });
    expect(await floor.levelOf('TEE', DC)).toMatchObject({ onHand: 4, damaged: 1, available: 3, incoming: 6 });
    await floor.done(
      receive('asn-2', 'd2', [
        { sku: 'TEE', good: 4 },
        { sku: 'SOCK', good: 1 },
      ]),
    );
    const closed = await floor.done(close('asn-2'));
    expect(closed).toMatchObject({
      status: 'CLOSED',
      lines: [
        { sku: 'TEE', good: 7, damaged: 1, over: 0, short: 2 },
        { sku: 'CAP', over: 1, short: 0 },
        { sku: 'SOCK', expected: 0, good: 1, over: 1 },
      ],
    });
    expect(await floor.levelOf('TEE', DC)).toMatchObject({ onHand: 8, damaged: 1, available: 7, incoming: 0 });
    const [told] = await floor.told('advice.closed.v1');
    expect(told!.data).toMatchObject({ adviceId: 'asn-2', lines: [{ sku: 'TEE', short: 2 }, {}, { over: 1 }] });
  });

  it('the same delivery is booked once, whoever sends it again', async () => {
    await floor.done(announce('asn-3', [{ sku: 'MUG', units: 5 }]));
    const once = await receive('asn-3', 'd1', [{ sku: 'MUG', good: 5 }]);
    const again = await receive('asn-3', 'd1', [
      { sku: 'MUG', good: 2 },
      { sku: 'MUG', good: 3 },
    ]);
    expect(again.body).toEqual(once.body);
    expect(await floor.levelOf('MUG', DC)).toMatchObject({ onHand: 5, incoming: 0 });
    const other = await receive('asn-3', 'd1', [{ sku: 'MUG', good: 4 }]);
    expect(other.body.type).toBe('urn:ieum:problem:already-exists');
  });

  it('two deliveries that are booked at once are both there', async () => {
    await floor.done(announce('asn-4', [{ sku: 'PEN', units: 100 }]));
    const both = await Promise.all(
      ['d1', 'd2', 'd3', 'd4'].map((id) => receive('asn-4', id, [{ sku: 'PEN', good: 20, damaged: 5 }])),
    );
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await floor.levelOf('PEN', DC)).toMatchObject({ onHand: 100, damaged: 20, available: 80, incoming: 0 });
  });

  it('goods that come after the advice was closed are received all the same', async () => {
    await floor.done(announce('asn-5', [{ sku: 'BAG', units: 2 }]));
    await floor.done(close('asn-5'));
    const late = await floor.done(receive('asn-5', 'd1', [{ sku: 'BAG', good: 2 }]));
    expect(late).toMatchObject({ status: 'CLOSED', lines: [{ over: 0, short: 0 }] });
    expect(await floor.levelOf('BAG', DC)).toMatchObject({ onHand: 2, incoming: 0 });
    expect((await close('asn-5')).status).toBe(409);
  });

  it('is announced anew while nothing has come, and not after', async () => {
    await floor.done(
      announce('asn-6', [
        { sku: 'HAT', units: 2 },
        { sku: 'BELT', units: 2 },
      ]),
    );
    await floor.takesPlace('RECEIPT', { sku: 'BELT', nodeId: DC }, 1);
    await floor.done(announce('asn-6', [{ sku: 'HAT', units: 3 }]));
    expect(await floor.levelOf('BELT', DC)).toMatchObject({ incoming: 0 });
    await floor.done(receive('asn-6', 'd1', [{ sku: 'HAT', good: 1 }]));
    expect(await floor.levelOf('HAT', DC)).toMatchObject({ onHand: 1, incoming: 2 });
    expect((await announce('asn-6', [{ sku: 'HAT', units: 9 }])).body.type).toBe('urn:ieum:problem:wrong-state');
  });

  it('a node sees its own advices, open and closed, and nobody else does', async () => {
    await floor.done(announce('asn-7', [{ sku: 'HAT', units: 2 }]));
    const open = await floor.done(floor.at(DC, 'advices'));
    expect(open.items.map(({ adviceId }: { adviceId: string }) => adviceId)).toContain('asn-7');
    const closed = await floor.done(floor.at(DC, 'advices', { query: { status: 'CLOSED' } }));
    expect(closed.items.map(({ adviceId }: { adviceId: string }) => adviceId)).toEqual(
      expect.arrayContaining(['asn-2', 'asn-5']),
    );
    const stranger = await floor.at(DC, 'advice', { as: associate(STORE), path: { adviceId: 'asn-7' } });
    expect(stranger.status).toBe(404);
  });

  it('SKUs that are spread over many shards are received at once, at the first of them', async () => {
    for (const sku of ['HOT-1', 'HOT-2']) {
      await floor.done(floor.stock('spread', { as: HEAD_OFFICE, path: { sku, nodeId: DC }, body: { shards: 64 } }));
    }
    await floor.done(
      announce('asn-8', [
        { sku: 'HOT-1', units: 100 },
        { sku: 'HOT-2', units: 100 },
      ]),
    );
    const lines = ['HOT-1', 'HOT-2'].map((sku) => ({ sku, good: 100 }));
    await floor.done(receive('asn-8', 'd1', lines));
    expect(await floor.levelOf('HOT-2', DC)).toMatchObject({ onHand: 100, incoming: 0 });
  });
});

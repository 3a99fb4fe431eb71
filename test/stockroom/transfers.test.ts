import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { associate, DC, type Floor, openFloor, STORE } from './floor.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
});
afterAll(() => floor.close());

const dueAt = '2026-11-25T00:00:00.000Z';
const request = async (lines: object[]): Promise<string> =>
  (await floor.done(floor.at(STORE, 'requestTransfer', { body: { fromNodeId: DC, lines } }))).transferId;
const ship = (transferId: string, more: object = {}) =>
  floor.at(DC, 'shipTransfer', { path: { transferId }, body: { dueAt, ...more } });
const receive = (transferId: string, deliveryId: string, lines: object[]) =>
  floor.at(STORE, 'receiveTransfer', { path: { transferId, deliveryId }, body: { lines } });
const close = (transferId: string) => floor.at(STORE, 'closeTransfer', { path: { transferId } });
const problemOf = async (answer: Promise<{ body: { type: string } }>) =>
  (await answer).body.type.replace('urn:ieum:problem:', '');

describe('goods that move between nodes', () => {
  it('are requested, shipped, seen as incoming, and received', async () => {
    await floor.takesPlace('RECEIPT', { sku: 'COAT', nodeId: DC }, 10);
    await floor.takesPlace('RECEIPT', { sku: 'COAT', nodeId: STORE }, 1);
    const transferId = await request([{ sku: 'COAT', units: 4 }]);
    expect(await floor.levelOf('COAT', DC)).toMatchObject({ onHand: 10 });
    expect(await floor.done(ship(transferId))).toMatchObject({
      status: 'SHIPPED',
      lines: [{ requested: 4, shipped: 4, inTransit: 4, lost: 0 }],
    });
    expect(await floor.levelOf('COAT', DC)).toMatchObject({ onHand: 6, available: 6 });
    expect(await floor.levelOf('COAT', STORE)).toMatchObject({ onHand: 1, incoming: 4 });
    const received = await floor.done(receive(transferId, 'd1', [{ sku: 'COAT', good: 4 }]));
    expect(received).toMatchObject({ status: 'RECEIVED', lines: [{ good: 4, inTransit: 0, over: 0, lost: 0 }] });
    expect(await floor.levelOf('COAT', STORE)).toMatchObject({ onHand: 5, available: 5, incoming: 0 });
  });

  it('what does not arrive is lost in transit once nothing more is expected, and on record', async () => {
    await floor.takesPlace('RECEIPT', { sku: 'TEE', nodeId: DC }, 10);
    const transferId = await request([{ sku: 'TEE', units: 6 }]);
    await floor.done(
      ship(transferId, {
        lines: [
          { sku: 'TEE', units: 5 },
          { sku: 'CAP', units: 1 },
        ],
      }),
    );
    const part = await floor.done(receive(transferId, 'd1', [{ sku: 'TEE', good: 2, damaged: 1 }]));
    expect(part).toMatchObject({
      status: 'SHIPPED',
      lines: [
        { sku: 'TEE', inTransit: 2 },
        { sku: 'CAP', inTransit: 1 },
      ],
    });
    expect(await floor.levelOf('TEE', STORE)).toMatchObject({ onHand: 3, damaged: 1, available: 2, incoming: 2 });
    const closed = await floor.done(close(transferId));
    expect(closed).toMatchObject({
      status: 'RECEIVED',
      lines: [
        { shipped: 5, lost: 2 },
        { shipped: 1, lost: 1 },
      ],
    });
    expect(await floor.levelOf('TEE', STORE)).toMatchObject({ incoming: 0 });
    const told = (await floor.told('transfer.closed.v1')).find(
      ({ data }) => (data as typeof closed).transferId === transferId,
    );
    expect(told!.data).toMatchObject({
      lines: [
        { sku: 'TEE', lost: 2 },
        { sku: 'CAP', lost: 1 },
      ],
    });
    // It turns up after all.
    const found = await floor.done(receive(transferId, 'd2', [{ sku: 'TEE', good: 2 }]));
    expect(found).toMatchObject({ status: 'RECEIVED', lines: [{ good: 4, damaged: 1, lost: 0 }, { lost: 1 }] });
    expect(await floor.levelOf('TEE', STORE)).toMatchObject({ onHand: 5, incoming: 0 });
  });

  it('what arrives and was never shipped by the books is over', async () => {
    await floor.takesPlace('RECEIPT', { sku: 'MUG', nodeId: DC }, 3);
    const transferId = await request([{ sku: 'MUG', units: 2 }]);
    await floor.done(ship(transferId));
    const received = await floor.done(
      receive(transferId, 'd1', [
        { sku: 'MUG', good: 3 },
        { sku: 'PEN', good: 1 },
      ]),
    );
    expect(received).toMatchObject({
      lines: [
        { over: 1, lost: 0 },
        { sku: 'PEN', shipped: 0, over: 1 },
      ],
    });
  });

  it('leave although the books do not know of them, which somebody has to look at', async () => {
    const transferId = await request([{ sku: 'GHOST', units: 2 }]);
    await floor.done(ship(transferId));
    expect(await floor.levelOf('GHOST', DC)).toMatchObject({ onHand: -2 });
    const { items } = await floor.done(
      floor.stock('discrepancies', { as: associate(DC), path: { nodeId: DC }, query: {} }),
    );
    expect(items).toContainEqual(expect.objectContaining({ sku: 'GHOST', units: 2, kind: 'TRANSFER_OUT' }));
  });

  it('are called off by either end, but not once they have left', async () => {
    const [one, other, third] = await Promise.all(Array.from({ length: 3 }, () => request([{ sku: 'HAT', units: 1 }])));
    for (const [nodeId, transferId] of [
      [DC, one!],
      [STORE, other!],
    ] as const) {
      const cancelled = await floor.done(floor.at(nodeId, 'cancelTransfer', { path: { transferId } }));
      expect(cancelled).toMatchObject({ status: 'CANCELLED', lines: [{ inTransit: 0, lost: 0 }] });
    }
    await floor.done(ship(third!));
    expect(await problemOf(floor.at(DC, 'cancelTransfer', { path: { transferId: third! } }))).toBe('wrong-state');
    expect(await problemOf(ship(one!))).toBe('wrong-state');
    expect(await problemOf(receive(other!, 'd1', [{ sku: 'HAT', good: 1 }]))).toBe('wrong-state');
    expect(await problemOf(close(other!))).toBe('wrong-state');
  });

  it('are shipped by the one end and received by the other, and are nothing to third parties', async () => {
    const transferId = await request([{ sku: 'HAT', units: 1 }]);
    const path = { transferId };
    expect(await problemOf(floor.at(STORE, 'shipTransfer', { path, body: { dueAt } }))).toBe('not-found');
    await floor.done(ship(transferId));
    const arrived = { path: { ...path, deliveryId: 'd1' }, body: { lines: [{ sku: 'HAT', good: 1 }] } };
    expect(await problemOf(floor.at(DC, 'receiveTransfer', arrived))).toBe('not-found');
    expect(await problemOf(floor.at('store-2', 'transfer', { path }))).toBe('not-found');
    expect(await problemOf(floor.at(STORE, 'transfer', { as: associate('store-2'), path }))).toBe('not-found');
    const self = { body: { fromNodeId: STORE, lines: [{ sku: 'HAT', units: 1 }] } };
    expect(await problemOf(floor.at(STORE, 'requestTransfer', self))).toBe('invalid-input');
  });

  it('stand in the lists of both nodes, open until they are received', async () => {
    const transferId = await request([{ sku: 'SOCK', units: 1 }]);
    const listed = async (nodeId: string, direction: string, status: string): Promise<boolean> => {
      const { items } = await floor.done(floor.at(nodeId, 'transfers', { query: { direction, status, limit: '100' } }));
      return items.some((one: { transferId: string }) => one.transferId === transferId);
    };
    expect(await listed(STORE, 'IN', 'OPEN')).toBe(true);
    expect(await listed(DC, 'OUT', 'OPEN')).toBe(true);
    await floor.done(ship(transferId));
    await floor.done(receive(transferId, 'd1', [{ sku: 'SOCK', good: 1 }]));
    expect(await listed(DC, 'OUT', 'OPEN')).toBe(false);
    expect(await listed(DC, 'OUT', 'CLOSED')).toBe(true);
    expect(await listed(STORE, 'IN', 'CLOSED')).toBe(true);
  });
});

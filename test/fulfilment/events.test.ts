import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Floor, openFloor } from './floor.ts';
import { daily } from './network.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
  await floor.openNode('dc-1', { kind: 'DC', answerWithinSeconds: 1800 });
  await floor.openNode('store-1', { hours: daily('10:00', '13:00'), answerWithinSeconds: 1800 });
  await floor.receive('dc-1', { TEE: 100, MILK: 10 });
  await floor.receive('store-1', { TEE: 100 });
});
afterAll(() => floor.close());

const view = async (nodeId: string, id: string) =>
  (
    await floor.call('fulfilmentOrder', {
      as: { sub: 's', scope: 'ieum/fulfilment:work', nodeId },
      path: { fulfilmentOrderId: id },
    })
  ).body;
const startOf = (id: string) => floor.starts.filter(({ fulfilmentOrderId }) => fulfilmentOrderId === id);
const offer = (id: string, token: string) => floor.run({ task: 'offer', input: { fulfilmentOrderId: id }, token });
const answersTo = (token: string) => floor.answers.filter((one) => one.token === token).map(({ answer }) => answer);

describe('a placed order', () => {
  it('becomes work at each node of its plan, with the storage of its goods', async () => {
    const order = await floor.work(
      { 'dc-1': { MILK: 1 }, 'store-1': { TEE: 2 } },
      {
        lines: [
          { sku: 'MILK', units: 1, storage: 'COLD' },
          { sku: 'TEE', units: 2, storage: 'AMBIENT' },
        ],
      },
    );
    expect(await view('dc-1', `${order}-1`)).toMatchObject({
      ...{ orderId: order, nodeId: 'dc-1', method: 'SHIP', status: 'OPEN', work: 'ALLOCATED', version: 1 },
      lines: [{ sku: 'MILK', units: 1, storage: 'COLD' }],
      reason: 'a test says so',
    });
    expect(await view('store-1', `${order}-2`)).toMatchObject({
      lines: [{ sku: 'TEE', units: 2, storage: 'AMBIENT' }],
    });
  });

  it('that is heard of twice becomes work once', async () => {
    const { orderId, placed } = await floor.place({ 'dc-1': { TEE: 1 } });
    await floor.hear(placed);
    await floor.hear(placed);
    const [first, second] = startOf(`${orderId}-1`);
    await floor.run({ task: 'offer', input: first, token: 'first' });
    await floor.steps('dc-1', `${orderId}-1`, 'accept');
    await floor.run({ task: 'offer', input: second, token: 'second' });
    expect(await view('dc-1', `${orderId}-1`)).toMatchObject({ work: 'ACCEPTED', version: 2 });
    expect(await floor.events(orderId)).toHaveLength(2);
    expect(answersTo('second')).toEqual(['ACCEPTED']);
  });

  it('is told as work in the conversation that placed it, caused by the event that asked for it', async () => {
    const { orderId, placed } = await floor.place({ 'dc-1': { TEE: 1 } });
    await floor.hear({ ...placed, correlationid: 'a conversation' });
    await floor.run({ task: 'offer', input: startOf(`${orderId}-1`)[0], token: 'told' });
    expect(await floor.events(orderId)).toMatchObject([
      { type: 'fulfilment-order.allocated.v1', correlationid: 'a conversation', causationid: placed.id },
    ]);
  });

  it('gives a closed shop until it has been open long enough to answer', async () => {
    const order = await floor.work({ 'dc-1': { TEE: 1 }, 'store-1': { TEE: 1 } });
    expect((await view('dc-1', `${order}-1`)).answerBy).toBe('2026-11-18T05:00:00.000Z');
    expect((await view('store-1', `${order}-2`)).answerBy).toBe('2026-11-19T01:30:00.000Z');
  });

  it('of a node that is gone is looked for elsewhere at once', async () => {
    await floor.receive('ghost', { TEE: 1 });
    const order = await floor.work({ ghost: { TEE: 1 } });
    await floor.deliverEvents();
    expect(startOf(`${order}-1`)).toMatchObject([{ answerWithinSeconds: 1 }]);
  });
});

describe('the workflow', () => {
  it('of each fulfilment order is started with what it needs, and again if its order is heard of again', async () => {
    const { orderId, placed } = await floor.place({ 'dc-1': { TEE: 1 } });
    await floor.hear(placed);
    const started = { fulfilmentOrderId: `${orderId}-1`, method: 'SHIP', answerWithinSeconds: 1800 };
    expect(startOf(`${orderId}-1`)).toMatchObject([{ ...started, planned: { nodeId: 'dc-1', partsPlanned: 1 } }]);
    await floor.run({ task: 'offer', input: startOf(`${orderId}-1`)[0], token: 'once' });
    await floor.deliverEvents();
    expect(startOf(`${orderId}-1`), 'its own event is no second start').toHaveLength(1);
    floor.clock.nowMs += 60_000;
    await floor.hear(placed);
    expect(startOf(`${orderId}-1`)).toMatchObject([started, started]);
  });

  it('of what another node takes over is started by the event that says so, with the same again if it comes again', async () => {
    const order = await floor.work({ 'dc-1': { TEE: 1 } });
    await floor.steps('dc-1', `${order}-1`, 'reject');
    await floor.run({ task: 'resource', input: { fulfilmentOrderId: `${order}-1` } });
    expect(startOf(`${order}-2`)).toEqual([]);
    await floor.deliverEvents();
    const [started] = startOf(`${order}-2`);
    expect(started).toMatchObject({ method: 'SHIP' });
    floor.clock.nowMs += 60_000;
    const taken = (await floor.events(order)).find(
      ({ data }) => (data as { replaces?: string }).replaces !== undefined,
    );
    await floor.hear(taken!);
    expect(startOf(`${order}-2`)).toEqual([started, started]);
  });

  it.each([
    ['accept', 'ACCEPTED'],
    ['reject', 'REJECTED'],
  ])('that waits hears of %s by its token', async (action, answer) => {
    const id = `${await floor.work({ 'dc-1': { TEE: 1 } })}-1`;
    await offer(id, `offer ${action}`);
    await floor.steps('dc-1', id, action);
    expect(answersTo(`offer ${action}`)).toEqual([]);
    await floor.deliverEvents();
    expect(answersTo(`offer ${action}`)).toEqual([answer]);
  });

  it('that does not wait yet is told nothing, and finds the answer when it asks', async () => {
    const order = await floor.work({ 'store-1': { TEE: 1 } });
    await floor.steps('store-1', `${order}-1`, 'reject');
    await floor.run({ task: 'resource', input: { fulfilmentOrderId: `${order}-1` } });
    await floor.deliverEvents();
    const id = `${order}-2`;
    await floor.steps('dc-1', id, 'accept');
    const before = floor.answers.length;
    await floor.deliverEvents();
    expect(floor.answers.length).toBe(before);
    await offer(id, 'late offer');
    expect(answersTo('late offer')).toEqual(['ACCEPTED']);
  });

  it('that waits for the delivery does not take a late acceptance for it', async () => {
    const order = await floor.work({ 'dc-1': { TEE: 1 } });
    const id = `${order}-1`;
    await offer(id, 'for the answer');
    await floor.steps('dc-1', id, 'accept');
    await floor.run({ task: 'awaitDone', input: { fulfilmentOrderId: id }, token: 'for the delivery' });
    await floor.deliverEvents();
    expect(answersTo('for the delivery')).toEqual([]);
    await floor.steps('dc-1', id, 'pick', 'pack', 'dispatch', 'deliver');
    await floor.deliverEvents();
    expect(answersTo('for the delivery')).toEqual(['DONE']);
  });

  it('hears of a collection', async () => {
    const id = `${await floor.work({ 'store-1': { TEE: 1 } }, { choice: 'PICKUP', pickupNodeId: 'store-1' })}-1`;
    await floor.steps('store-1', id, 'accept', 'ready');
    await floor.run({ task: 'awaitDone', input: { fulfilmentOrderId: id }, token: 'for the collection' });
    await floor.steps('store-1', id, 'collect');
    await floor.deliverEvents();
    expect(startOf(id)).toMatchObject([{ method: 'COLLECT' }]);
    expect(answersTo('for the collection')).toEqual(['DONE']);
  });
});

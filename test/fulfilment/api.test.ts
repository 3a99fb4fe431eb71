import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Placed } from '../../functions/orders/emits.ts';
import { channelCaller, customerCaller, staffCaller } from '../support/call.ts';
import { atNode, type Floor, openFloor } from './floor.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
  await floor.openNode('dc-1', { kind: 'DC' });
  await floor.openNode('store-1');
  await floor.receive('dc-1', { TEE: 100, CAP: 100 });
  await floor.receive('store-1', { TEE: 100 });
});
afterAll(() => floor.close());

const problemOf = ({ body }: { body: { type?: string } }) => body.type?.replace('urn:ieum:problem:', '');
const worklist = (nodeId: string, as = atNode(nodeId), query = {}) =>
  floor.call('worklist', { as, path: { nodeId }, query });
const idsOn = async (nodeId: string) =>
  (await worklist(nodeId)).body.items.map(({ fulfilmentOrderId }: { fulfilmentOrderId: string }) => fulfilmentOrderId);
const look = (id: string, as = atNode('dc-1')) =>
  floor.call('fulfilmentOrder', { as, path: { fulfilmentOrderId: id } });
const PICKUP: Partial<Placed> = { choice: 'PICKUP', pickupNodeId: 'store-1' };

describe('the work of a parcel', () => {
  it('from acceptance to delivery is told step by step, and its stock leaves with the carrier', async () => {
    const [onHand, allocated, available] = await floor.stock('dc-1', 'TEE');
    const order = await floor.work({ 'dc-1': { TEE: 2 } });
    const id = `${order}-1`;
    expect(await floor.stock('dc-1', 'TEE')).toEqual([onHand, allocated! + 2, available! - 2]);

    expect((await floor.steps('dc-1', id, 'accept', 'pick', 'pack')).body).toMatchObject({
      status: 'IN_PROGRESS',
      work: 'PACKED',
      version: 4,
    });
    expect(await floor.stock('dc-1', 'TEE')).toEqual([onHand, allocated! + 2, available! - 2]);
    await floor.steps('dc-1', id, 'dispatch');
    expect(await floor.stock('dc-1', 'TEE')).toEqual([onHand! - 2, allocated, available! - 2]);
    expect((await floor.steps('dc-1', id, 'deliver')).body).toMatchObject({ status: 'CLOSED', work: 'DELIVERED' });

    const told = (await floor.events(order)).map(({ type, id: eventId, data }) => [type, eventId, data.lines]);
    const lines = [{ sku: 'TEE', units: 2 }];
    expect(told).toEqual([
      ['fulfilment-order.allocated.v1', `fulfilment-order/${id}#1`, [{ sku: 'TEE', units: 2, storage: 'AMBIENT' }]],
      ['fulfilment-order.accepted.v1', `fulfilment-order/${id}#2`, undefined],
      ['fulfilment-order.picked.v1', `fulfilment-order/${id}#3`, undefined],
      ['fulfilment-order.packed.v1', `fulfilment-order/${id}#4`, undefined],
      ['fulfilment-order.dispatched.v1', `fulfilment-order/${id}#5`, lines],
      ['fulfilment-order.delivered.v1', `fulfilment-order/${id}#6`, lines],
    ]);
  });

  it('a step that is not possible now is refused with the reason, and changes nothing', async () => {
    const id = `${await floor.work({ 'dc-1': { TEE: 1 } })}-1`;
    const early = await floor.steps('dc-1', id, 'dispatch');
    expect([early.status, problemOf(early)]).toEqual([409, 'wrong-state']);
    expect(early.body.detail).toBe('dispatch follows PACKED, and this is ALLOCATED');
    const wrong = await floor.steps('dc-1', id, 'accept', 'ready');
    expect(wrong.body.detail).toBe('ready is for COLLECT, and this is to SHIP');
    expect((await look(id)).body).toMatchObject({ work: 'ACCEPTED', version: 2 });
  });

  it('two people who accept at the same moment: one does, and the world hears of it once', async () => {
    const order = await floor.work({ 'dc-1': { TEE: 1 } });
    const accept = () => floor.call('accept', { as: atNode('dc-1'), path: { fulfilmentOrderId: `${order}-1` } });
    const answers = await Promise.all([accept(), accept(), accept()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const accepted = (await floor.events(order)).filter(({ type }) => type === 'fulfilment-order.accepted.v1');
    expect(accepted).toHaveLength(1);
  });

  it('a dispatch that is sent twice with one key takes the stock once and answers the same', async () => {
    const id = `${await floor.work({ 'dc-1': { CAP: 3 } })}-1`;
    await floor.steps('dc-1', id, 'accept', 'pick', 'pack');
    const [onHand] = await floor.stock('dc-1', 'CAP');
    const send = () =>
      floor.call('dispatch', { as: atNode('dc-1'), path: { fulfilmentOrderId: id }, idempotencyKey: 'dispatch-once' });
    const first = await send();
    const second = await send();
    expect(first.status).toBe(200);
    expect(second.text).toBe(first.text);
    expect((await floor.stock('dc-1', 'CAP'))[0]).toBe(onHand! - 3);
  });
});

describe('a pickup', () => {
  it('is prepared and handed over at the store, and only then leaves its stock', async () => {
    const order = await floor.work({ 'store-1': { TEE: 1 } }, PICKUP);
    const [onHand, allocated] = await floor.stock('store-1', 'TEE');
    expect((await floor.steps('store-1', `${order}-1`, 'accept', 'ready')).body).toMatchObject({
      method: 'COLLECT',
      work: 'READY',
    });
    expect(await floor.stock('store-1', 'TEE')).toEqual([onHand, allocated, onHand! - allocated!]);
    expect((await floor.steps('store-1', `${order}-1`, 'collect')).body.status).toBe('CLOSED');
    expect(await floor.stock('store-1', 'TEE')).toEqual([onHand! - 1, allocated! - 1, onHand! - allocated!]);
    expect((await floor.events(order)).map(({ type, subject }) => `${type} ${subject}`).slice(2)).toEqual([
      `pickup.ready.v1 pickup/${order}-1`,
      `pickup.collected.v1 pickup/${order}-1`,
    ]);
  });
});

describe('a rejection', () => {
  it('needs a reason, which is for the house and not for the bus', async () => {
    const order = await floor.work({ 'dc-1': { TEE: 1 } });
    const path = { fulfilmentOrderId: `${order}-1` };
    const reject = (body: object) => floor.call('reject', { as: atNode('dc-1'), path, body });
    expect((await reject({})).body.errors).toMatchObject([{ field: '/reason' }]);
    expect((await reject({ reason: '4111 1111 1111 1111' })).status).toBe(400);
    expect((await reject({ reason: 'water damage' })).body).toMatchObject({
      status: 'OPEN',
      rejection: 'water damage',
    });
    const told = (await floor.events(order)).at(-1)!;
    expect(told.type).toBe('fulfilment-order.rejected.v1');
    expect(JSON.stringify(told)).not.toContain('water damage');
    expect(problemOf(await floor.steps('dc-1', `${order}-1`, 'accept'))).toBe('wrong-state');
  });
});

describe('the worklist', () => {
  it('shows what is to do, oldest first by pages, until it is delivered or rejected', async () => {
    await floor.openNode('store-list');
    await floor.receive('store-list', { TEE: 9 });
    const ids: string[] = [];
    for (let order = 0; order < 3; order += 1) {
      ids.push(`${await floor.work({ 'store-list': { TEE: 1 } })}-1`);
      floor.clock.nowMs += 1000;
    }
    expect(await idsOn('store-list')).toEqual(ids);
    const first = await worklist('store-list', undefined, { limit: '2' });
    expect(first.body.items).toHaveLength(2);
    const next = await worklist('store-list', undefined, { limit: '2', cursor: first.body.cursor });
    expect(next.body.items.map((item: { fulfilmentOrderId: string }) => item.fulfilmentOrderId)).toEqual([ids[2]]);

    await floor.steps('store-list', ids[0]!, 'reject');
    await floor.steps('store-list', ids[1]!, 'accept', 'pick', 'pack', 'dispatch');
    expect(await idsOn('store-list')).toEqual([ids[1], ids[2]]);
    await floor.steps('store-list', ids[1]!, 'deliver');
    expect(await idsOn('store-list')).toEqual([ids[2]]);
  });

  it('of another node looks like one that is not there; head office sees every one', async () => {
    const id = `${await floor.work({ 'dc-1': { TEE: 1 } })}-1`;
    const stranger = atNode('store-1');
    expect((await worklist('dc-1', stranger)).status).toBe(404);
    const foreign = await look(id, stranger);
    const missing = await look('ord_nothing-1', stranger);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(foreign.text.replaceAll(id, '')).toBe(missing.text.replaceAll('ord_nothing-1', ''));
    expect((await floor.steps('store-1', id, 'accept')).status).toBe(404);
    expect((await look(id)).body.work).toBe('ALLOCATED');
    expect((await look(id, atNode('*'))).status).toBe(200);
    expect((await look('ord_without_number')).status).toBe(404);
  });

  it('is for staff with the scope', async () => {
    expect((await worklist('dc-1', staffCaller('dc-1', 'inventory:read'))).status).toBe(403);
    expect((await worklist('dc-1', customerCaller('customer-1'))).status).toBe(403);
    expect((await floor.call('worklist', { path: { nodeId: 'dc-1' } })).status).toBe(401);
  });
});

describe('how an order is fulfilled', () => {
  it('is shown to whoever placed it and to who may see any order; to others there is no such order', async () => {
    const orderId = await floor.work({ 'dc-1': { TEE: 1 }, 'store-1': { TEE: 1 } });
    await floor.record(orderId, { customerId: 'market_buyer', channelId: 'market' });
    const seenBy = (as: ReturnType<typeof customerCaller>) => floor.call('ofOrder', { as, path: { orderId } });
    const shown = await seenBy(customerCaller('market_buyer'));
    expect(shown.body.items).toMatchObject([
      { fulfilmentOrderId: `${orderId}-1`, nodeId: 'dc-1' },
      { fulfilmentOrderId: `${orderId}-2`, nodeId: 'store-1' },
    ]);
    expect(JSON.stringify(shown.body)).not.toMatch(/market_buyer|excludedNodeIds|byNode/);
    const importsOnly = (id: string) => ({ ...channelCaller(id)!, scope: 'ieum/orders:import' });
    expect((await seenBy(importsOnly('market'))).status).toBe(200);
    expect((await seenBy(importsOnly('bazaar'))).status).toBe(404);
    expect((await seenBy(staffCaller('*', 'orders:read'))).status).toBe(200);
    expect((await seenBy(customerCaller('somebody-else'))).status).toBe(404);
  });
});

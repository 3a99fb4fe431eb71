import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { nodesOf } from '../../functions/network/parts.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { apiOf, customerCaller, staffCaller } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const headOffice = staffCaller('*', 'network:write');
let engine: TestEngine;
let runtime: Runtime;
let call: ReturnType<typeof apiOf<typeof network>>;

beforeAll(async () => {
  engine = await startTestEngine(network);
  runtime = engine.runtime();
  call = apiOf(network, handlers(runtime), runtime);
});
afterAll(() => engine.close());

const express = { cutOff: '23:00', deliveredBy: '07:00', radiusKm: 40 };
const store = (extra: object = {}) => ({
  name: { ko: '강남점', en: 'Gangnam' },
  kind: 'STORE',
  location: { latitude: 37.498, longitude: 127.028 },
  timeZone: 'Asia/Seoul',
  hours: [{ weekdays: [1, 2, 3, 4, 5], opens: '10:00', closes: '22:00' }],
  abilities: ['SHIP', 'PICKUP'],
  answerWithinSeconds: 900,
  shipDays: 1,
  status: 'OPEN',
  ...extra,
});
const maintain = (nodeId: string, extra: object = {}) =>
  call('maintain', { as: headOffice, path: { nodeId }, body: store(extra) });

describe('the network', () => {
  it('a node that was opened is there for everybody', async () => {
    const opened = await maintain('store-gangnam', { abilities: ['DAWN', 'COLD_CHAIN'], dawn: express });
    expect(opened.status).toBe(200);
    expect(opened.body).toEqual({
      nodeId: 'store-gangnam',
      ...store({ abilities: ['DAWN', 'COLD_CHAIN'], dawn: express }),
      version: 1,
    });
    expect((await call('node', { path: { nodeId: 'store-gangnam' } })).body).toEqual(opened.body);
  });

  it('a change replaces what was said before, and what is left out is gone', async () => {
    await maintain('store-mapo', { abilities: ['SAME_DAY'], sameDay: express });
    const changed = await maintain('store-mapo', { status: 'CLOSED' });
    expect(changed.body).toMatchObject({ status: 'CLOSED', version: 2 });
    expect(changed.body.sameDay).toBeUndefined();
    expect((await call('node', { path: { nodeId: 'store-mapo' } })).body).toEqual(changed.body);
  });

  it('two changes at the same moment follow each other', async () => {
    await maintain('dc-icheon', { kind: 'DC', shipDays: 9 });
    const answers = await Promise.all([1, 2, 3].map((shipDays) => maintain('dc-icheon', { kind: 'DC', shipDays })));
    expect(answers.map(({ body }) => body.version).sort()).toEqual([2, 3, 4]);
    const last = answers.find(({ body }) => body.version === 4)!.body;
    expect((await call('node', { path: { nodeId: 'dc-icheon' } })).body).toEqual(last);
  });

  it('an ability that is named twice is kept once', async () => {
    expect((await maintain('popup', { abilities: ['SHIP', 'SHIP'] })).body.abilities).toEqual(['SHIP']);
  });

  it('a node that never was is not found', async () => {
    expect((await call('node', { path: { nodeId: 'nowhere' } })).status).toBe(404);
  });

  it('sourcing reads the whole network, page by page shows the same', async () => {
    const all = await nodesOf(runtime.tables);
    expect(all.map(({ nodeId }) => nodeId)).toEqual(['dc-icheon', 'popup', 'store-gangnam', 'store-mapo']);
    const first = await call('nodes', { query: { limit: '3' } });
    const rest = await call('nodes', { query: { limit: '3', cursor: first.body.cursor } });
    const ids = [...first.body.items, ...rest.body.items].map(({ nodeId }) => nodeId);
    expect(ids).toEqual(all.map(({ nodeId }) => nodeId));
    expect(rest.body.cursor).toBeUndefined();
  });
});

describe('foreign hands and bad input', () => {
  it.each([
    [{ abilities: ['DAWN'] }, '/dawn'],
    [{ abilities: ['DAWN'], sameDay: express }, '/dawn'],
    [{ abilities: ['SAME_DAY'] }, '/sameDay'],
    [{ abilities: ['FLY'] }, '/abilities/0'],
    [{ abilities: ['DAWN'], dawn: { ...express, cutOff: '24:00' } }, '/dawn/cutOff'],
    [{ abilities: ['DAWN'], dawn: { ...express, radiusKm: 0 } }, '/dawn/radiusKm'],
    [{ hours: [{ weekdays: [1], opens: '22:00', closes: '02:00' }] }, '/hours/0/closes'],
    [{ hours: [{ weekdays: [1], opens: '22:00', closes: '22:00' }] }, '/hours/0/closes'],
    [{ hours: [{ weekdays: [0], opens: '09:00', closes: '18:00' }] }, '/hours/0/weekdays/0'],
    [{ location: { latitude: 91, longitude: 0 } }, '/location/latitude'],
    [{ timeZone: 'Asia/Gangnam' }, '/timeZone'],
    [{ answerWithinSeconds: 0 }, '/answerWithinSeconds'],
    [{ owner: 'me' }, '/owner'],
  ])('%j is refused and the field is named', async (extra, field) => {
    const answer = await maintain('bad', extra);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect((await call('node', { path: { nodeId: 'bad' } })).status).toBe(404);
  });

  it('nobody changes the network without the scope', async () => {
    const options = { path: { nodeId: 'mine' }, body: store() };
    expect((await call('maintain', options)).status).toBe(401);
    expect((await call('maintain', { ...options, as: customerCaller('kim') })).status).toBe(403);
    expect((await call('maintain', { ...options, as: staffCaller('mine', 'fulfilment:work') })).status).toBe(403);
  });
});

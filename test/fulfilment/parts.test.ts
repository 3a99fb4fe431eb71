import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { options, plan } from '../../functions/fulfilment/parts.ts';
import type { Tables } from '../../shared/table.ts';
import { type Floor, openFloor } from './floor.ts';
import { BUSAN, NOW, request, SEOUL } from './network.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
  await floor.openNode('dc-busan', { kind: 'DC', location: BUSAN });
  await floor.openNode('store-seoul', { location: SEOUL });
  await floor.receive('dc-busan', { TEE: 2 });
  await floor.receive('store-seoul', { TEE: 9 });
});
afterAll(() => floor.close());

/** The same tables, counting the reads of the network. */
const counting = () => {
  const counted = { reads: 0 };
  const tables: Tables = {
    ...floor.runtime.tables,
    query: (table, input) => {
      if (table === 'network') counted.reads += 1;
      return floor.runtime.tables.query(table, input);
    },
  };
  return { tables, counted };
};
const later = (ms: number) => new Date(Date.parse(NOW) + ms).toISOString();

describe('a plan for an order', () => {
  it('is made from the nodes and the stock as they are', async () => {
    const few = await plan(floor.runtime.tables, request({ TEE: 2 }));
    expect(few).toMatchObject({
      ok: true,
      value: { fulfilments: [{ nodeId: 'dc-busan', lines: [{ sku: 'TEE', units: 2 }] }] },
    });
    const many = await plan(floor.runtime.tables, request({ TEE: 5 }));
    expect(many).toMatchObject({ ok: true, value: { fulfilments: [{ nodeId: 'store-seoul' }] } });
    const tooMany = await plan(floor.runtime.tables, request({ TEE: 12 }));
    expect(tooMany).toMatchObject({
      ok: false,
      refusal: { problem: 'sold-out', detail: '11 of 12 TEE are available' },
    });
  });

  it('reads the network once a second, however many orders come', async () => {
    const { tables, counted } = counting();
    for (const ms of [0, 1, 500, 999]) await plan(tables, request({ TEE: 1 }, { now: later(ms) }));
    expect(counted.reads).toBe(1);
    await plan(tables, request({ TEE: 1 }, { now: later(1000) }));
    expect(counted.reads).toBe(2);
  });

  it('does not remember a read that failed', async () => {
    const { tables, counted } = counting();
    const query = tables.query;
    tables.query = (table, input) =>
      table === 'network' ? Promise.reject(new Error('throttled')) : query(table, input);
    await expect(plan(tables, request({ TEE: 1 }))).rejects.toThrow('throttled');
    tables.query = query;
    expect(await plan(tables, request({ TEE: 1 }, { now: later(1) }))).toMatchObject({ ok: true });
    expect(counted.reads).toBe(1);
  });
});

it('a customer is shown what can be chosen', async () => {
  const { lines, destination, now } = request({ TEE: 3 });
  const shown = await options(floor.runtime.tables, { lines, destination, now, channel: 'web' });
  expect(shown.map(({ choice, available }) => [choice, available])).toEqual([
    ['HOME_DELIVERY', true],
    ['SAME_DAY', false],
    ['DAWN', false],
    ['PICKUP', true],
  ]);
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import fulfilment from '../../functions/fulfilment/contract.ts';
import { handlers as taskHandlers } from '../../functions/fulfilment/tasks.ts';
import { allocate } from '../../functions/inventory/parts.ts';
import { nodeOf, nodePart } from '../../functions/network/store.ts';
import type { Placed } from '../../functions/orders/emits.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { TaskEvent } from '../../shared/tasks.ts';
import { taskRunnerOf } from '../support/call.ts';
import { atNode, type Floor, homeInSeoul, openFloor } from './floor.ts';
import { BUSAN, SEOUL } from './network.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
  await floor.openNode('dc-1', { kind: 'DC' });
  await floor.openNode('store-seoul', { location: SEOUL });
  await floor.openNode('store-busan', { location: BUSAN });
});
afterAll(() => floor.close());

/** A SKU of its own for every test, so that tests do not see each other's stock. */
let sku = 'SKU0';
beforeEach(() => {
  sku = `SKU${Number(sku.slice(3)) + 1}`;
});

const run = (task: string, id: string, token?: string) =>
  floor.run({ task, input: { fulfilmentOrderId: id }, ...(token === undefined ? {} : { token }) });
const view = async (id: string) =>
  (await floor.call('fulfilmentOrder', { as: atNode('*'), path: { fulfilmentOrderId: id } })).body;
const answersTo = (token: string) => floor.answers.filter((one) => one.token === token).map(({ answer }) => answer);
const typesOf = async (order: string) => (await floor.events(order)).map(({ type }) => type.split('.')[1]);
const cancelled = async (order: string) =>
  (await floor.events(order)).filter(({ type }) => type === 'fulfilment-order.incomplete.v1').map(({ data }) => data);
const stocked = async (byNode: Record<string, number>) => {
  for (const [nodeId, units] of Object.entries(byNode)) await floor.receive(nodeId, { [sku]: units });
};
const rejected = async (units: number, more: Partial<Placed> = {}) => {
  const order = await floor.work({ 'dc-1': { [sku]: units } }, more);
  await floor.steps('dc-1', `${order}-1`, 'reject');
  return order;
};

/** Runs a task while something else happens between its decision and its commit. Gives the answers it gave. */
const runWith = async (meanwhile: () => Promise<unknown>, event: TaskEvent): Promise<string[]> => {
  const { tables } = floor.runtime;
  let hasHappened = false;
  const runtime: Runtime = {
    ...floor.runtime,
    tables: {
      ...tables,
      commit: async (parts) => {
        if (!hasHappened) {
          hasHappened = true;
          await meanwhile();
        }
        return tables.commit(parts);
      },
    },
  };
  const given: string[] = [];
  const workflow = {
    start: async () => {},
    answer: async (_: string, { answer }: { answer: string }) => void given.push(answer),
  };
  await taskRunnerOf(fulfilment, taskHandlers(runtime, workflow), runtime)(event);
  expect(hasHappened).toBe(true);
  return given;
};

describe('offering', () => {
  it('opens the work to its node, once, however often it runs', async () => {
    await stocked({ 'dc-1': 1 });
    const id = `${await floor.work({ 'dc-1': { [sku]: 1 } })}-1`;
    await run('offer', id, 'token 1');
    await run('offer', id, 'token 2');
    expect(await view(id)).toMatchObject({ status: 'OPEN', work: 'ALLOCATED', version: 1 });
    expect(await typesOf(id.slice(0, -2))).toEqual(['allocated']);
    await floor.steps('dc-1', id, 'accept');
    await floor.deliverEvents();
    // Nobody can tell which attempt was the last to write, so whoever may wait is told.
    expect([answersTo('token 1'), answersTo('token 2')]).toEqual([['ACCEPTED'], ['ACCEPTED']]);
  });

  it('while the node answers leaves nobody waiting: whoever is later tells the workflow', async () => {
    await stocked({ 'dc-1': 10, 'store-seoul': 10 });
    for (let round = 0; round < 10; round += 1) {
      const order = await rejected(1);
      await run('resource', `${order}-1`);
      const id = `${order}-2`;
      expect(await view(id)).toMatchObject({ nodeId: 'store-seoul', status: 'SCHEDULED' });
      await Promise.all([run('offer', id, `race ${sku} ${round}`), floor.steps('store-seoul', id, 'accept')]);
      await floor.deliverEvents();
      expect(new Set(answersTo(`race ${sku} ${round}`))).toEqual(new Set(['ACCEPTED']));
    }
  });

  it('of planned work by two attempts at once makes it once, and whoever may wait is told', async () => {
    await stocked({ 'dc-1': 10 });
    for (let round = 0; round < 10; round += 1) {
      const { orderId, placed } = await floor.place({ 'dc-1': { [sku]: 1 } });
      await floor.hear(placed);
      const input = floor.starts.at(-1);
      const tokens = ['one', 'other'].map((which) => `${which} ${sku} ${round}`);
      await Promise.all(tokens.map((token) => floor.run({ task: 'offer', input, token })));
      expect(await typesOf(orderId)).toEqual(['allocated']);
      await floor.steps('dc-1', `${orderId}-1`, 'accept');
      await floor.deliverEvents();
      expect(tokens.map(answersTo)).toEqual([['ACCEPTED'], ['ACCEPTED']]);
    }
  });

  it('a second time, just as the node answers, tells the workflow itself', async () => {
    await stocked({ 'dc-1': 1 });
    const id = `${await floor.work({ 'dc-1': { [sku]: 1 } })}-1`;
    await run('offer', id, `first ${sku}`);
    const answerMeanwhile = async () => {
      await floor.steps('dc-1', id, 'accept');
      await floor.deliverEvents();
    };
    const event = { task: 'offer', input: { fulfilmentOrderId: id }, token: `second ${sku}` };
    expect(await runWith(answerMeanwhile, event)).toEqual(['ACCEPTED']);
  });

  it('of a part of the plan finds its number free, whatever was sourced anew before it was on record', async () => {
    await stocked({ 'dc-1': 2, 'store-seoul': 1, 'store-busan': 1 });
    const { orderId, placed } = await floor.place({ 'dc-1': { [sku]: 1 }, 'store-seoul': { [sku]: 1 } });
    await floor.hear(placed);
    const [first, second] = floor.starts.slice(-2);
    await floor.run({ task: 'offer', input: first, token: 'of the first' });
    await run('resource', `${orderId}-1`);
    expect(await view(`${orderId}-3`)).toMatchObject({ nodeId: 'store-busan', replaces: `${orderId}-1` });
    await floor.run({ task: 'offer', input: second, token: 'of the second' });
    expect(await view(`${orderId}-2`)).toMatchObject({ nodeId: 'store-seoul', status: 'OPEN' });
  });

  it('that never ran leaves it to sourcing to put the work on record first', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1 });
    const { orderId, placed } = await floor.place({ 'dc-1': { [sku]: 1 } });
    await floor.hear(placed);
    const input = floor.starts.at(-1);
    expect(await floor.run({ task: 'resource', input })).toEqual({ answer: 'RESOLVED' });
    expect(await view(`${orderId}-1`)).toMatchObject({ status: 'INCOMPLETE', work: 'TIMED_OUT' });
    expect(await view(`${orderId}-2`)).toMatchObject({ nodeId: 'store-seoul' });
    await floor.run({ task: 'offer', input, token: `late ${sku}` });
    expect(answersTo(`late ${sku}`)).toEqual(['RESOLVED']);
    expect(await typesOf(orderId)).toEqual(['allocated', 'allocated']);
  });

  it('needs a token, and a fulfilment order', async () => {
    await expect(run('offer', 'ord_nothing-1', 'token')).rejects.toThrow('there is no fulfilment order');
    await expect(run('offer', 'ord_nothing-1')).rejects.toThrow('token');
  });
});

describe('sourcing anew', () => {
  it('moves work and stock to the next node in one step, and says why that one', async () => {
    await stocked({ 'dc-1': 5, 'store-seoul': 5, 'store-busan': 5 });
    await floor.remember('customer-1', 'adr_1');
    const order = await rejected(2, { addressId: 'adr_1' });
    expect(await run('resource', `${order}-1`)).toEqual({ answer: 'RESOLVED' });
    expect(await view(`${order}-1`)).toMatchObject({ status: 'INCOMPLETE', work: 'REJECTED' });
    expect(await view(`${order}-2`)).toMatchObject({
      ...{ nodeId: 'store-seoul', status: 'SCHEDULED', work: 'ALLOCATED', replaces: `${order}-1` },
      ...{
        lines: [{ sku, units: 2, storage: 'AMBIENT' }],
        reason: 'store-seoul, 0.0 km, is the nearest with all lines',
      },
    });
    expect(await floor.stock('dc-1', sku)).toEqual([5, 0, 5]);
    expect(await floor.stock('store-seoul', sku)).toEqual([5, 2, 3]);
    const told = (await floor.events(order)).find(({ id }) => id === `fulfilment-order/${order}-2#1`);
    expect(told).toMatchObject({ type: 'fulfilment-order.allocated.v1', data: { replaces: `${order}-1` } });
    expect(await cancelled(order)).toEqual([]);
  });

  it('run again changes nothing more (rule 17)', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 3 });
    const order = await rejected(1);
    await Promise.all([run('resource', `${order}-1`), run('resource', `${order}-1`), run('resource', `${order}-1`)]);
    await run('resource', `${order}-1`);
    expect(await floor.stock('store-seoul', sku)).toEqual([3, 1, 2]);
    expect((await typesOf(order)).sort()).toEqual(['allocated', 'allocated', 'rejected']);
    expect((await view(`${order}-3`)).status).toBe(404);
  });

  it('a node that does not answer loses the work like one that rejects', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1 });
    const order = await floor.work({ 'dc-1': { [sku]: 1 } });
    await run('offer', `${order}-1`, 'silence');
    await run('resource', `${order}-1`);
    expect(await view(`${order}-1`)).toMatchObject({ status: 'INCOMPLETE', work: 'TIMED_OUT' });
    expect((await floor.steps('dc-1', `${order}-1`, 'accept')).status).toBe(409);
    expect((await view(`${order}-2`)).nodeId).toBe('store-seoul');
  });

  it('a node that accepts at the last moment keeps the work', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1 });
    const order = await floor.work({ 'dc-1': { [sku]: 1 } });
    await floor.steps('dc-1', `${order}-1`, 'accept');
    expect(await run('resource', `${order}-1`)).toEqual({ answer: 'ACCEPTED' });
    expect(await floor.stock('store-seoul', sku)).toEqual([1, 0, 1]);
  });

  it('at the very moment of acceptance exactly one of both happens', async () => {
    await stocked({ 'dc-1': 20, 'store-seoul': 20 });
    for (let round = 0; round < 8; round += 1) {
      const id = `${await floor.work({ 'dc-1': { [sku]: 1 } })}-1`;
      const [resourced, accepted] = await Promise.all([run('resource', id), floor.steps('dc-1', id, 'accept')]);
      const isAccepted = accepted.status === 200;
      expect(resourced).toEqual({ answer: isAccepted ? 'ACCEPTED' : 'RESOLVED' });
      expect((await view(id)).work).toBe(isAccepted ? 'ACCEPTED' : 'TIMED_OUT');
    }
    const [, allocatedAtDc] = await floor.stock('dc-1', sku);
    const [, allocatedAtStore] = await floor.stock('store-seoul', sku);
    expect(allocatedAtDc! + allocatedAtStore!).toBe(8);
  });

  it('a store that rejects an order is not asked again, for any part of it', async () => {
    await stocked({ 'dc-1': 9, 'store-seoul': 9, 'store-busan': 9 });
    const order = await rejected(1);
    await run('resource', `${order}-1`);
    const second = (await view(`${order}-2`)).nodeId;
    await floor.steps(second, `${order}-2`, 'reject');
    await run('resource', `${order}-2`);
    const third = (await view(`${order}-3`)).nodeId;
    expect(new Set(['dc-1', second, third]).size).toBe(3);
    await floor.steps(third, `${order}-3`, 'reject');
    await run('resource', `${order}-3`);
    expect(await cancelled(order)).toMatchObject([{ fulfilmentOrderId: `${order}-3`, lines: [{ sku, units: 1 }] }]);
    for (const nodeId of ['dc-1', 'store-seoul', 'store-busan'])
      expect(await floor.stock(nodeId, sku)).toEqual([9, 0, 9]);
  });

  it('what nobody else has is given back and told; what somebody has is still supplied', async () => {
    const rare = `${sku}-rare`;
    await floor.receive('dc-1', { [sku]: 3, [rare]: 1 });
    await floor.receive('store-busan', { [sku]: 2 });
    const order = await floor.work({ 'dc-1': { [sku]: 3, [rare]: 1 } });
    await floor.steps('dc-1', `${order}-1`, 'reject');
    await run('resource', `${order}-1`);
    expect((await view(`${order}-2`)).lines).toMatchObject([{ sku, units: 2 }]);
    expect(await cancelled(order)).toMatchObject([
      {
        lines: [
          { sku, units: 1 },
          { sku: rare, units: 1 },
        ],
        reason: expect.stringContaining('are available'),
      },
    ]);
    expect([await floor.stock('dc-1', sku), await floor.stock('dc-1', rare)]).toEqual([
      [3, 0, 3],
      [1, 0, 1],
    ]);
  });

  it('twenty lines that two nodes share are moved, by as many at a time as fit into a transaction', async () => {
    const skus = Array.from({ length: 20 }, (_, index) => `${sku}-${index}`);
    const units = (each: number) => Object.fromEntries(skus.map((one) => [one, each]));
    await floor.receive('dc-1', units(3));
    await floor.receive('store-seoul', units(1));
    await floor.receive('store-busan', units(2));
    const order = await floor.work({ 'dc-1': units(3) });
    await floor.steps('dc-1', `${order}-1`, 'reject');
    await run('resource', `${order}-1`);
    for (const one of skus) {
      expect(await floor.stock('dc-1', one)).toEqual([3, 0, 3]);
      expect(await floor.stock('store-seoul', one)).toEqual([1, 1, 0]);
      expect(await floor.stock('store-busan', one)).toEqual([2, 2, 0]);
    }
  });

  it('a pickup is not moved to a store that the customer did not choose', async () => {
    await stocked({ 'store-seoul': 1, 'store-busan': 9 });
    const order = await floor.work({ 'store-seoul': { [sku]: 1 } }, { choice: 'PICKUP', pickupNodeId: 'store-seoul' });
    await floor.steps('store-seoul', `${order}-1`, 'reject');
    await run('resource', `${order}-1`);
    expect(await cancelled(order)).toMatchObject([{ nodeId: 'store-seoul', lines: [{ sku, units: 1 }] }]);
    expect(await floor.stock('store-busan', sku)).toEqual([9, 0, 9]);
  });

  it('two parts of one order that are refused at the same moment get numbers of their own', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1, 'store-busan': 9 });
    const order = await floor.work({ 'dc-1': { [sku]: 1 }, 'store-seoul': { [sku]: 1 } });
    await Promise.all([run('resource', `${order}-1`), run('resource', `${order}-2`)]);
    const replaced = [await view(`${order}-3`), await view(`${order}-4`)].map(({ replaces }) => replaces);
    expect(replaced.sort()).toEqual([`${order}-1`, `${order}-2`]);
  });

  it('stock that somebody takes between plan and promise is not promised twice: the next node is taken', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1, 'store-busan': 1 });
    await floor.remember('customer-1', `adr_${sku}`);
    const order = await rejected(1, { addressId: `adr_${sku}` });
    await runWith(
      async () => {
        const stolen = { allocationId: `thief-${sku}`, nodeId: 'store-seoul', lines: [{ sku, units: 1 }] };
        await floor.commit({ ...allocate([stolen], floor.cause), facts: [] });
      },
      { task: 'resource', input: { fulfilmentOrderId: `${order}-1` } },
    );
    expect((await view(`${order}-2`)).nodeId).toBe('store-busan');
    expect(await floor.stock('store-seoul', sku)).toEqual([1, 1, 0]);
  });

  it('a customer who was erased is still supplied, by no particular distance', async () => {
    await stocked({ 'dc-1': 1, 'store-busan': 1 });
    const order = await rejected(1, { addressId: 'adr_erased', customerId: 'erased' });
    await run('resource', `${order}-1`);
    expect((await view(`${order}-2`)).reason).toBe('store-busan is the only one with all lines');
  });

  it('forty lines move too, in transactions that are not too large, and nothing is lost', async () => {
    const skus = Array.from({ length: 40 }, (_, n) => `${sku}-${n}`);
    const all = Object.fromEntries(skus.map((one) => [one, 1]));
    await floor.receive('dc-1', all);
    await floor.receive('store-seoul', all);
    const order = await floor.work({ 'dc-1': all });
    await floor.steps('dc-1', `${order}-1`, 'reject');
    await run('resource', `${order}-1`);
    expect(await view(`${order}-1`)).toMatchObject({ status: 'INCOMPLETE' });
    const moved = [await view(`${order}-2`), await view(`${order}-3`)].flatMap(({ lines }) => lines);
    expect(moved.map((line: { sku: string }) => line.sku).sort()).toEqual(skus.sort());
    for (const one of skus) {
      expect(await floor.stock('dc-1', one)).toEqual([1, 0, 1]);
      expect(await floor.stock('store-seoul', one)).toEqual([1, 1, 0]);
    }
  });

  it('a node that has closed meanwhile is not asked', async () => {
    await stocked({ 'dc-1': 1, 'store-seoul': 1, 'store-busan': 1 });
    const order = await rejected(1, { addressId: 'adr_1' });
    const open = (await nodeOf(floor.runtime.tables, 'store-seoul'))!;
    await floor.commit({ parts: [nodePart({ ...open, status: 'CLOSED', version: open.version + 1 })], facts: [] });
    await run('resource', `${order}-1`);
    expect((await view(`${order}-2`)).nodeId).toBe('store-busan');
    await floor.commit({ parts: [nodePart({ ...open, version: open.version + 2 })], facts: [] });
  });
});

describe('waiting for the end', () => {
  it('answers at once where the customer has the goods already', async () => {
    await stocked({ 'dc-1': 1 });
    const id = `${await floor.work({ 'dc-1': { [sku]: 1 } })}-1`;
    await floor.steps('dc-1', id, 'accept', 'pick', 'pack', 'dispatch', 'deliver');
    await run('awaitDone', id, `done ${sku}`);
    expect(answersTo(`done ${sku}`)).toEqual(['DONE']);
  });
});

describe('waiting for the end, just as it comes', () => {
  it('tells the workflow itself, because the event found no token', async () => {
    await stocked({ 'dc-1': 1 });
    const id = `${await floor.work({ 'dc-1': { [sku]: 1 } })}-1`;
    await floor.steps('dc-1', id, 'accept', 'pick', 'pack', 'dispatch');
    const deliverMeanwhile = async () => {
      await floor.steps('dc-1', id, 'deliver');
      await floor.deliverEvents();
    };
    const event = { task: 'awaitDone', input: { fulfilmentOrderId: id }, token: `end ${sku}` };
    expect(await runWith(deliverMeanwhile, event)).toEqual(['DONE']);
    expect(answersTo(`end ${sku}`)).toEqual([]);
  });
});

describe('a pickup that nobody comes for', () => {
  const PICKUP: Partial<Placed> = { choice: 'PICKUP', pickupNodeId: 'store-seoul' };

  it('goes back to stock once, and the order hears of it', async () => {
    await stocked({ 'store-seoul': 2 });
    const order = await floor.work({ 'store-seoul': { [sku]: 2 } }, PICKUP);
    await floor.steps('store-seoul', `${order}-1`, 'accept', 'ready');
    expect(await run('restock', `${order}-1`)).toEqual({ work: 'EXPIRED' });
    expect(await run('restock', `${order}-1`)).toEqual({ work: 'EXPIRED' });
    expect(await floor.stock('store-seoul', sku)).toEqual([2, 0, 2]);
    const told = (await floor.events(order)).slice(-2).map(({ type, subject }) => `${type} ${subject}`);
    expect(told).toEqual([
      `pickup.expired.v1 pickup/${order}-1`,
      `fulfilment-order.incomplete.v1 fulfilment-order/${order}-1`,
    ]);
    expect((await floor.steps('store-seoul', `${order}-1`, 'collect')).status).toBe(409);
  });

  it('stays with the customer who came at the last moment', async () => {
    await stocked({ 'store-seoul': 1 });
    const order = await floor.work({ 'store-seoul': { [sku]: 1 } }, PICKUP);
    await floor.steps('store-seoul', `${order}-1`, 'accept', 'ready', 'collect');
    expect(await run('restock', `${order}-1`)).toEqual({ work: 'COLLECTED' });
    expect(await floor.stock('store-seoul', sku)).toEqual([0, 0, 0]);
  });
});

it('what fulfilment keeps and says holds no personal data', async () => {
  await stocked({ 'dc-1': 1, 'store-seoul': 1 });
  const order = await rejected(1, { addressId: 'adr_1' });
  await run('resource', `${order}-1`);
  const { items } = await floor.runtime.tables.query<object>('fulfilment', { pk: `ORDER#${order}`, limit: 100 });
  expect(items.length).toBeGreaterThan(1);
  const kept = JSON.stringify([items, await floor.events(order)]);
  for (const secret of [homeInSeoul.recipient, homeInSeoul.phone, homeInSeoul.line1, String(SEOUL.latitude)]) {
    expect(kept).not.toContain(secret);
  }
});

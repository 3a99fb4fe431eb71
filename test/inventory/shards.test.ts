import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import inventory from '../../functions/inventory/contract.ts';
import { allocate, consume, happened, release, stockToTheLast } from '../../functions/inventory/parts.ts';
import { contentionKey, levelsAt } from '../../functions/inventory/store/levels.ts';
import { handlers as taskHandlers } from '../../functions/inventory/tasks.ts';
import { type Change, change, update } from '../../shared/change.ts';
import { commitChanges } from '../../shared/runtime.ts';
import { homeInSeoul, openShop, type Shop } from '../orders/shop.ts';
import { type Answer, channelCaller, customerCaller, staffCaller, taskRunnerOf } from '../support/call.ts';

const NODE = 'dc-icheon';
const MINUTE_MS = 60_000;
const headOffice = staffCaller('*', 'inventory:read', 'inventory:write');
const live = channelCaller('live-show');
let shop: Shop;
let tend: () => Promise<unknown>;
beforeAll(async () => {
  shop = await openShop();
  // The task waits between its looks; nothing else happens meanwhile here.
  const runtime = { ...shop.runtime, sleep: async () => {} };
  const run = taskRunnerOf(inventory, taskHandlers(runtime), runtime);
  tend = () => run({ task: 'tendShards' });
});
afterAll(() => shop.close());

const spread = (sku: string, shards: number) =>
  shop.call.inventory('spread', { as: headOffice, path: { sku, nodeId: NODE }, body: { shards } });
/** A SKU of this test's own that lies on so many shards. */
const spreadOver = async (shards: number, units: number): Promise<string> => {
  const sku = `HOT-${randomUUID().slice(0, 8)}`;
  await shop.sell(sku, 10_000);
  await shop.receive(NODE, sku, units);
  expect((await spread(sku, shards)).status).toBe(200);
  return sku;
};
const shardsOf = async (sku: string) => (await levelsAt(shop.runtime.tables, [{ sku, nodeId: NODE }]))[0]!.shards;
const availableBy = async (sku: string) => (await shardsOf(sku)).map(({ available }) => available);
const totals = async (sku: string) => (await shop.levels(sku))[NODE]!;
const cause = () => ({ actor: 'test', correlationId: 'test', now: shop.runtime.now() });
const commit = async (...changes: Change<'insufficient-stock' | 'changed-meanwhile'>[]) => {
  const committed = await commitChanges(shop.runtime, cause(), changes);
  if (!committed.ok) throw new Error(committed.refusal.detail);
};
const promise = async (sku: string, units: number) => {
  const { tables, now } = shop.runtime;
  const allocation = { allocationId: randomUUID(), nodeId: NODE, lines: [{ sku, units }] };
  await commit(allocate([allocation], cause(), await stockToTheLast(tables, [{ sku }], { now: now() })));
  return allocation;
};
const conflictsOn = (sku: string, conflicts: number) =>
  commit(
    change([update('inventory', contentionKey({ sku, nodeId: NODE }), { add: { conflicts } }, [], undefined as never)]),
  );

const problemOf = ({ body }: Answer) => body.type?.replace('urn:ieum:problem:', '');
/** Asks as a shopper's client does: again while it is told that others were faster. */
const decided = async (ask: () => Promise<Answer>): Promise<Answer> => {
  for (;;) {
    const answer = await ask();
    if (!['changed-meanwhile', 'too-busy'].includes(problemOf(answer))) return answer;
  }
};
const order = (sku: string, units = 1) =>
  decided(() =>
    shop.call.orders('placeForChannel', {
      as: live,
      body: {
        ...{ reference: randomUUID(), buyer: { reference: 'viewer' }, lines: [{ sku, units }], channel: 'live' },
        delivery: { choice: 'HOME_DELIVERY', shipTo: homeInSeoul },
      },
    }),
  );
const hold = (sku: string, holder: string) =>
  decided(() =>
    shop.call.inventory('hold', {
      as: customerCaller(holder),
      body: { lines: [{ sku, nodeId: NODE, units: 1 }], holdSeconds: 600, channel: 'live' },
    }),
  );
const times = <T>(count: number, one: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => one(at));
/** So many people, some of them at a time, as one machine can serve. */
const crowd = async <T>(count: number, one: (index: number) => Promise<T>, atOnce = 16): Promise<T[]> => {
  const answers: T[] = [];
  let next = 0;
  const ask = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) answers.push(await one(index));
  };
  await Promise.all(times(atOnce, ask));
  return answers;
};
const successes = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201).length;

describe('a level that is spread over shards', () => {
  it('is spread evenly, and its ledger says so in a movement that adds up to nothing', async () => {
    const sku = await spreadOver(4, 10);
    expect(await availableBy(sku)).toEqual([3, 3, 2, 2]);
    const ledger = await shop.call.inventory('ledger', { as: headOffice, path: { sku, nodeId: NODE } });
    expect(ledger.body.items.at(-1)).toMatchObject({ kind: 'REBALANCE', onHand: 0, available: 0 });
  });

  it('supplies a line that no shard has alone, gives it back where it came from, and hands it over from there', async () => {
    const sku = await spreadOver(4, 10);
    const allocation = await promise(sku, 9);
    expect((await availableBy(sku)).reduce((sum, units) => sum + units, 0)).toBe(1);
    expect(await totals(sku)).toEqual({ onHand: 10, allocated: 9, available: 1 });
    await commit(await release(shop.runtime.tables, allocation, cause()));
    expect(await availableBy(sku)).toEqual([3, 3, 2, 2]);
    await commit(await consume(shop.runtime.tables, await promise(sku, 10), cause()));
    expect(await totals(sku)).toEqual({ onHand: 0, allocated: 0, available: 0 });
  });

  it('takes goods that arrive in one write, and is evened out by the next look', async () => {
    const sku = await spreadOver(64, 64);
    await shop.receive(NODE, sku, 576);
    expect((await availableBy(sku))[0]).toBe(577);
    await tend();
    expect(await availableBy(sku)).toEqual(times(64, () => 10));
  });

  it('books what left it at the till from where it is, and what was not there below zero at the first shard', async () => {
    const sku = await spreadOver(4, 8);
    const sale = { sku, nodeId: NODE, kind: 'SALE' as const, units: 11, movementId: randomUUID(), reference: 'till' };
    await commit(
      await happened(shop.runtime.tables, [sale], cause(), { subject: `sale/${sale.movementId}`, version: 1 }),
    );
    expect(await availableBy(sku)).toEqual([-3, 0, 0, 0]);
    expect(await totals(sku)).toEqual({ onHand: -3, allocated: 0, available: -3 });
  });

  it('brings damaged units back at the shards at which they were set aside', async () => {
    const sku = await spreadOver(4, 8);
    const aside = (units: number) => ({
      ...{ sku, nodeId: NODE, kind: 'DAMAGE' as const, units, movementId: randomUUID(), reference: 'inspection' },
    });
    for (const units of [7, -7]) {
      const what = aside(units);
      const subject = `inspection/${what.movementId}`;
      await commit(await happened(shop.runtime.tables, [what], cause(), { subject, version: 1 }));
    }
    expect((await shardsOf(sku)).map(({ available, damaged }) => [available, damaged])).toEqual(times(4, () => [2, 0]));
  });
});

describe('shards that come and go', () => {
  it('are opened where buyers queued, and brought together once nobody has for half an hour', async () => {
    const sku = await spreadOver(1, 100);
    await conflictsOn(sku, 40);
    await tend();
    expect(await availableBy(sku)).toEqual([25, 25, 25, 25]);
    await tend();
    expect(await availableBy(sku)).toHaveLength(4);
    shop.clock.nowMs += 31 * MINUTE_MS;
    await tend();
    expect(await availableBy(sku)).toEqual([100]);
  });

  it('stay while somebody queues now and then', async () => {
    const sku = await spreadOver(4, 100);
    shop.clock.nowMs += 25 * MINUTE_MS;
    await conflictsOn(sku, 8);
    await tend();
    shop.clock.nowMs += 25 * MINUTE_MS;
    await tend();
    expect(await availableBy(sku)).toHaveLength(4);
  });

  it('are opened in the middle of a rush, and no unit is sold twice or lost by it', { timeout: 60_000 }, async () => {
    const sku = await spreadOver(1, 60);
    const rush = crowd(90, () => order(sku));
    await conflictsOn(sku, 40);
    const [answers] = await Promise.all([rush, tend()]);
    expect(successes(answers)).toBe(60);
    expect(await totals(sku)).toEqual({ onHand: 60, allocated: 60, available: 0 });
    expect(await availableBy(sku)).toHaveLength(4);
  });

  it('are kept while promises lie on them, even of goods that the till has sold', async () => {
    const sku = await spreadOver(4, 4);
    const allocation = await promise(sku, 4);
    const sale = { sku, nodeId: NODE, kind: 'SALE' as const, units: 4, movementId: randomUUID(), reference: 'till' };
    await commit(
      await happened(shop.runtime.tables, [sale], cause(), { subject: `sale/${sale.movementId}`, version: 1 }),
    );
    const refused = await spread(sku, 1);
    expect([refused.status, problemOf(refused)]).toEqual([409, 'wrong-state']);
    await commit(await release(shop.runtime.tables, allocation, cause()));
    expect((await spread(sku, 1)).status).toBe(200);
    expect(await totals(sku)).toEqual({ onHand: 0, allocated: 0, available: 0 });
  });

  it('lose nothing of a receipt that was decided before they were given up', async () => {
    const sku = await spreadOver(4, 4);
    const receipt = {
      sku,
      nodeId: NODE,
      kind: 'RECEIPT' as const,
      units: 8,
      movementId: randomUUID(),
      reference: 'po',
    };
    const { parts } = await happened(shop.runtime.tables, [receipt], cause(), { subject: 'receipt/late', version: 1 });
    expect((await spread(sku, 1)).status).toBe(200);
    await commit(change(parts));
    expect(await totals(sku)).toEqual({ onHand: 12, allocated: 0, available: 12 });
  });

  it('are all looked at before it is sold out, also those that were opened while somebody looked', async () => {
    const sku = await spreadOver(2, 64);
    let hasGrown = false;
    const undo = shop.engine.intercept(async (operation, input, next) => {
      if (operation === 'TransactGetItems' && !hasGrown) {
        hasGrown = true;
        expect((await spread(sku, 64)).status).toBe(200);
      }
      return next(input);
    });
    const { tables, now } = shop.runtime;
    const stock = await stockToTheLast(tables, [{ sku }], { now: now() });
    undo();
    expect(stock.available.get(sku)?.get(NODE)).toBe(64);
  });

  it('are not spread by two at once', async () => {
    const sku = await spreadOver(2, 100);
    const answers = await Promise.all([spread(sku, 16), spread(sku, 8), spread(sku, 4)]);
    const { shards } = (await shop.call.inventory('levels', { as: headOffice, path: { sku } })).body.items[0];
    expect(answers.some(({ status, body }) => status === 200 && body.shards === shards)).toBe(true);
    expect(await totals(sku)).toEqual({ onHand: 100, allocated: 0, available: 100 });
  });
});

describe('a flash sale over four shards', () => {
  it('sells fifty units to three hundred who order or hold, exactly, and what holders leave goes to others', {
    timeout: 120_000,
  }, async () => {
    const sku = await spreadOver(4, 50);
    const [ordered, held] = await Promise.all([
      crowd(200, () => order(sku)),
      crowd(100, (shopper) => hold(sku, `viewer-${shopper}`)),
    ]);
    expect(successes(ordered) + successes(held)).toBe(50);
    for (const answer of ordered) if (answer.status !== 201) expect(problemOf(answer)).toBe('sold-out');
    for (const answer of held) if (answer.status !== 201) expect(problemOf(answer)).toBe('insufficient-stock');
    expect(await totals(sku)).toMatchObject({ onHand: 50, available: 0, allocated: successes(ordered) });

    // Nobody has swept the holds; whoever orders takes them over.
    shop.clock.nowMs += 11 * MINUTE_MS;
    const later = await crowd(60, () => order(sku));
    expect(successes(ordered) + successes(later)).toBe(50);
    expect(await totals(sku)).toEqual({ onHand: 50, available: 0, allocated: 50 });
    expect((await shardsOf(sku)).map(({ reserved, available }) => [reserved, available])).toEqual(
      times(4, () => [0, 0]),
    );
  });

  it('leaves the safety stock, wherever it lies', { timeout: 60_000 }, async () => {
    const sku = await spreadOver(4, 40);
    const settings = { as: headOffice, path: { sku, nodeId: NODE }, body: { safetyStock: 25 } };
    expect((await shop.call.inventory('settings', settings)).status).toBe(200);
    expect(successes(await crowd(40, () => order(sku)))).toBe(15);
    expect(await totals(sku)).toEqual({ onHand: 40, allocated: 15, available: 25 });
  });
});

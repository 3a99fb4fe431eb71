import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/loyalty/api.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import { handlers as reactions } from '../../functions/loyalty/events.ts';
import { balanceOf } from '../../functions/loyalty/store.ts';
import { handlers as taskHandlers } from '../../functions/loyalty/tasks.ts';
import type { Envelope } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { apiOf, channelCaller, customerCaller, listenerOf, outboxOf, taskRunnerOf } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const DAY_MS = 24 * 3600 * 1000;
const MONDAY = Date.parse('2026-11-23T01:00:00.000Z');

let engine: TestEngine;
let runtime: Runtime;
let clock: { nowMs: number };
let call: ReturnType<typeof apiOf<typeof loyalty>>;
let hear: (envelope: Envelope) => Promise<void>;
let mature: () => Promise<unknown>;

beforeEach(async () => {
  engine = await startTestEngine(loyalty);
  clock = { nowMs: MONDAY };
  runtime = engine.runtime(clock);
  call = apiOf(loyalty, handlers(runtime), runtime);
  hear = listenerOf(loyalty, reactions(runtime), runtime);
  const run = taskRunnerOf(loyalty, taskHandlers(runtime), runtime);
  mature = () => run({ task: 'mature' });
});
afterEach(() => engine.close());

const completed = (orderId: string, amountMinor: number, customerId = 'c', version = 5): Envelope => ({
  specversion: '1.0',
  id: `order/${orderId}#${version}`,
  source: 'ieum.orders',
  type: 'order.completed.v1',
  time: runtime.now(),
  subject: `order/${orderId}`,
  aggregateversion: version,
  actor: 'test',
  correlationid: 'test',
  datacontenttype: 'application/json',
  data: { orderId, customerId, fulfilled: { amountMinor, currency: 'KRW' }, completedAt: runtime.now() },
});

const balance = async (customerId = 'c') => (await call('balance', { as: customerCaller(customerId) })).body;

/** I4: a balance is the sum of its ledger, and its version the number of changes. */
const auditLedger = async (customerId = 'c') => {
  const { body } = await call('entries', { as: customerCaller(customerId), query: { limit: '100' } });
  const total = (name: string) =>
    body.items.reduce((sum: number, entry: Record<string, number>) => sum + entry[name]!, 0);
  const { pending, available, version } = await balanceOf(runtime.tables, customerId);
  expect({ pending, available, version }).toEqual({
    pending: total('pending'),
    available: total('available'),
    version: body.items.length,
  });
  return body.items;
};

describe('earning', () => {
  it('a completed order earns one percent, which stays pending, and says so', async () => {
    await hear(completed('ord_1', 12_950));
    expect(await balance()).toEqual({ pending: 129, available: 0 });
    expect(await auditLedger()).toEqual([
      { kind: 'EARN', orderId: 'ord_1', pending: 129, available: 0, at: '2026-11-23T01:00:00.000Z' },
    ]);
    const [event, ...more] = await outboxOf(runtime);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'points.earned.v1',
      subject: 'points-lot/ord_1',
      data: { customerId: 'c', orderId: 'ord_1', points: 129, maturesAt: '2026-11-30T01:00:00.000Z' },
    });
  });

  it('an order earns once, however often and under whatever id it is said to be completed', async () => {
    const event = completed('ord_1', 10_000);
    await Promise.all([hear(event), hear(event), hear(event)]);
    await hear(event);
    await hear(completed('ord_1', 10_000, 'c', 6));
    expect(await balance()).toEqual({ pending: 100, available: 0 });
    await auditLedger();
    expect(await outboxOf(runtime)).toHaveLength(1);
  });

  it('ten orders completed at the same time all count', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => hear(completed(`ord_${index}`, 1_000))));
    expect(await balance()).toEqual({ pending: 100, available: 0 });
    expect(await auditLedger()).toHaveLength(10);
  });

  it('less than a point earns nothing and writes nothing', async () => {
    await hear(completed('ord_1', 99));
    expect(await balance()).toEqual({ pending: 0, available: 0 });
    expect(await auditLedger()).toEqual([]);
  });
});

describe('maturing', () => {
  it('points are available once the return window has closed, and not a millisecond before', async () => {
    await hear(completed('ord_1', 10_000));
    clock.nowMs += 7 * DAY_MS - 1;
    expect(await mature()).toEqual({ matured: 0, left: 0 });
    expect(await balance()).toEqual({ pending: 100, available: 0 });
    clock.nowMs += 1;
    expect(await mature()).toEqual({ matured: 1, left: 0 });
    expect(await balance()).toEqual({ pending: 0, available: 100 });
    expect((await auditLedger()).map(({ kind }: { kind: string }) => kind)).toEqual(['MATURE', 'EARN']);
  });

  it('happens once, even if two runs of the task meet', async () => {
    for (let index = 0; index < 6; index += 1) await hear(completed(`ord_${index}`, 1_000, `c${index % 2}`));
    clock.nowMs += 8 * DAY_MS;
    await Promise.all([mature(), mature(), mature()]);
    expect(await mature()).toEqual({ matured: 0, left: 0 });
    for (const customerId of ['c0', 'c1']) {
      expect(await balance(customerId)).toEqual({ pending: 0, available: 30 });
      await auditLedger(customerId);
    }
  });

  it('each lot matures by its own clock', async () => {
    await hear(completed('ord_1', 10_000));
    clock.nowMs += 3 * DAY_MS;
    await hear(completed('ord_2', 20_000));
    clock.nowMs += 5 * DAY_MS;
    await mature();
    expect(await balance()).toEqual({ pending: 200, available: 100 });
    await auditLedger();
  });

  it('goes over many pages of what is due', async () => {
    for (let start = 0; start < 260; start += 20) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => hear(completed(`ord_${start + index}`, 100, `c${index}`))),
      );
    }
    clock.nowMs += 8 * DAY_MS;
    expect(await mature()).toEqual({ matured: 260, left: 0 });
    expect(await mature()).toEqual({ matured: 0, left: 0 });
  });
});

describe('looking at points', () => {
  it('shows the ledger newest first, page by page', async () => {
    for (const orderId of ['ord_1', 'ord_2', 'ord_3']) {
      await hear(completed(orderId, 1_000));
      clock.nowMs += 1_000;
    }
    const as = customerCaller('c');
    const first = await call('entries', { as, query: { limit: '2' } });
    const second = await call('entries', { as, query: { limit: '2', cursor: first.body.cursor } });
    const seen = [...first.body.items, ...second.body.items].map(({ orderId }) => orderId);
    expect(seen).toEqual(['ord_3', 'ord_2', 'ord_1']);
  });

  it("shows nobody else's", async () => {
    await hear(completed('ord_1', 1_000));
    expect(await balance('another')).toEqual({ pending: 0, available: 0 });
    expect((await call('entries', { as: customerCaller('another') })).body.items).toEqual([]);
    expect((await call('balance')).status).toBe(401);
    expect((await call('balance', { as: channelCaller('marketplace') })).status).toBe(403);
  });
});

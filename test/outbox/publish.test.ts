import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PutEvents, publish, sweep } from '../../functions/outbox/publish.ts';
import { OUTBOX, type OutboxItem, outboxPk } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Part } from '../../shared/table.ts';
import { outboxOf } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let runtime: Runtime;
beforeAll(async () => {
  engine = await startTestEngine();
  runtime = engine.runtime();
});
afterAll(() => engine.close());

let made = 0;
/** Writes an outbox item that says so many things, and returns it. */
const item = async (at: string, entries: number, bytes = 10): Promise<OutboxItem> => {
  made += 1;
  const written: OutboxItem = {
    pk: outboxPk(made % 16),
    sk: `${at}#test/${made}#1`,
    entries: Array.from({ length: entries }, (_, index) => ({
      source: 'ieum.test',
      type: 'test.happened.v1',
      detail: JSON.stringify({ id: `${made}-${index}`, text: 'x'.repeat(bytes) }),
    })),
  };
  const part: Part<never> = {
    table: OUTBOX,
    write: { kind: 'put', item: written },
    guards: [],
    refusal: undefined as never,
  };
  expect((await runtime.tables.commit([part])).ok).toBe(true);
  return written;
};

const NOON = '2026-11-21T12:00:00.000Z';
const left = async (): Promise<number> => (await outboxOf(runtime)).length;

/** A bus that takes what `takes` says, and remembers the calls. */
const busThat = (takes: (detail: string) => boolean) => {
  const calls: string[][] = [];
  const put: PutEvents = async (entries) => {
    calls.push(entries.map(({ Detail }) => Detail!));
    return entries.map(({ Detail }) => takes(Detail!));
  };
  return { put, calls };
};

describe('publishing', () => {
  it('removes what the bus has taken, and nothing else', async () => {
    const items = [await item(NOON, 1), await item(NOON, 2), await item(NOON, 1)];
    const refused = items[1]!.entries[1]!.detail;
    const bus = busThat((detail) => detail !== refused);
    expect([...(await publish(runtime.tables, bus.put, items))]).toEqual([1]);
    // An item is told whole or again: its consumers know its first event by its id.
    expect(await left()).toBe(2);
    expect([...(await publish(runtime.tables, busThat(() => true).put, [items[1]!]))]).toEqual([]);
    expect(await left()).toBe(0);
  });

  it('keeps everything when the bus does not answer, and says so', async () => {
    const items = [await item(NOON, 1), await item(NOON, 1)];
    const down: PutEvents = async () => {
      throw new Error('no bus');
    };
    expect((await publish(runtime.tables, down, items)).size).toBe(2);
    expect(await left()).toBe(2);
    await publish(runtime.tables, busThat(() => true).put, items);
  });

  it('sends at most ten entries and 250 KB a call, each entry once and in order', async () => {
    const items = [...(await Promise.all(Array.from({ length: 9 }, () => item(NOON, 3)))), await item(NOON, 6, 60_000)];
    const bus = busThat(() => true);
    await publish(runtime.tables, bus.put, items);
    expect(bus.calls.flat()).toEqual(items.flatMap(({ entries }) => entries.map(({ detail }) => detail)));
    for (const call of bus.calls) {
      expect(call.length).toBeLessThanOrEqual(10);
      expect(call.join('').length).toBeLessThan(256 * 1024);
    }
    expect(await left()).toBe(0);
  });
});

describe('the sweep', () => {
  it('publishes what is older than a minute and leaves what the stream is about to', async () => {
    const old = await item('2026-11-21T11:58:59.000Z', 1);
    const young = await item('2026-11-21T11:59:30.000Z', 1);
    const bus = busThat(() => true);
    expect(await sweep(runtime.tables, bus.put, NOON)).toEqual({ published: 1, failed: 0 });
    expect(bus.calls.flat()).toEqual([old.entries[0]!.detail]);
    expect(await sweep(runtime.tables, bus.put, '2026-11-21T12:01:00.000Z')).toEqual({ published: 1, failed: 0 });
    expect(bus.calls.flat()).toContain(young.entries[0]!.detail);
    expect(await left()).toBe(0);
  });

  it('counts what it could not publish and finds it again', async () => {
    await item('2026-11-21T11:00:00.000Z', 1);
    expect(await sweep(runtime.tables, busThat(() => false).put, NOON)).toEqual({ published: 0, failed: 1 });
    expect(await sweep(runtime.tables, busThat(() => true).put, NOON)).toEqual({ published: 1, failed: 0 });
  });
});

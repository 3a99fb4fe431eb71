import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { outboxOf } from '../support/call.ts';
import { type Counter, openCounter, saleOf } from './counter.ts';

const RUNS = Number(process.env.TILL_RUNS ?? 40);
/** Repeats what a failure has printed. */
const SEED = process.env.IEUM_SEED === undefined ? {} : { seed: Number(process.env.IEUM_SEED) };

let counter: Counter;
beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  counter = await openCounter();
});
afterAll(async () => {
  vi.restoreAllMocks();
  await counter?.engine.close();
});

const SKUS = 3;
const anyLine = fc.record({ sku: fc.nat(SKUS - 1), units: fc.integer({ min: 1, max: 3 }) });
const anySale = fc.record({
  kind: fc.constantFrom('SALE' as const, 'SALE' as const, 'RETURN' as const),
  lines: fc.array(anyLine, { minLength: 1, maxLength: 3 }),
});
/** What happens to a write on its way: the caller may die, or be cut off, before or after it is carried out. */
const anyFate = fc.constantFrom('arrives', 'arrives', 'is lost', 'loses its answer');
const anySend = fc.record({
  picks: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
  /** The till finds a connection and sends one of its sales directly. */
  online: fc.boolean(),
  /** Does not wait for its answer before the next one is sent. */
  isHasty: fc.boolean(),
});
const anything = fc.record({
  sales: fc.array(anySale, { minLength: 1, maxLength: 8 }),
  sends: fc.array(anySend, { maxLength: 6 }),
  fates: fc.array(anyFate, { maxLength: 30 }),
  onShelf: fc.integer({ min: 0, max: 4 }),
});

const isWrite = (operation: string): boolean => /^(TransactWrite|Put|Update|Delete)/.test(operation);

const befalling = (fates: readonly string[]): (() => void) => {
  const waiting = [...fates];
  return counter.engine.intercept(async (operation, input, next) => {
    const fate = isWrite(operation) ? waiting.shift() : undefined;
    if (fate === 'is lost') throw new Error('made up: lost');
    const answer = await next(input);
    if (fate === 'loses its answer') throw new Error('made up: the answer was lost');
    return answer;
  });
};

const ups = (kind: 'SALE' | 'RETURN', units: number): number => (kind === 'SALE' ? -units : units);

it(`a journal is booked exactly once, however it is cut, doubled, shuffled and cut off (${RUNS} times)`, async () => {
  const once = async ({ sales, sends, fates, onShelf }: typeof anything extends fc.Arbitrary<infer T> ? T : never) => {
    const skus = await Promise.all(Array.from({ length: SKUS }, () => counter.goods(onShelf)));
    const till = await counter.newTill();
    const entries = sales.map(({ kind, lines }) =>
      till.record(
        saleOf(
          lines.map(({ sku, units }) => ({ sku: skus[sku]!, units })),
          kind,
        ),
      ),
    );

    const release = befalling(fates);
    const underWay: Promise<unknown>[] = [];
    for (const { picks, online, isHasty } of sends) {
      const batch = picks.map((pick) => entries[pick % entries.length]!);
      const { sequence: _, previous: __, signature: ___, ...sale } = batch[0]!;
      const sent = online ? counter.sell(till.tillId, sale) : counter.send(till.tillId, batch);
      underWay.push(sent);
      if (!isHasty) await sent;
    }
    await Promise.all(underWay);
    release();

    const last = await counter.send(till.tillId, entries);
    expect(last.body).toMatchObject({ highest: entries.length, missing: [] });
    const again = await counter.send(till.tillId, entries.toReversed());
    expect(again.body.entries.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      entries.map(() => 'REPEATED'),
    );
    for (const [index, sku] of skus.entries()) {
      const touching = sales.filter(({ lines }) => lines.some((line) => line.sku === index));
      const sum = sales
        .flatMap(({ kind, lines }) => lines.map((line) => ({ ...line, units: ups(kind, line.units) })))
        .reduce((total, line) => (line.sku === index ? total + line.units : total), onShelf);
      expect(await counter.booked(sku)).toHaveLength(touching.length);
      const level = { onHand: 0, available: 0, version: 0, ...(await counter.level(sku)) };
      expect(level).toMatchObject({
        ...{ onHand: sum, available: sum },
        version: touching.length + (onShelf > 0 ? 1 : 0),
      });
    }
    expect(await counter.conflicts(till.tillId)).toEqual([]);
    const told = (await outboxOf(counter.runtime)).filter(({ subject }) =>
      subject.startsWith(`till-sale/${till.tillId}/`),
    );
    expect(told).toHaveLength(entries.length);
  };
  await fc.assert(fc.asyncProperty(anything, once), { numRuns: RUNS, ...SEED });
}, 300_000);

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportShop, openShop } from './shop.ts';

/** The file's content, once: however it is cut, repeated and mixed up, and wherever it breaks off. */

const NODES = ['dc-1', 'store-1'];
const SKUS = Array.from({ length: 40 }, (_, at) => `SKU-${at}`);
const RUNS = 25;

let shop: ImportShop;
let files = 0;
/** How often something broke off. */
let broken = 0;
beforeAll(async () => {
  shop = await openShop({ skus: SKUS, nodeIds: NODES });
});
afterAll(() => shop.end());

/** One row a place; one in eight is wrong. */
const rows = fc
  .array(fc.record({ units: fc.integer({ min: 0, max: 50 }), isWrong: fc.nat(7).map((pick) => pick === 0) }), {
    minLength: 1,
    maxLength: SKUS.length * NODES.length,
  })
  .map((drawn) =>
    drawn.map(({ units, isWrong }, at) => ({
      ...{ sku: SKUS[at % SKUS.length]!, nodeId: NODES[Math.floor(at / SKUS.length)]!, isWrong },
      // Changes of none are wrong, too; levels of none are not.
      units: units + 1,
    })),
  );

/** Pieces of the file, each from a row on and of so many rows; overlapping, repeated, in any order. */
const pieces = fc.array(fc.tuple(fc.nat(79), fc.integer({ min: 1, max: 80 })), { minLength: 1, maxLength: 6 });

const lineOf = (at: number): number => at + 2;

/** Breaks off at the nth write from now on, before or after it is carried out. */
const breakAt = (nth: number, isAfter: boolean): (() => void) => {
  let writes = 0;
  return shop.engine.intercept(async (operation, input, next) => {
    if (operation !== 'TransactWriteItems' && operation !== 'PutItem') return next(input);
    writes += 1;
    if (writes !== nth) return next(input);
    broken += 1;
    if (isAfter) await next(input);
    throw Object.assign(new Error('the process ended'), { name: 'Crash', CancellationReasons: [] });
  });
};

const stateOf = async (): Promise<Map<string, number>> => {
  const found = new Map<string, number>();
  const text = await shop.exported({ format: 'jsonl' });
  for (const line of text.split('\n').filter(Boolean)) {
    const { sku, nodeId, onHand } = JSON.parse(line);
    found.set(`${sku} ${nodeId}`, onHand);
  }
  return found;
};

describe.each(['ON_HAND', 'CHANGES'] as const)('a file of %s', (meaning) => {
  it('is loaded once: cut, repeated, mixed up, at the same time, and broken off at any write', async () => {
    broken = 0;
    const plan = fc.record({
      rows,
      pieces,
      together: fc.boolean(),
      crash: fc.option(fc.record({ nth: fc.integer({ min: 1, max: 2 }), isAfter: fc.boolean() })),
    });
    await fc.assert(
      fc.asyncProperty(plan, async (drawn) => {
        files += 1;
        const file = `once-${meaning}-${files}`;
        const lines = drawn.rows.map(({ sku, nodeId, units, isWrong }) => `${isWrong ? '?' : sku},${nodeId},${units},`);
        const before = await stateOf();
        shop.clock.nowMs += 1_000;
        await shop.open(file, meaning);
        shop.clock.nowMs += 1_000;
        const send = async (from: number, length: number): Promise<void> => {
          const text = lines.slice(from, from + length).join('\n');
          if (text !== '') await shop.load(file, lineOf(from), text);
        };
        const giveUp = drawn.crash === null ? () => {} : breakAt(drawn.crash.nth, drawn.crash.isAfter);
        const attempts = drawn.pieces.map(
          ([from, length]) =>
            () =>
              send(from, length),
        );
        if (drawn.together) await Promise.all(attempts.map((attempt) => attempt()));
        else for (const attempt of attempts) await attempt();
        giveUp();
        // Whoever sent it comes back and sends the whole file.
        await send(0, lines.length);

        const wrong = drawn.rows.filter(({ isWrong }) => isWrong).length;
        const closed = await shop.close(file, lines.length);
        expect(closed.body).toMatchObject({ status: 'CLOSED', quarantined: wrong });
        expect((await shop.quarantine(file)).map(({ line }: { line: number }) => line)).toEqual(
          drawn.rows.flatMap(({ isWrong }, at) => (isWrong ? [lineOf(at)] : [])),
        );
        const expected = new Map(before);
        for (const { sku, nodeId, units, isWrong } of drawn.rows) {
          const place = `${sku} ${nodeId}`;
          if (!isWrong) expected.set(place, meaning === 'ON_HAND' ? units : (expected.get(place) ?? 0) + units);
        }
        expect(await stateOf()).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
    expect(broken).toBeGreaterThan(0);
  }, 120_000);
});

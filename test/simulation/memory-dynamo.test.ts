import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../shared/aws.ts';
import { capability } from '../../shared/contract.ts';
import type { DynamoOperation, Send } from '../../shared/dynamo.ts';
import { createTables, type Guard, type Part, type Tables, type Write } from '../../shared/table.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { MemoryDynamo } from './memory-dynamo.ts';

/** Two tables, one with an index of keys and one with an index of some attributes: every shape that there is. */
const CONTRACTS = [
  capability({ name: 'left', summary: '', table: { indexes: { byX: { project: 'keys' } } } }),
  capability({ name: 'right', summary: '', table: { indexes: { byX: { project: ['units'] } } } }),
];

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine(...CONTRACTS);
});
afterAll(() => engine.close());

/** The simulation's engine behind the same `Send` as the real one. */
const memorySend = (): Send => {
  const memory = new MemoryDynamo(CONTRACTS);
  return async <O>(operation: DynamoOperation, input: object): Promise<O> => {
    const { status, body } = memory.call(operation, JSON.parse(JSON.stringify(input)));
    if (status === 200) return body as O;
    const name = String(body.__type).split('#').at(-1)!;
    throw new AwsError(name, name, (body.CancellationReasons ?? []) as { Code?: string }[]);
  };
};

const refusal = { problem: 'changed-meanwhile', detail: 'made up' } as const;
const letter = fc.constantFrom('a', 'b', 'c');
const key = fc.record({ pk: letter, sk: fc.constantFrom('1', '2', '2x', '3') });
const table = fc.constantFrom('left', 'right');
const units = fc.integer({ min: -5, max: 5 });
const attributes = fc.record(
  { units, version: fc.integer({ min: 1, max: 3 }), text: letter, byXPk: letter, byXSk: letter, deep: fc.array(units) },
  { requiredKeys: [] },
);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.tuple(key, attributes).map(([at, more]): Write => ({ kind: 'put', item: { ...at, ...more } })),
  fc
    .record({
      key,
      set: attributes,
      add: fc.option(fc.record({ count: units }), { nil: {} }),
      remove: fc.subarray(['gone', 'flag'] as const),
    })
    .map(
      (update): Write => ({ kind: 'update', ...update, add: { ...update.add, touched: 1 } as Record<string, number> }),
    ),
  key.map((at): Write => ({ kind: 'delete', key: at })),
);
const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc.constantFrom<Guard>({ guard: 'absent' }, { guard: 'exists' }),
  fc.integer({ min: 1, max: 3 }).map((version): Guard => ({ guard: 'version', version })),
  fc
    .tuple(fc.constantFrom('units', 'count'), units)
    .map(([attribute, least]): Guard => ({ guard: 'at-least', attribute, units: least })),
  fc
    .array(letter, { minLength: 1, maxLength: 3 })
    .map((values): Guard => ({ guard: 'one-of', attribute: 'text', values })),
);
const part = fc
  .record({ table, write, guards: fc.array(guard, { maxLength: 2 }) })
  .map((one): Part => ({ ...one, refusal }));
const check = fc
  .record({ table, key, guards: fc.array(guard, { minLength: 1, maxLength: 2 }) })
  .map(({ key: at, ...one }): Part => ({ ...one, write: { kind: 'check', key: at }, refusal }));
const parts = fc
  .array(fc.oneof({ weight: 4, arbitrary: part }, { weight: 1, arbitrary: check }), { minLength: 1, maxLength: 4 })
  .map((all) => [...new Map(all.map((one) => [JSON.stringify([one.table, whereOf(one)]), one])).values()])
  .map((all) => all.map((one, index) => ({ ...one, refusal: { ...refusal, detail: `part ${index}` } })));
const whereOf = ({ write: one }: Part) => (one.kind === 'put' ? [one.item.pk, one.item.sk] : [one.key.pk, one.key.sk]);

type Step = (tables: Tables) => Promise<unknown>;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: parts.map(
      (all): Step =>
        (tables) =>
          tables.commit(all),
    ),
  },
  fc.tuple(table, key).map(
    ([name, at]): Step =>
      (tables) =>
        tables.get(name, at),
  ),
  fc.array(fc.tuple(table, key), { minLength: 1, maxLength: 3 }).map(
    (reads): Step =>
      (tables) =>
        tables.snapshot([
          ...new Map(reads.map(([name, at]) => [JSON.stringify([name, at]), { table: name, key: at }])).values(),
        ]),
  ),
  fc.tuple(table, key).map(
    ([name, at]): Step =>
      (tables) =>
        tables.discard(name, [at]),
  ),
  fc
    .record({
      ...{ name: table, pk: letter, index: fc.option(fc.constant('byX'), { nil: undefined }) },
      ...{
        range: fc.constantFrom({}, { startsWith: '2' }, { upTo: '2' }, { startsWith: 'a' }),
        newestFirst: fc.boolean(),
      },
      limit: fc.integer({ min: 1, max: 4 }),
    })
    .map(
      ({ name, index, range, ...query }): Step =>
        async (tables) => {
          const pages: unknown[] = [];
          let cursor: string | undefined;
          do {
            const input = { ...query, ...range, ...(index === undefined ? { consistent: true } : { index }) };
            const page = await tables.query<object>(name, { ...input, cursor });
            pages.push(...page.items);
            cursor = page.cursor;
          } while (cursor !== undefined);
          return pages;
        },
    ),
);

describe('the simulation’s engine', () => {
  it('answers any sequence of reads and writes as the embedded engine does', { timeout: 60_000 }, async () => {
    const options = { nameOf: (name: string) => name, random: Math.random, sleep: async () => {} };
    const real = engine.runtime().tables;
    let committed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        const memory = createTables({ ...options, send: memorySend() });
        for (const name of ['left', 'right']) {
          const keys = ['a', 'b', 'c'].flatMap((pk) => ['1', '2', '2x', '3'].map((sk) => ({ pk, sk })));
          await real.discard(name, keys);
        }
        for (const one of steps) {
          const answer = await one(real);
          expect(await one(memory)).toEqual(answer);
          if ((answer as { ok?: boolean } | undefined)?.ok === true) committed += 1;
        }
      }),
      { numRuns: 100 },
    );
    expect(committed).toBeGreaterThan(50);
  });
});

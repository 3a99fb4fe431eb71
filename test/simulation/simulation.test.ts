import { describe, expect, it } from 'vitest';
import { embeddedEngine } from './engines.ts';
import { huntFor } from './hunt.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { simulate } from './simulation.ts';

/** A taste; the whole is `npm run simulate -- --seeds 200`. */
const SEEDS = [1, 20, 26];
/** Planted bugs that the first two seeds see; the whole table is `npm run simulate -- --bugs`. */
const SAMPLE = [
  'lines of one SKU are not summed when a channel orders',
  'the inbox is skipped',
  'the inbox knows the aggregate and not its version',
  'an outbox item is removed before it is published',
  'answers are not remembered',
  'a void is put on record and not carried out',
  'the answer and the end of the work share a token',
  'customers see any order',
];

describe('many people at once, while everything goes wrong that can', () => {
  it.each(SEEDS)('seed %i breaks no invariant', { timeout: 60_000 }, async (seed) => {
    const { violations, checked, counts } = await simulate({ seed, operations: 400 });
    expect(violations).toEqual([]);
    for (const name of ['I1', 'I3', 'I4', 'I6', 'I7', 'I8', 'I9', 'I10', 'I12', 'kept']) {
      expect([name, checked[name]! > 10]).toEqual([name, true]);
    }
    expect(counts.orders).toBeGreaterThan(20);
    expect(counts.crashes! + counts.zombies!).toBeGreaterThan(0);
  });

  it('happens again in the same way with the same seed, and in another with another', { timeout: 60_000 }, async () => {
    const [first, again, other] = [
      await simulate({ seed: 7, operations: 150 }),
      await simulate({ seed: 7, operations: 150 }),
      await simulate({ seed: 8, operations: 150 }),
    ];
    expect(again).toEqual(first);
    expect(other.trace).not.toBe(first.trace);
  });

  it('goes the same way on the embedded engine, call by call', { timeout: 120_000 }, async () => {
    const inMemory = await simulate({ seed: 5, operations: 100 });
    const embedded = await simulate({ seed: 5, operations: 100, engine: embeddedEngine });
    expect(embedded).toEqual(inMemory);
    expect(embedded.violations).toEqual([]);
  });
});

describe('a planted bug', () => {
  it('is one of at least 25, each with a name of its own', () => {
    const names = PLANTED_BUGS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(25);
  });

  it.each(SAMPLE)('is caught: %s', { timeout: 60_000 }, async (name) => {
    const bug = PLANTED_BUGS.find((one) => one.name === name)!;
    const { seed, invariants } = await huntFor(bug, { seeds: 4, operations: 250 });
    expect(seed).toBeDefined();
    expect(invariants.length).toBeGreaterThan(0);
  });
});

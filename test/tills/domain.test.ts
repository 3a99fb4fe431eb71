import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../functions/tills/contract.ts';
import {
  arrived,
  type Cursor,
  type Evidence,
  isSameSale,
  judge,
  type KeptEntry,
} from '../../functions/tills/domain.ts';

const NOTHING: Cursor = { highest: 0, missing: [] };

describe('how far a journal has arrived', () => {
  it('is what has arrived and what has not, in whatever order it comes', () => {
    const orders = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(orders, (sequences) => {
        const { highest, missing } = sequences.reduce(arrived, NOTHING);
        expect(highest).toBe(Math.max(...sequences));
        const absent = missing.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
        const wanted = Array.from({ length: highest }, (_, i) => i + 1).filter((n) => !sequences.includes(n));
        expect(absent).toEqual(wanted);
        // Gaps that touch would be one.
        for (const [index, gap] of missing.entries())
          expect(gap.from).toBeGreaterThan((missing[index - 1]?.to ?? -1) + 1);
      }),
    );
  });
});

const entry: Entry = {
  ...{
    sequence: 2,
    saleId: 's2',
    kind: 'SALE',
    lines: [{ sku: 'A', units: 1 }],
    occurredAt: '2026-11-21T00:00:00.000Z',
  },
  ...{ previous: 'hash-1', signature: 'signed' },
};
const evidence: Evidence = {
  ...{ entry, hash: 'hash-2', isSigned: true, cursor: { highest: 1, missing: [] } },
  ...{ before: undefined, same: undefined, after: undefined, sale: undefined },
};
const kept = (changes: Partial<KeptEntry>): KeptEntry => ({ ...entry, hash: 'hash-2', ...changes });
const sale = { ...entry, tillId: 't', nodeId: 'n', bookedAt: entry.occurredAt };

describe('what becomes of an entry', () => {
  it.each<[string, Partial<Evidence>, string, settles: boolean]>([
    ['new', {}, 'APPLIED', true],
    ['the next after the last one', { before: kept({ sequence: 1, hash: 'hash-1' }) }, 'APPLIED', true],
    ['the one before what came first', { after: kept({ sequence: 3, previous: 'hash-2' }) }, 'APPLIED', true],
    ['here already', { same: kept({}) }, 'REPEATED', false],
    ['booked online already', { sale }, 'REPEATED', true],
    ['not signed', { isSigned: false }, 'BAD_SIGNATURE', false],
    ['not signed, although it is here', { isSigned: false, same: kept({}) }, 'BAD_SIGNATURE', false],
    ['another one of its sequence', { same: kept({ hash: 'other' }) }, 'FORKED', false],
    ['on another chain than the one before', { before: kept({ hash: 'other' }) }, 'CHAIN_BROKEN', false],
    ['on another chain than the next one', { after: kept({ previous: 'other' }) }, 'CHAIN_BROKEN', false],
    ['first, after something', { entry: { ...entry, sequence: 1 } }, 'CHAIN_BROKEN', false],
    ['one gap too many', { cursor: { highest: 0, missing: [] } }, 'TOO_MANY_GAPS', false],
    ['of a saleId that stands for more', { sale: { ...sale, lines: [{ sku: 'A', units: 2 }] } }, 'SALE_ID_TAKEN', true],
    ['here already, and was refused then', { same: kept({ because: 'SALE_ID_TAKEN' }) }, 'SALE_ID_TAKEN', false],
  ])('%s', (_, changed, wanted, settles) => {
    const verdict = judge({ ...evidence, ...changed }, 0);
    expect([verdict.because ?? verdict.outcome, verdict.settles]).toEqual([wanted, settles]);
    expect(verdict.outcome === 'REFUSED').toBe(verdict.because !== undefined);
    const isContradiction = ['FORKED', 'CHAIN_BROKEN', 'SALE_ID_TAKEN'].includes(wanted);
    expect(verdict.conflict).toBe(isContradiction ? wanted : undefined);
  });

  it('gaps that its journal may have do not keep it', () => {
    expect(judge({ ...evidence, cursor: NOTHING }, 1)).toMatchObject({ outcome: 'APPLIED' });
  });
});

describe('the same sale', () => {
  const of = (...lines: [string, number][]) => lines.map(([sku, units]) => ({ sku, units }));
  it.each([
    [of(['A', 1], ['B', 2]), of(['B', 2], ['A', 1]), true],
    [of(['A', 1], ['A', 2]), of(['A', 3]), true],
    [of(['A', 1]), of(['A', 2]), false],
    [of(['A', 1]), of(['B', 1]), false],
  ])('%j and %j: %s', (one, other, isSame) => {
    expect(isSameSale({ kind: 'SALE', lines: one }, { kind: 'SALE', lines: other })).toBe(isSame);
    expect(isSameSale({ kind: 'SALE', lines: one }, { kind: 'RETURN', lines: other })).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Belief,
  confidenceOf,
  counted,
  DOUBTS,
  disbelieved,
  doubted,
} from '../../functions/inventory/domain/confidence.ts';
import { extended, HOLD_SECONDS_MAX, type Hold, PURPOSES } from '../../functions/inventory/domain/holds.ts';
import { plusSeconds } from '../../shared/time.ts';
import { instant, NOW, someUnits } from './arbitrary.ts';

describe('confidence in the books', () => {
  const kind = fc.constantFrom(...DOUBTS);
  const doubts = fc.array(fc.record({ kind, day: fc.integer({ min: 0, max: 400 }) }), { maxLength: 12 });
  const believed = (all: readonly { kind: (typeof DOUBTS)[number]; day: number }[], start: Belief = {}): Belief =>
    all
      .toSorted((a, b) => a.day - b.day)
      .reduce((belief, one) => doubted(belief, one.kind, plusSeconds(NOW, one.day * 86_400)), start);
  const later = instant(400, 1_000);
  const percentOf = (belief: Belief, at: string): number => confidenceOf(belief, at).percent;

  it('is between nothing and all, is all where nothing speaks against them, and says why it is not', () => {
    expect(confidenceOf({}, NOW)).toEqual({ percent: 100, because: [] });
    fc.assert(
      fc.property(doubts, later, (all, at) => {
        const { percent, because } = confidenceOf(believed(all), at);
        expect(percent).toBeGreaterThanOrEqual(0);
        expect(percent).toBeLessThanOrEqual(100);
        if (percent < 100) expect(because).not.toEqual([]);
      }),
    );
  });

  it('is never raised by a doubt', () => {
    fc.assert(
      fc.property(doubts, kind, later, (all, one, at) => {
        const before = believed(all);
        expect(percentOf(doubted(before, one, at), at)).toBeLessThanOrEqual(percentOf(before, at));
      }),
    );
  });

  it('comes back with time after doubts, and goes with it after a count', () => {
    fc.assert(
      fc.property(doubts, later, later, (all, a, b) => {
        const [sooner, afterwards] = [a, b].sort() as [string, string];
        expect(percentOf(believed(all), afterwards)).toBeGreaterThanOrEqual(percentOf(believed(all), sooner));
        const exact = counted(10, 10, NOW);
        expect(percentOf(exact, afterwards)).toBeLessThanOrEqual(percentOf(exact, sooner));
      }),
    );
  });

  it('is restored by a count, wholly by one that found what was booked, and less the more it corrected', () => {
    fc.assert(
      fc.property(doubts, later, fc.integer({ min: 1, max: 99 }), someUnits, someUnits, (_, at, booked, a, b) => {
        expect(percentOf(counted(booked, booked, at), at)).toBe(100);
        const [less, more] = [a, b].sort((x, y) => x - y) as [number, number];
        const off = (by: number) => percentOf(counted(booked, Math.max(0, booked - by), at), at);
        expect(off(more)).toBeLessThanOrEqual(off(less));
        expect(off(more)).toBeGreaterThanOrEqual(70);
      }),
    );
  });

  it('takes from what is promised online no more than is there, and the more the less they are believed', () => {
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 500 }), fc.nat(100), fc.nat(100), (available, a, b) => {
        const [low, high] = [a, b].sort((x, y) => x - y) as [number, number];
        const kept = (percent: number) => disbelieved(available, { percent, because: [] });
        expect(kept(low)).toBeGreaterThanOrEqual(kept(high));
        expect(kept(low)).toBeLessThanOrEqual(Math.max(0, available));
        expect(kept(high)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a hold', () => {
  const someHold = fc.record({
    purpose: fc.constantFrom(...PURPOSES),
    heldSeconds: fc.integer({ min: 1, max: 3_600 }),
  });
  const holdOf = ({ purpose, heldSeconds }: { purpose: Hold['purpose']; heldSeconds: number }): Hold => ({
    ...{ holdId: 'hld_1', holderId: 'c', purpose, lines: [], status: 'HELD', createdAt: NOW, version: 1 },
    heldUntil: plusSeconds(NOW, heldSeconds),
  });

  it('is never extended beyond what its purpose allows in all, however often, and never shortened', () => {
    const wishes = fc.array(
      fc.record({ afterSeconds: fc.nat(800_000), seconds: fc.integer({ min: 1, max: 700_000 }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(someHold, wishes, (some, all) => {
        let hold = holdOf(some);
        for (const { afterSeconds, seconds } of all.toSorted((a, b) => a.afterSeconds - b.afterSeconds)) {
          const longer = extended(hold, seconds, plusSeconds(NOW, afterSeconds));
          if (!longer.ok) continue;
          expect(longer.value.heldUntil > hold.heldUntil).toBe(true);
          expect(longer.value.version).toBe(hold.version + 1);
          hold = longer.value;
        }
        expect(hold.heldUntil <= plusSeconds(NOW, HOLD_SECONDS_MAX[hold.purpose])).toBe(true);
      }),
    );
  });

  it.each(['COMMITTED', 'RELEASED', 'EXPIRED'] as const)('that is %s is not extended', (status) => {
    const hold = { ...holdOf({ purpose: 'CART', heldSeconds: 60 }), status };
    expect(extended(hold, 600, NOW)).toMatchObject({ ok: false, refusal: { problem: 'wrong-state' } });
  });
});

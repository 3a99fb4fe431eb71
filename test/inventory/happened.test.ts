import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { happenedMoves } from '../../functions/inventory/domain/happened.ts';
import { AT, levelOf, plus } from './arbitrary.ts';

const sale = (movementId: string, units: number) => ({
  ...AT,
  ...({ kind: 'SALE', units, movementId, reference: movementId } as const),
});
const lackOf = (available: readonly number[]): number => Math.max(0, -plus(available));

describe('what leaves a level at once at two tills', () => {
  it('is on record as far as it was not there, or one of them decides anew', () => {
    const units = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 4 }),
        units,
        units,
        (available, first, second) => {
          const level = levelOf(available);
          const both = [sale('till-a/1', first), sale('till-b/1', second)].map((one) => happenedMoves([one], [level]));
          // The later one of two that rest on the level as it was read is refused, and so is one whose shard has too few.
          if (both.some(({ exact }) => exact.length > 0)) return;
          const after = [...available];
          for (const { moves } of both) for (const { shard, units: gone } of moves[0]!.shares) after[shard]! -= gone;
          if (after.some((one, shard) => one < 0 && one < available[shard]!)) return;
          const recorded = plus(both.flatMap(({ short }) => short.map((one) => one.units)));
          expect(recorded).toBe(lackOf(after) - lackOf(available));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('rests on the whole level where a shard has what another one owes', () => {
    const level = levelOf([-5, 4, 4]);
    expect(happenedMoves([sale('till-a/1', 3)], [level])).toMatchObject({ short: [], exact: [level] });
  });
});

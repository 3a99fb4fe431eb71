import type { Bug } from './bugs.ts';
import { simulate } from './simulation.ts';

/** How long it took to see a planted bug; `seed` is absent where it was not seen. */
export interface Hunted {
  name: string;
  seed?: number;
  /** What broke, sorted. */
  invariants: string[];
  detail?: string;
}

/** Simulates with a bug, seed by seed from 1 on, until something breaks. */
export const huntFor = async (
  bug: Bug,
  { seeds, operations }: { seeds: number; operations: number },
): Promise<Hunted> => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { violations } = await simulate({ seed, operations, bug });
    const [first] = violations;
    if (first === undefined) continue;
    const invariants = [...new Set(violations.map(({ invariant }) => invariant))].sort();
    return { name: bug.name, seed, invariants, detail: `${first.invariant}: ${first.detail.slice(0, 160)}` };
  }
  return { name: bug.name, invariants: [] };
};

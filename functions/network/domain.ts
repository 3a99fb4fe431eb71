import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Ability, NetworkNode, NewNode } from './contract.ts';

/** What a node has to say of an ability, so that a promise can be made for it. */
const NEEDED = { DAWN: 'dawn', SAME_DAY: 'sameDay' } as const satisfies Partial<Record<Ability, keyof NewNode>>;

const isNeeding = (ability: Ability): ability is keyof typeof NEEDED => ability in NEEDED;

/** The node as it is from now on, or which field is in the way. */
export const maintain = (wanted: NewNode, earlier: NetworkNode | undefined): Result<NetworkNode, 'invalid-input'> => {
  const overnight = wanted.hours.findIndex(({ opens, closes }) => closes <= opens);
  if (overnight >= 0) {
    return refuse('invalid-input', 'must be after opens; split hours at midnight', `/hours/${overnight}/closes`);
  }
  const bare = wanted.abilities.filter(isNeeding).find((ability) => wanted[NEEDED[ability]] === undefined);
  if (bare !== undefined) return refuse('invalid-input', `is needed for ${bare}`, `/${NEEDED[bare]}`);
  return ok({ ...wanted, abilities: [...new Set(wanted.abilities)], version: (earlier?.version ?? 0) + 1 });
};

import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Ability, NetworkNode, NewNode } from './contract.ts';

type Needed = 'dawn' | 'sameDay' | 'hours';

/** What a node has to say of an ability, so that a promise can be made for it. */
const NEEDED: Partial<Record<Ability, Needed>> = { DAWN: 'dawn', SAME_DAY: 'sameDay', PICKUP: 'hours' };

const says = (node: NewNode, field: Needed): boolean =>
  field === 'hours' ? node.hours.length > 0 : node[field] !== undefined;

/** The node as it is from now on, or which field is in the way. */
export const maintain = (wanted: NewNode, earlier: NetworkNode | undefined): Result<NetworkNode, 'invalid-input'> => {
  const overnight = wanted.hours.findIndex(({ opens, closes }) => closes <= opens);
  if (overnight >= 0) {
    return refuse('invalid-input', 'must be after opens; split hours at midnight', `/hours/${overnight}/closes`);
  }
  for (const ability of wanted.abilities) {
    const field = NEEDED[ability];
    if (field !== undefined && !says(wanted, field)) {
      return refuse('invalid-input', `is needed for ${ability}`, `/${field}`);
    }
  }
  return ok({ ...wanted, abilities: [...new Set(wanted.abilities)], version: (earlier?.version ?? 0) + 1 });
};

import { changedMeanwhile, update } from '../../../shared/change.ts';
import type { Guard, Part } from '../../../shared/table.ts';
import type { NodeLevel } from '../domain/availability.ts';
import type { Belief } from '../domain/confidence.ts';
import { levelKey, TABLE } from './levels.ts';

/** Writes what is believed of a level, where nobody else has learned something since it was read. */
export const beliefPart = (read: NodeLevel, belief: Belief): Part<'changed-meanwhile'> => {
  const guard: Guard =
    read.belief.doubtAt === undefined
      ? { guard: 'without', attribute: 'doubtAt' }
      : { guard: 'one-of', attribute: 'doubtAt', values: [read.belief.doubtAt] };
  return update(
    TABLE,
    levelKey(read.sku, read.nodeId),
    { set: { ...belief } },
    [guard],
    changedMeanwhile(`what is believed of ${read.sku} at ${read.nodeId}`),
  );
};

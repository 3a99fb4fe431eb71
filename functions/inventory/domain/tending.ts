import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from './availability.ts';
import { evenOut, SHARDS_MAX, type Shard } from './shards.ts';

/** About so many conflicts between two looks mean that buyers queue for a level. */
const CONFLICTS_MANY = 20;
/** A rush is over when nobody has queued for so long. */
const QUIET_MS = 30 * 60_000;
const GROWTH = 4;

/** Buyers queue for a level, rather than meet by chance. */
export const isRush = (conflicts: number): boolean => conflicts >= CONFLICTS_MANY;

const keepsPromises = ({ onHand, available }: Shard): boolean => onHand !== available;

/** The fewest shards that a level can be brought together to: those beyond must keep no promises. */
export const fewestShards = ({ shards }: NodeLevel): number =>
  1 + shards.reduce((last, shard) => (keepsPromises(shard) || shard.shard === 0 ? shard.shard : last), 0);

/** Where one shard has run out while others have not, buyers meet on those. */
const isUneven = ({ shards, safetyStock }: NodeLevel): boolean =>
  evenOut(shards, shards.length, safetyStock).some(({ shard, units }) => {
    const { available } = shards[shard]!;
    return available + units > 1 && available * 4 < available + units;
  });

/** How many shards a level should have from now on, and why; undefined where it may stay as it is. */
export const tended = (
  level: NodeLevel,
  { conflicts, busyAt, now }: { conflicts: number; busyAt: Instant | undefined; now: Instant },
): { wanted: number; reason: string } | undefined => {
  const shards = level.shards.length;
  if (isRush(conflicts) && shards < SHARDS_MAX) {
    return { wanted: Math.min(SHARDS_MAX, shards * GROWTH), reason: `${conflicts} conflicts since the last look` };
  }
  if (shards === 1) return undefined;
  const isQuiet = conflicts === 0 && busyAt !== undefined && Date.parse(now) - Date.parse(busyAt) > QUIET_MS;
  const fewest = fewestShards(level);
  if (isQuiet && fewest < shards) return { wanted: fewest, reason: 'nobody queues for it any more' };
  return isUneven(level) ? { wanted: shards, reason: 'some shards have run out' } : undefined;
};

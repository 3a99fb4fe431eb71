import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from './availability.ts';
import { SHARDS_MAX, type Shard } from './shards.ts';

/** So many conflicts between two looks mean that buyers queue for a level. */
const CONFLICTS_MANY = 20;
/** A rush is over when nobody has queued for so long. */
const QUIET_MS = 30 * 60_000;
const GROWTH = 4;

const keepsPromises = ({ onHand, available }: Shard): boolean => onHand !== 0 && onHand !== available;

/** The fewest shards that a level can be brought together to: those beyond must keep no promises. */
export const fewestShards = ({ shards }: NodeLevel): number =>
  1 + shards.reduce((last, shard) => (keepsPromises(shard) || shard.shard === 0 ? shard.shard : last), 0);

/** Where one shard has run out while others have not, buyers meet on those. */
const isUneven = ({ shards }: NodeLevel): boolean => {
  const units = shards.map(({ available }) => available);
  const total = units.reduce((sum, one) => sum + one, 0);
  return total >= shards.length * 2 && Math.min(...units) * 4 < total / shards.length;
};

/** How many shards a level should have from now on, and why; undefined where it may stay as it is. */
export const tended = (
  level: NodeLevel,
  { conflicts, busyAt, now }: { conflicts: number; busyAt: Instant | undefined; now: Instant },
): { wanted: number; reason: string } | undefined => {
  const shards = level.shards.length;
  if (conflicts >= CONFLICTS_MANY && shards < SHARDS_MAX) {
    return { wanted: Math.min(SHARDS_MAX, shards * GROWTH), reason: `${conflicts} conflicts in a minute` };
  }
  if (shards === 1) return undefined;
  const isQuiet = conflicts === 0 && busyAt !== undefined && Date.parse(now) - Date.parse(busyAt) > QUIET_MS;
  const fewest = fewestShards(level);
  if (isQuiet && fewest < shards) return { wanted: fewest, reason: 'nobody queues for it any more' };
  return isUneven(level) ? { wanted: shards, reason: 'some shards have run out' } : undefined;
};

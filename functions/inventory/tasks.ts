import { type Change, change } from '../../shared/change.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { TaskHandlers, TaskRun } from '../../shared/tasks.ts';
import type { Instant } from '../../shared/time.ts';
import type inventory from './contract.ts';
import { type Place, placeOf } from './domain/movements.ts';
import { evenOut, inSteps } from './domain/shards.ts';
import { isRush, tended } from './domain/tending.ts';
import { endHold } from './parts/holds.ts';
import { expiredHolds } from './store/holds.ts';
import { levelGlimpsed } from './store/levels.ts';
import {
  busyPart,
  contendedLevels,
  forgetContention,
  growParts,
  rebalanceParts,
  spreadLevels,
  spreadOverPart,
  spreadParts,
} from './store/shards.ts';

/** Holds of one run, which has a minute, and of those so many at once; the rest waits for the next run. */
const RUN_MAX = 2_000;
const LANES = 10;
/** A schedule knows whole minutes, a rush does not: while buyers queue, a run looks again, and leaves before the next. */
const LOOKS_MAX = 8;
const LOOK_AGAIN_MS = 5_000;

/** Who tends a level meets the very buyers for whom it does so, and has more patience than they have. */
const TRIES_MAX = 6;

const insist = async (run: TaskRun, wanted: Change<'changed-meanwhile'>): Promise<boolean> => {
  for (let tried = 1; ; tried += 1) {
    const committed = await run.commit(wanted);
    if (committed.ok || committed.refusal.problem !== 'too-busy' || tried >= TRIES_MAX) return committed.ok;
  }
};

/** Tends one level; true where it was changed. What others are faster than is left to the next look. */
const tend = async (
  { tables, newId, now }: Runtime,
  run: TaskRun,
  at: Place,
  seen: { conflicts: number; busyAt: Instant | undefined },
): Promise<boolean> => {
  const level = await levelGlimpsed(tables, at);
  const shards = level.shards.length;
  const busyAt = seen.conflicts > 0 ? now() : (seen.busyAt ?? now());
  const next = tended(level, { ...seen, now: now() });
  if (next === undefined) {
    if (seen.conflicts > 0 && shards > 1) await run.commit(change([busyPart(at, busyAt)]));
    return false;
  }
  const { wanted, reason } = next;
  if (wanted < shards) {
    const spreading = { wanted, reason, busyAt, movementId: newId('movement') };
    return insist(run, change(spreadParts(level, spreading, run.cause)));
  }
  if (wanted > shards && !(await insist(run, change(growParts(level, wanted, busyAt))))) return false;
  for (const step of inSteps(evenOut(level.shards, wanted, level.safetyStock))) {
    const moved = rebalanceParts(at, step, { movementId: newId('movement'), reason }, run.cause);
    await insist(run, change([...moved, spreadOverPart(at, wanted)]));
  }
  return true;
};

export const handlers = (runtime: Runtime): TaskHandlers<typeof inventory> => ({
  expireHolds: async (_input, run) => {
    let expired = 0;
    const failed: string[] = [];
    const holds = expiredHolds(runtime.tables, run.now, RUN_MAX);
    const lane = async (): Promise<void> => {
      for await (const hold of holds) {
        const committed = await run.commit(await endHold(runtime.tables, hold, 'EXPIRED', run.cause));
        if (committed.ok) expired += 1;
        // Whoever extended, released or ordered it was faster.
        else if (committed.refusal.problem !== 'changed-meanwhile') {
          failed.push(`${hold.holdId}: ${committed.refusal.detail}`);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    if (failed.length > 0) throw new Error(`not given back: ${failed.join('; ')}`);
    return { expired };
  },

  tendShards: async (_input, run: TaskRun) => {
    const { tables } = runtime;
    let changed = 0;
    for (let look = 1; ; look += 1) {
      const [contended, spread] = await Promise.all([contendedLevels(tables), spreadLevels(tables)]);
      const places = Map.groupBy<string, Place & { conflicts?: number; busyAt?: Instant }>(
        [...contended, ...spread],
        placeOf,
      );
      for (const [first, second] of places.values()) {
        const { sku, nodeId, conflicts = 0, busyAt } = { ...second, ...first! };
        if (await tend(runtime, run, { sku, nodeId }, { conflicts, busyAt })) changed += 1;
      }
      await forgetContention(tables, contended);
      if (look >= LOOKS_MAX || !contended.some(({ conflicts }) => isRush(conflicts))) return { changed };
      await runtime.sleep(LOOK_AGAIN_MS);
    }
  },
});

import { change } from '../../shared/change.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { TaskHandlers, TaskRun } from '../../shared/tasks.ts';
import type inventory from './contract.ts';
import { placeOf } from './domain/movements.ts';
import { tended } from './domain/tending.ts';
import { endHold } from './parts/holds.ts';
import { expiredHolds } from './store/holds.ts';
import { levelsAt } from './store/levels.ts';
import { contendedLevels, forgetContention, spreadLevels, spreadParts } from './store/shards.ts';

/** Holds of one run, which has a minute; the rest waits for the next. */
const RUN_MAX = 1_000;

export const handlers = ({ tables, newId }: Runtime): TaskHandlers<typeof inventory> => ({
  expireHolds: async (_input, run) => {
    let expired = 0;
    const failed: string[] = [];
    for await (const hold of expiredHolds(tables, run.now, RUN_MAX)) {
      const committed = await run.commit(endHold(hold, 'EXPIRED', run.cause));
      if (committed.ok) expired += 1;
      // Whoever extended, released or ordered it was faster.
      else if (committed.refusal.problem !== 'changed-meanwhile') {
        failed.push(`${hold.holdId}: ${committed.refusal.detail}`);
      }
    }
    if (failed.length > 0) throw new Error(`not given back: ${failed.join('; ')}`);
    return { expired };
  },

  tendShards: async (_input, run: TaskRun) => {
    const [contended, spread] = await Promise.all([contendedLevels(tables), spreadLevels(tables)]);
    const known = new Map(spread.map((level) => [placeOf(level), level]));
    const conflicts = new Map(contended.map((level) => [placeOf(level), level.conflicts]));
    const places = new Map(
      [...contended, ...spread].map(({ sku, nodeId }) => [placeOf({ sku, nodeId }), { sku, nodeId }]),
    );
    let changed = 0;
    for (const [place, at] of places) {
      const [level] = await levelsAt(tables, [at]);
      const seen = { conflicts: conflicts.get(place) ?? 0, busyAt: known.get(place)?.busyAt, now: run.now };
      const wanted = tended(level!, seen);
      if (wanted === undefined) continue;
      const busyAt = seen.conflicts > 0 ? run.now : (seen.busyAt ?? run.now);
      const spreading = { ...wanted, busyAt, movementId: newId('movement') };
      // A level that is being bought is changed meanwhile; the next minute tries again.
      if ((await run.commit(change(spreadParts(level!, spreading, run.cause)))).ok) changed += 1;
    }
    await forgetContention(tables, contended);
    return { changed };
  },
});

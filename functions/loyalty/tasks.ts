import { dueKeys } from '../../shared/due.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { TaskHandlers } from '../../shared/tasks.ts';
import type loyalty from './contract.ts';
import { lotAt, mature } from './store.ts';

/** One run; what is left is due in the next. */
const LOTS_MAX = 1_000;

export const handlers = ({ tables }: Runtime): TaskHandlers<typeof loyalty> => ({
  mature: async (_input, { commit, now }) => {
    let matured = 0;
    let left = 0;
    for await (const key of dueKeys(tables, 'loyalty', now, LOTS_MAX)) {
      const lot = await lotAt(tables, key);
      if (lot?.status !== 'PENDING') continue;
      const committed = await commit(mature(lot));
      if (committed.ok) matured += 1;
      else left += 1;
    }
    return { matured, left };
  },
});

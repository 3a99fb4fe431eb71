import type { ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type loyalty from './contract.ts';
import { earned } from './domain.ts';
import { earn, lotOf } from './store.ts';

export const handlers = ({ tables }: Runtime): ReactionHandlers<typeof loyalty> => ({
  OrderCompleted: async ({ customerId, orderId, fulfilled, completedAt }) => {
    const lot = earned({ customerId, orderId, fulfilled, completedAt });
    if (lot === undefined || (await lotOf(tables, lot)) !== undefined) return undefined;
    return { change: earn(lot, completedAt) };
  },
});

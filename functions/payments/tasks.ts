import { dueKeys } from '../../shared/due.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Key } from '../../shared/table.ts';
import type { TaskHandlers } from '../../shared/tasks.ts';
import type payments from './contract.ts';
import { isSettled } from './domain.ts';
import type { PaymentProvider } from './provider.ts';
import { settle } from './settle.ts';
import { paymentAt } from './store.ts';

/** One run; what is left is due in the next. */
const PAYMENTS_MAX = 200;
/** Payments asked for at once, so that a provider that is down costs one time-out for ten. */
const AT_ONCE = 10;

export const handlers = (runtime: Runtime, provider: PaymentProvider): TaskHandlers<typeof payments> => ({
  reconcile: async (_input, { cause, now }) => {
    const keys: Key[] = [];
    for await (const key of dueKeys(runtime.tables, 'payments', now, PAYMENTS_MAX)) keys.push(key);
    const failures: unknown[] = [];
    let settled = 0;
    const reconcileOne = async (key: Key): Promise<void> => {
      const payment = await paymentAt(runtime.tables, key);
      if (payment === undefined || isSettled(payment)) return;
      const outcome = await settle({ runtime, provider, cause }, payment);
      if (outcome.ok && isSettled(outcome.value)) settled += 1;
    };
    for (let start = 0; start < keys.length; start += AT_ONCE) {
      const outcomes = await Promise.allSettled(keys.slice(start, start + AT_ONCE).map(reconcileOne));
      failures.push(...outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])));
    }
    // One payment that cannot be is no reason to forget the others, and every reason to wake somebody.
    if (failures.length > 0) {
      throw new AggregateError(failures, `${failures.length} payments could not be reconciled: ${failures.join('; ')}`);
    }
    return { looked: keys.length, settled };
  },
});

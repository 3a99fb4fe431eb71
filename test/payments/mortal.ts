import type { PaymentProvider } from '../../functions/payments/provider.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';

/**
 * A process that dies at its n-th step: before or after a commit, before or after a call of the provider. What it had
 * done by then stays done, and from then on it does nothing: every later call of it fails.
 */
export const mortal = (runtime: Runtime, provider: PaymentProvider, diesAtStep: number) => {
  let step = 0;
  let isDead = false;
  const live = (): void => {
    if (!isDead) step += 1;
    if (step >= diesAtStep) isDead = true;
    if (isDead) throw new Error('the process died');
  };
  const throughDanger = async <T>(act: () => Promise<T>): Promise<T> => {
    live();
    try {
      return await act();
    } finally {
      live();
    }
  };
  const whileAlive = <T>(act: () => Promise<T>): Promise<T> =>
    isDead ? Promise.reject(new Error('the process is dead')) : act();
  const { tables } = runtime;
  const mortalTables: Tables = {
    get: (table, key) => whileAlive(() => tables.get(table, key)),
    query: (table, input) => whileAlive(() => tables.query(table, input)),
    snapshot: (reads) => whileAlive(() => tables.snapshot(reads)),
    commit: (parts) => throughDanger(() => tables.commit(parts)),
    discard: (table, keys) => throughDanger(() => tables.discard(table, keys)),
  };
  const mortalProvider: PaymentProvider = {
    authorise: (request) => throughDanger(() => provider.authorise(request)),
    confirm: (key) => throughDanger(() => provider.confirm(key)),
    outcomeOf: (key) => throughDanger(() => provider.outcomeOf(key)),
    capture: (key, amount) => throughDanger(() => provider.capture(key, amount)),
    void: (key) => throughDanger(() => provider.void(key)),
  };
  return { runtime: { ...runtime, tables: mortalTables }, provider: mortalProvider, hasDied: () => isDead };
};

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PaymentProvider } from '../../functions/payments/provider.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { type Desk, openDesk } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

/** A process each of whose steps waits until the scheduler lets it: the order of steps is the test's, not chance's. */
const inTurns = (scheduler: fc.Scheduler) => {
  const { tables } = desk.runtime;
  // A scheduled rejection would count as unhandled before whoever waits for it is let go on.
  const turn = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
    const scheduled = scheduler.scheduleFunction((...args: A) =>
      act(...args).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    );
    return async (...args: A): Promise<R> => {
      const outcome = await scheduled(...args);
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    };
  };
  const runtime: Runtime = {
    ...desk.runtime,
    sleep: () => Promise.resolve(),
    tables: {
      ...tables,
      get: turn(tables.get) as typeof tables.get,
      query: turn(tables.query) as typeof tables.query,
      commit: turn(tables.commit) as typeof tables.commit,
    },
  };
  const { authorise, confirm, outcomeOf, capture, void: end } = desk.provider;
  const provider: PaymentProvider = {
    authorise: turn(authorise),
    confirm: turn(confirm),
    outcomeOf: turn(outcomeOf),
    capture: turn(capture),
    void: turn(end),
  };
  return desk.processWith(runtime, provider);
};

const TOKENS = ['tok_approve', 'tok_decline', 'tok_needs_action', 'tok_timeout'];

it('whoever comes first, in any order of steps: at most one charge, and the order is placed exactly if there is one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom(...TOKENS), { minLength: 1, maxLength: 3 }),
      fc.subarray(['confirm', 'reconcile', 'expire', 'repeat'] as const),
      async (scheduler, tokens, others) => {
        const order = await desk.newOrder();
        const expires = others.includes('expire');
        const process = inTurns(scheduler);
        const doings: (() => Promise<unknown>)[] = tokens.map(
          (token, index) => () => process.pay(order, token, `key-${index}`),
        );
        if (others.includes('repeat')) doings.push(() => process.pay(order, tokens[0], 'key-0'));
        if (others.includes('confirm')) doings.push(() => process.confirm(order));
        if (others.includes('reconcile')) doings.push(scheduler.scheduleFunction(async () => desk.later(61)));
        if (others.includes('reconcile')) doings.push(() => process.reconcile());
        if (expires) {
          doings.push(
            scheduler.scheduleFunction(async () => {
              desk.later(15 * 60 + 1);
              await desk.expireOrders(order);
            }),
          );
        }
        await scheduler.waitFor(Promise.all(doings.map((doing) => doing())));
        // Everybody is done; what is left open is settled by the task once the order has had its time.
        desk.later(15 * 60 + 1);
        await desk.expireOrders(order);
        for (let run = 0; run < 2; run += 1) {
          desk.later(61);
          await desk.reconcile();
        }
        const { payments } = await desk.auditAtRest(order);
        expect(payments.length).toBeLessThanOrEqual(tokens.length);
      },
    ),
    { numRuns: 80 },
  );
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import loyalty from '../../functions/loyalty/contract.ts';
import type { PointsLot } from '../../functions/loyalty/domain.ts';
import { balanceOf, earn, mature } from '../../functions/loyalty/store.ts';
import type { Change } from '../../shared/change.ts';
import { dueKeys } from '../../shared/due.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let runtime: Runtime;
beforeAll(async () => {
  engine = await startTestEngine(loyalty);
  runtime = engine.runtime();
});
afterAll(() => engine.close());

const lot = (orderId: string): PointsLot => ({
  customerId: `customer-of-${orderId}`,
  orderId,
  points: 10,
  maturesAt: '2026-11-28T09:00:00.000Z',
});
const commit = (change: Change) =>
  commitChanges(runtime, { actor: 'test', correlationId: 'test', now: runtime.now() }, [change]);
const due = async (): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { sk } of dueKeys(runtime.tables, 'loyalty', '2027-01-01T00:00:00.000Z', 100)) keys.push(sk);
  return keys;
};

it('an order earns once, even if two who have read nothing yet say that it was completed at different times', async () => {
  expect((await commit(earn(lot('ord_1'), '2026-11-21T09:00:00.000Z'))).ok).toBe(true);
  const second = await commit(earn(lot('ord_1'), '2026-11-21T09:00:01.000Z'));
  expect(second).toMatchObject({ ok: false, refusal: { problem: 'changed-meanwhile' } });
  expect(await balanceOf(runtime.tables, 'customer-of-ord_1')).toMatchObject({ pending: 10, available: 0, version: 1 });
});

it('a lot matures once by its state, whatever time is claimed, and nobody looks at it again', async () => {
  // Pending points of another order, so that it is not the balance that refuses.
  await commit(earn({ ...lot('ord_2') }, '2026-11-21T09:00:00.000Z'));
  await commit(earn({ ...lot('ord_3'), customerId: 'customer-of-ord_2' }, '2026-11-21T09:00:00.000Z'));
  expect(await due()).toContain('LOT#ord_2');
  expect((await commit(mature(lot('ord_2')))).ok).toBe(true);
  const second = await commit(mature({ ...lot('ord_2'), maturesAt: '2026-11-28T09:00:01.000Z' }));
  expect(second.ok).toBe(false);
  expect(await balanceOf(runtime.tables, 'customer-of-ord_2')).toMatchObject({
    pending: 10,
    available: 10,
    version: 3,
  });
  expect(await due()).not.toContain('LOT#ord_2');
});

it('a balance never falls below zero, even for a lot that claims more than was earned', async () => {
  await commit(earn(lot('ord_4'), '2026-11-21T09:00:00.000Z'));
  expect((await commit(mature({ ...lot('ord_4'), points: 11 }))).ok).toBe(false);
  expect(await balanceOf(runtime.tables, 'customer-of-ord_4')).toMatchObject({ pending: 10, available: 0, version: 1 });
});

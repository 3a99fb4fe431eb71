import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OrderSnapshot } from '../../functions/orders/parts.ts';
import type { Envelope } from '../../shared/outbox.ts';
import { type Desk, openDesk, type Process, won } from './desk.ts';
import { mortal } from './mortal.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
  // A dying process says so; a test that kills dozens need not.
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  return desk.close();
});

/** No scenario here has more steps; the loop ends where the process survives its work. */
const STEPS_MAX = 40;

/**
 * Runs `work` in a process that dies at step 1, then in one that dies at step 2, …, until one survives it; `recover`
 * then does what happens after each death. Tells how many deaths there were.
 */
const dieAtEveryStep = async (
  prepare: () => Promise<OrderSnapshot>,
  work: (process: Process, order: OrderSnapshot) => Promise<unknown>,
  recover: (order: OrderSnapshot) => Promise<void>,
): Promise<number> => {
  for (let step = 1; step <= STEPS_MAX; step += 1) {
    const order = await prepare();
    const { runtime, provider, hasDied } = mortal(desk.runtime, desk.provider, step);
    await work(desk.processWith(runtime, provider), order).catch(() => undefined);
    await recover(order);
    await desk.auditAtRest(order);
    if (!hasDied()) return step - 1;
  }
  throw new Error(`${STEPS_MAX} steps are not enough`);
};

/** Two runs of the task: the second looks again at what the first had to wait for. */
const reconcile = async (): Promise<void> => {
  for (let run = 0; run < 2; run += 1) {
    desk.later(61);
    await desk.reconcile();
  }
};

const order = (): Promise<OrderSnapshot> => desk.newOrder();

/** A new order, an attempt of which ended like this. */
const orderPaidWith = (token: string) => async (): Promise<OrderSnapshot> => {
  const placed = await desk.newOrder();
  const { status } = await desk.pay(placed, token);
  expect(status).toBe(201);
  return placed;
};

const TOKENS = ['tok_approve', 'tok_decline', 'tok_needs_action', 'tok_timeout'] as const;
/** Steps that each way of paying has, so that a test that stopped reaching them fails. */
const DEATHS_MIN = 6;

describe.each(TOKENS)('a process that dies anywhere while it pays with %s', (token) => {
  const pay = (process: Process, placed: OrderSnapshot) => process.pay(placed, token, 'key-1');
  // What waits for the buyer rests only once the order has expired.
  const rest = async (placed: OrderSnapshot): Promise<void> => {
    await reconcile();
    if (token !== 'tok_needs_action') return;
    desk.later(15 * 60);
    await desk.expireOrders(placed);
  };

  it('loses nothing: the task finds out what became of the charge', async () => {
    expect(await dieAtEveryStep(order, pay, rest)).toBeGreaterThanOrEqual(DEATHS_MIN);
  });

  it('is asked again with the same key at once, and once more later: one charge', async () => {
    const deaths = await dieAtEveryStep(order, pay, async (placed) => {
      const atOnce = await desk.pay(placed, token, 'key-1');
      await rest(placed);
      const later = await desk.pay(placed, token, 'key-1');
      // Whoever has been given an answer gets the same for ever.
      if (atOnce.status === 201) expect(later.text).toBe(atOnce.text);
      // An order that expired before an attempt was on record has none; everything else is answered.
      const { payments } = await desk.look(placed);
      expect(payments.length).toBe(later.status === 201 ? 1 : 0);
    });
    expect(deaths).toBeGreaterThanOrEqual(DEATHS_MIN);
  });

  it('and the buyer tries another card: never two charges', async () => {
    const deaths = await dieAtEveryStep(order, pay, async (placed) => {
      const impatient = await desk.pay(placed, 'tok_approve', 'key-2');
      expect([201, 409]).toContain(impatient.status);
      await rest(placed);
      await desk.pay(placed, 'tok_approve', 'key-3');
      await reconcile();
    });
    expect(deaths).toBeGreaterThanOrEqual(DEATHS_MIN);
  });

  it('and the order expires before anybody looks: what was held is let go', async () => {
    const deaths = await dieAtEveryStep(order, pay, async (placed) => {
      desk.later(15 * 60 + 1);
      await desk.expireOrders(placed);
      await reconcile();
      const { order: after, payments } = await desk.look(placed);
      if (after.status === 'EXPIRED') {
        expect(payments.every(({ status }) => status === 'VOIDED' || status === 'FAILED')).toBe(true);
      }
    });
    expect(deaths).toBeGreaterThanOrEqual(DEATHS_MIN);
  });
});

describe('a process that dies anywhere while it finds out or carries out', () => {
  it('a reconciliation of an unknown outcome that was approved', async () => {
    const deaths = await dieAtEveryStep(
      orderPaidWith('tok_timeout'),
      async (process) => {
        desk.later(61);
        await process.reconcile();
      },
      async (placed) => {
        await reconcile();
        expect((await desk.look(placed)).order.status).toBe('PLACED');
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
  });

  it('a reconciliation of a payment whose order has expired', async () => {
    const deaths = await dieAtEveryStep(
      orderPaidWith('tok_timeout'),
      async (process) => {
        desk.later(15 * 60 + 1);
        await desk.expireOrders();
        await process.reconcile();
      },
      async (placed) => {
        await reconcile();
        expect((await desk.look(placed)).payments[0]!.status).toBe('VOIDED');
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(8);
  });

  it('a confirmation of what the buyer did', async () => {
    const deaths = await dieAtEveryStep(
      orderPaidWith('tok_needs_action'),
      (process, placed) => process.confirm(placed),
      async (placed) => {
        await desk.confirm(placed);
        expect((await desk.look(placed)).order.status).toBe('PLACED');
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(6);
  });

  it.each([
    ['order.completed.v1', won(10_000), 'PARTIALLY_CAPTURED'],
    ['order.completed.v1', won(12_900), 'CAPTURED'],
  ] as const)('%s over %j, heard again after the death or never again', async (type, fulfilled, expected) => {
    for (const isHeardAgain of [true, false]) {
      let event: Envelope;
      const deaths = await dieAtEveryStep(
        orderPaidWith('tok_approve'),
        async (process, { orderId, customerId }) => {
          const data = { orderId, customerId, fulfilled, completedAt: desk.runtime.now() };
          event = envelope(type, orderId, data);
          await process.hear(event);
        },
        async (placed) => {
          const { payments } = await desk.look(placed);
          // Nothing on record yet: the bus did not hear that it was done with the event, and brings it again.
          if (isHeardAgain || payments[0]!.status === 'AUTHORIZED') await desk.hear(event);
          await reconcile();
          const [payment] = (await desk.look(placed)).payments;
          expect(payment).toMatchObject({ status: expected, captured: fulfilled });
        },
      );
      expect(deaths).toBeGreaterThanOrEqual(6);
    }
  });
});

const envelope = (type: string, orderId: string, data: object): Envelope => ({
  specversion: '1.0',
  id: `order/${orderId}#9`,
  source: 'ieum.orders',
  type,
  time: desk.runtime.now(),
  subject: `order/${orderId}`,
  aggregateversion: 9,
  actor: 'test',
  correlationid: 'test',
  datacontenttype: 'application/json',
  data,
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ProviderUnreachable } from '../../functions/payments/provider.ts';
import { channelCaller, customerCaller } from '../support/call.ts';
import { type Desk, openDesk, won } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => {
  delete desk.faults.before;
  delete desk.faults.after;
});
afterAll(() => desk.close());

describe('paying an order', () => {
  it('an approved card places the order, and says so once', async () => {
    const order = await desk.newOrder();
    const { status, body } = await desk.pay(order);
    expect(status).toBe(201);
    expect(body).toEqual({
      paymentId: `${order.orderId}-001`,
      orderId: order.orderId,
      attempt: 1,
      status: 'AUTHORIZED',
      amount: won(12_900),
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const { order: placed, events } = await desk.auditAtRest(order);
    expect(placed.status).toBe('PLACED');
    expect(events.map(({ type }) => type).sort()).toEqual(['order.placed.v1', 'payment.authorised.v1']);
  });

  it('a declined card leaves the order payable, and a second attempt pays it', async () => {
    const order = await desk.newOrder();
    const declined = await desk.pay(order, 'tok_decline');
    expect(declined.body).toMatchObject({ attempt: 1, status: 'FAILED', failure: { code: 'declined' } });
    expect((await desk.look(order)).order.status).toBe('PENDING_PAYMENT');
    const approved = await desk.pay(order);
    expect(approved.body).toMatchObject({ attempt: 2, status: 'AUTHORIZED' });
    await desk.auditAtRest(order);
  });

  it('an order that is paid cannot be paid again, and the provider hears nothing of it', async () => {
    const order = await desk.newOrder();
    await desk.pay(order);
    const again = await desk.pay(order);
    expect([again.status, again.body.type]).toEqual([409, 'urn:ieum:problem:wrong-state']);
    const { payments } = await desk.auditAtRest(order);
    expect(payments).toHaveLength(1);
  });

  it('an expired order cannot be paid, and no attempt is begun', async () => {
    const order = await desk.newOrder();
    desk.later(15 * 60 + 1);
    await desk.expireOrders(order);
    const late = await desk.pay(order);
    expect([late.status, late.body.type]).toEqual([409, 'urn:ieum:problem:wrong-state']);
    expect((await desk.auditAtRest(order)).payments).toEqual([]);
  });

  it('a bank that wants the buyer to act gives the place to go to, then the confirmation places the order', async () => {
    const order = await desk.newOrder();
    const asked = await desk.pay(order, 'tok_needs_action');
    expect(asked.status).toBe(201);
    expect(asked.body).toMatchObject({
      status: 'REQUIRES_ACTION',
      nextAction: { url: expect.stringMatching(/^https/) },
    });
    const meanwhile = await desk.pay(order);
    expect([meanwhile.status, meanwhile.body.type]).toEqual([409, 'urn:ieum:problem:payment-in-progress']);
    expect(meanwhile.headers['retry-after']).toBe('2');
    const confirmed = await desk.confirm(order);
    expect(confirmed.body).toMatchObject({ status: 'AUTHORIZED' });
    expect(confirmed.body).not.toHaveProperty('nextAction');
    await desk.auditAtRest(order);
  });

  it('a confirmation that comes twice, at once or later, confirms once', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_needs_action');
    const both = await Promise.all([desk.confirm(order), desk.confirm(order)]);
    expect(both.map(({ status, body }) => [status, body.status])).toEqual([
      [200, 'AUTHORIZED'],
      [200, 'AUTHORIZED'],
    ]);
    expect((await desk.confirm(order)).body.status).toBe('AUTHORIZED');
    await desk.auditAtRest(order);
  });

  it('a provider that acts and does not answer leaves the outcome unknown, and nobody guesses', async () => {
    const order = await desk.newOrder();
    const { status, body } = await desk.pay(order, 'tok_timeout');
    expect([status, body.status]).toEqual([201, 'UNKNOWN']);
    const { order: waiting, events } = await desk.look(order);
    expect(waiting.status).toBe('PENDING_PAYMENT');
    expect(events.map(({ type }) => type)).toEqual(['payment.outcome-unknown.v1']);
    expect((await desk.pay(order)).body.type).toBe('urn:ieum:problem:payment-in-progress');
    expect((await desk.confirm(order)).body.status).toBe('AUTHORIZED');
    await desk.auditAtRest(order);
  });

  it('a channel pays the orders that it placed for its buyers', async () => {
    const order = await desk.newOrder(won(500), 'marketplace');
    const { status, body } = await desk.call('pay', {
      as: channelCaller('marketplace'),
      path: { orderId: order.orderId },
      body: { method: { kind: 'CARD', token: 'tok_approve' } },
    });
    expect([status, body.status]).toEqual([201, 'AUTHORIZED']);
    await desk.auditAtRest(order);
  });

  it('lists every attempt, with what became of it', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_decline');
    await desk.pay(order);
    const as = customerCaller(order.customerId);
    const { body } = await desk.call('payments', { as, path: { orderId: order.orderId } });
    expect(body.items.map(({ attempt, status }: Record<string, unknown>) => [attempt, status])).toEqual([
      [1, 'FAILED'],
      [2, 'AUTHORIZED'],
    ]);
    expect(JSON.stringify(body)).not.toMatch(/tok_|requestHash|instruction|version/);
  });
});

describe('the same command, sent again', () => {
  it('is answered with the same bytes, and charged once', async () => {
    const order = await desk.newOrder();
    const first = await desk.pay(order, 'tok_approve', 'key-1');
    const second = await desk.pay(order, 'tok_approve', 'key-1');
    expect(second.text).toBe(first.text);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect((await desk.auditAtRest(order)).payments).toHaveLength(1);
  });

  it('is not another attempt after the first was declined', async () => {
    const order = await desk.newOrder();
    const first = await desk.pay(order, 'tok_decline', 'key-1');
    const second = await desk.pay(order, 'tok_decline', 'key-1');
    expect(second.text).toBe(first.text);
    expect((await desk.auditAtRest(order)).payments).toHaveLength(1);
  });

  it('with another body is refused, and the provider hears nothing of it', async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_decline', 'key-1');
    expect((await desk.pay(order, 'tok_approve', 'key-1')).status).toBe(422);
    expect((await desk.auditAtRest(order)).payments).toHaveLength(1);
  });

  it('is told to come again while the first is under way, and then gets its answer', async () => {
    const order = await desk.newOrder();
    let reached: () => void = () => {};
    const atProvider = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let letGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    desk.faults.before = async (operation) => {
      if (operation !== 'authorise') return;
      reached();
      await held;
    };
    const first = desk.pay(order, 'tok_approve', 'key-1');
    await atProvider;
    const second = await desk.pay(order, 'tok_approve', 'key-1');
    expect([second.status, second.body.type]).toEqual([409, 'urn:ieum:problem:payment-in-progress']);
    letGo();
    const { text } = await first;
    expect((await desk.pay(order, 'tok_approve', 'key-1')).text).toBe(text);
    await desk.auditAtRest(order);
  });

  it('ten cards at once for one order are one charge', async () => {
    const order = await desk.newOrder();
    const answers = await Promise.all(Array.from({ length: 10 }, () => desk.pay(order)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect((await desk.auditAtRest(order)).payments).toHaveLength(1);
  });
});

describe('when the order expires while the provider thinks', () => {
  it('the authorisation is voided and the buyer sees that nothing is taken', async () => {
    const order = await desk.newOrder();
    desk.faults.before = async (operation) => {
      if (operation !== 'authorise') return;
      desk.later(15 * 60 + 1);
      await desk.expireOrders();
    };
    const { status, body } = await desk.pay(order);
    expect([status, body.status]).toEqual([201, 'VOIDED']);
    const { order: expired, charges } = await desk.auditAtRest(order);
    expect([expired.status, charges[0]!.state]).toEqual(['EXPIRED', 'VOIDED']);
  });

  it('and the void is not answered, it is on record and done later', async () => {
    const order = await desk.newOrder();
    desk.faults.before = async (operation) => {
      if (operation === 'void') throw new ProviderUnreachable('the line is cut');
      if (operation !== 'authorise') return;
      desk.later(15 * 60 + 1);
      await desk.expireOrders();
    };
    await desk.pay(order);
    expect((await desk.look(order)).charges[0]!.state).toBe('APPROVED');
    delete desk.faults.before;
    desk.later(61);
    await desk.reconcile();
    expect((await desk.auditAtRest(order)).payments[0]!.status).toBe('VOIDED');
  });
});

describe('foreign hands and bad input', () => {
  it("somebody else's order looks like a missing one, for every operation", async () => {
    const order = await desk.newOrder();
    await desk.pay(order, 'tok_needs_action');
    for (const as of [customerCaller('stranger'), channelCaller('another-channel')]) {
      const path = { orderId: order.orderId };
      const body = { method: { kind: 'CARD', token: 'tok_approve' } };
      expect((await desk.call('pay', { as, path, body })).status).toBe(404);
      expect((await desk.call('confirm', { as, path: { ...path, attempt: '1' } })).status).toBe(404);
      expect((await desk.call('payments', { as, path })).status).toBe(404);
    }
    expect((await desk.look(order)).payments[0]!.status).toBe('REQUIRES_ACTION');
  });

  it('an attempt that was never made cannot be confirmed', async () => {
    const order = await desk.newOrder();
    expect((await desk.confirm(order, 1)).status).toBe(404);
  });

  it.each([
    [{ method: { kind: 'CARD', token: '4111111111111111' } }, '/method/token'],
    [{ method: { kind: 'CARD', token: 'tok approve' } }, '/method/token'],
    [{ method: { kind: 'CARD', token: 'tok_approve', cvc: '123' } }, '/method/cvc'],
    [{ method: { kind: 'CASH' } }, '/method/kind'],
    [{ method: { kind: 'CARD', token: 'tok_approve' }, amount: { amountMinor: 1, currency: 'KRW' } }, '/amount'],
  ])('%j is refused and the field is named', async (body, field) => {
    const order = await desk.newOrder();
    const as = customerCaller(order.customerId);
    const answer = await desk.call('pay', { as, path: { orderId: order.orderId }, body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect((await desk.look(order)).payments).toEqual([]);
  });
});

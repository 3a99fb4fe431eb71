import { describe, expect, it } from 'vitest';
import {
  decide,
  type Instruction,
  nextAttempt,
  onOrderCancelled,
  onOrderCompleted,
  type PaymentRecord,
  type PaymentStatus,
  type ProviderAnswer,
} from '../../functions/payments/domain.ts';

const CREATED = '2026-11-21T09:00:00.000Z';
const SOON = '2026-11-21T09:00:59.999Z';
const LATER = '2026-11-21T09:01:00.000Z';
const won = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });

const payment = (status: PaymentStatus, instruction?: Instruction): PaymentRecord => ({
  paymentId: 'ord_1-001',
  orderId: 'ord_1',
  attempt: 1,
  status,
  amount: won(100),
  command: { caller: 'c', key: 'k', requestHash: 'h' },
  version: 1,
  createdAt: CREATED,
  updatedAt: CREATED,
  ...(instruction === undefined ? {} : { instruction }),
});

const VOID = { kind: 'VOID', reason: 'order-cancelled' } as const;
const NOT_RECEIVED = { kind: 'VOID', reason: 'not-received' } as const;
const CAPTURE = { kind: 'CAPTURE', amount: won(60) } as const;
const APPROVED = { state: 'APPROVED' } as const;
const NEEDS_ACTION = { state: 'NEEDS_ACTION', url: 'https://bank.example' } as const;
const DECLINED = { state: 'DECLINED', reason: 'no' } as const;
const VOIDED = { state: 'VOIDED' } as const;
const NONE = { state: 'NONE' } as const;
const NO_ANSWER = { state: 'NO_ANSWER' } as const;
const captured = (amountMinor: number) => ({ state: 'CAPTURED', amount: won(amountMinor) }) as const;

describe('what an answer of the provider makes of a payment', () => {
  it.each<[PaymentStatus, Instruction | undefined, ProviderAnswer, string]>([
    ['INITIATED', undefined, APPROVED, 'AUTHORIZED is-paid'],
    ['UNKNOWN', undefined, APPROVED, 'AUTHORIZED is-paid'],
    ['REQUIRES_ACTION', undefined, APPROVED, 'AUTHORIZED is-paid'],
    ['INITIATED', undefined, NEEDS_ACTION, 'REQUIRES_ACTION stays-payable'],
    ['REQUIRES_ACTION', undefined, NEEDS_ACTION, 'REQUIRES_ACTION stays-payable'],
    ['INITIATED', undefined, DECLINED, 'FAILED'],
    ['UNKNOWN', undefined, DECLINED, 'FAILED'],
    ['UNKNOWN', undefined, VOIDED, 'FAILED'],
    ['INITIATED', undefined, NO_ANSWER, 'UNKNOWN'],
    ['UNKNOWN', undefined, NO_ANSWER, 'UNKNOWN'],
    ['REQUIRES_ACTION', undefined, NO_ANSWER, 'REQUIRES_ACTION'],
    ['UNKNOWN', undefined, NONE, 'instruct not-received'],
    ['REQUIRES_ACTION', undefined, NONE, 'instruct not-received'],
    ['INITIATED', VOID, VOIDED, 'VOIDED'],
    ['AUTHORIZED', VOID, VOIDED, 'VOIDED'],
    ['UNKNOWN', VOID, DECLINED, 'FAILED'],
    ['UNKNOWN', NOT_RECEIVED, VOIDED, 'FAILED'],
    ['INITIATED', VOID, NO_ANSWER, 'INITIATED'],
    ['AUTHORIZED', VOID, NO_ANSWER, 'AUTHORIZED'],
    ['AUTHORIZED', CAPTURE, captured(60), 'PARTIALLY_CAPTURED'],
    ['AUTHORIZED', { kind: 'CAPTURE', amount: won(100) }, captured(100), 'CAPTURED'],
    ['AUTHORIZED', CAPTURE, NO_ANSWER, 'AUTHORIZED'],
    ['AUTHORIZED', CAPTURE, VOIDED, 'VOIDED'],
  ])('%s with %j hears %j: %s', (status, instruction, answer, expected) => {
    const decision = decide(payment(status, instruction), answer, LATER);
    const said =
      decision.kind === 'become'
        ? [decision.status, decision.order].filter(Boolean).join(' ')
        : decision.kind === 'instruct' && decision.instruction.kind === 'VOID'
          ? `instruct ${decision.instruction.reason}`
          : decision.kind;
    expect(said).toBe(expected);
  });

  it.each<[PaymentStatus, Instruction | undefined, ProviderAnswer]>([
    ['AUTHORIZED', VOID, captured(100)],
    ['AUTHORIZED', VOID, APPROVED],
    ['AUTHORIZED', VOID, DECLINED],
    ['AUTHORIZED', CAPTURE, APPROVED],
    ['AUTHORIZED', CAPTURE, captured(100)],
    ['UNKNOWN', undefined, captured(100)],
  ])('%s with %j cannot hear %j, so nothing is decided and somebody is told', (status, instruction, answer) => {
    expect(() => decide(payment(status, instruction), answer, LATER)).toThrow(/provider says/);
  });

  it('what the provider has not heard of yet may be on its way, for a minute', () => {
    expect(decide(payment('INITIATED'), NONE, SOON)).toEqual({ kind: 'wait' });
    expect(decide(payment('INITIATED'), NONE, LATER)).toEqual({ kind: 'instruct', instruction: NOT_RECEIVED });
  });

  it('whatever stays open is looked at again, and whatever is settled is not', () => {
    const lookedAtAgain = (status: PaymentStatus, answer: ProviderAnswer, instruction?: Instruction) => {
      const decision = decide(payment(status, instruction), answer, LATER);
      return decision.kind === 'become' && decision.lookAgainAt !== undefined;
    };
    expect(lookedAtAgain('INITIATED', NO_ANSWER)).toBe(true);
    expect(lookedAtAgain('UNKNOWN', NO_ANSWER)).toBe(true);
    expect(lookedAtAgain('INITIATED', NEEDS_ACTION)).toBe(true);
    expect(lookedAtAgain('AUTHORIZED', NO_ANSWER, CAPTURE)).toBe(true);
    expect(lookedAtAgain('INITIATED', APPROVED)).toBe(false);
    expect(lookedAtAgain('INITIATED', DECLINED)).toBe(false);
    expect(lookedAtAgain('AUTHORIZED', VOIDED, VOID)).toBe(false);
  });
});

describe('the next attempt', () => {
  const after = (...statuses: PaymentStatus[]) => {
    const next = nextAttempt(
      statuses.map((status, index) => ({ status, attempt: index + 1 })),
      3,
    );
    return next.ok ? next.value : next.refusal.problem;
  };
  it.each<[PaymentStatus[], number | string]>([
    [[], 1],
    [['FAILED'], 2],
    [['FAILED', 'VOIDED'], 3],
    [['FAILED', 'FAILED', 'FAILED'], 'wrong-state'],
    [['INITIATED'], 'payment-in-progress'],
    [['UNKNOWN'], 'payment-in-progress'],
    [['FAILED', 'REQUIRES_ACTION'], 'payment-in-progress'],
    [['AUTHORIZED'], 'wrong-state'],
    [['FAILED', 'CAPTURED'], 'wrong-state'],
    [['PARTIALLY_CAPTURED'], 'wrong-state'],
  ])('after %j it is %j', (statuses, expected) => {
    expect(after(...statuses)).toBe(expected);
  });
});

describe('what an order that ends does to its payments', () => {
  it.each<PaymentStatus>(['INITIATED', 'REQUIRES_ACTION', 'UNKNOWN', 'AUTHORIZED'])(
    'a cancelled order voids what is %s',
    (status) => expect(onOrderCancelled(payment(status))).toEqual(VOID),
  );

  it.each<PaymentStatus>(['FAILED', 'VOIDED', 'CAPTURED', 'PARTIALLY_CAPTURED'])(
    'an order that ends leaves alone what is %s',
    (status) => {
      expect(onOrderCancelled(payment(status))).toBeUndefined();
      expect(onOrderCompleted(payment(status), won(100))).toBeUndefined();
    },
  );

  it('what is decided stays decided', () => {
    expect(onOrderCancelled(payment('AUTHORIZED', CAPTURE))).toBeUndefined();
    expect(onOrderCompleted(payment('AUTHORIZED', VOID), won(100))).toBeUndefined();
  });

  it('takes what was fulfilled, never more than is held, and nothing for nothing', () => {
    expect(onOrderCompleted(payment('AUTHORIZED'), won(60))).toEqual(CAPTURE);
    expect(onOrderCompleted(payment('AUTHORIZED'), won(0))).toEqual(VOID);
    expect(() => onOrderCompleted(payment('AUTHORIZED'), won(101))).toThrow(/holds 100 KRW/);
    expect(() => onOrderCompleted(payment('AUTHORIZED'), { amountMinor: 60, currency: 'USD' })).toThrow(/USD/);
  });
});

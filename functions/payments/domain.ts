import type { Money } from '../../shared/money.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import { type Instant, plusSeconds } from '../../shared/time.ts';
import type { FAILURE_CODES, PAYMENT_STATUSES, Payment } from './contract.ts';

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];
type FailureCode = (typeof FAILURE_CODES)[number];

/**
 * What was decided about a payment and has yet to be done at the provider. It is on record before the provider is
 * called, is never taken back, and nothing but it may happen to the payment: so a void can never meet a confirm.
 */
export type Instruction =
  | { kind: 'VOID'; reason: 'not-received' | 'not-payable' | 'order-cancelled' }
  | { kind: 'CAPTURE'; amount: Money };

/** One attempt to pay one order, as it is kept. */
export interface PaymentRecord extends Payment {
  instruction?: Instruction;
  /** The command that asked for it: a repeat of the command finds its own attempt. */
  command: { caller: string; key: string; requestHash: string };
  version: number;
}

/** What became of a key at the provider. NONE: it never heard of it. */
export type Outcome =
  | { state: 'NONE' | 'APPROVED' | 'VOIDED' }
  | { state: 'NEEDS_ACTION'; url: string }
  | { state: 'DECLINED'; reason: string }
  | { state: 'CAPTURED'; amount: Money };

/** NO_ANSWER: it was asked, and we do not know whether it acted. */
export type ProviderAnswer = Outcome | { state: 'NO_ANSWER' };

/** What an answer of the provider means to a payment. */
export type Decision =
  /** Somebody else is talking to the provider about it just now. */
  | { kind: 'wait' }
  | { kind: 'instruct'; instruction: Instruction }
  | {
      kind: 'become';
      status: PaymentStatus;
      set?: Partial<Pick<PaymentRecord, 'failure' | 'nextAction' | 'captured'>>;
      /** What has to be true of, or happen to, the order in the same transaction. */
      order?: 'stays-payable' | 'is-paid';
      /** The provider is asked again from then on; absent: nothing is open any more. */
      lookAgainAt?: Instant;
      says?: 'authorised' | 'captured' | 'voided' | 'outcome-unknown';
    };

/** A function that asked the provider ends long before this, so whoever is older than this has crashed. */
export const IN_FLIGHT_SECONDS = 60;
const LOOK_AGAIN_SECONDS = 60;

const OPEN: readonly PaymentStatus[] = ['INITIATED', 'REQUIRES_ACTION', 'UNKNOWN'];
const SUCCESSFUL: readonly PaymentStatus[] = ['AUTHORIZED', 'PARTIALLY_CAPTURED', 'CAPTURED'];
const FINAL: readonly PaymentStatus[] = ['FAILED', 'VOIDED', 'PARTIALLY_CAPTURED', 'CAPTURED'];

/** Nothing is open at the provider: neither an outcome nor an instruction. */
export const isSettled = ({ status, instruction }: PaymentRecord): boolean =>
  FINAL.includes(status) || (status === 'AUTHORIZED' && instruction === undefined);

/** The provider's key is derived, so that asking twice is asking once (rule 8). */
export const providerKey = ({ orderId, attempt }: Pick<PaymentRecord, 'orderId' | 'attempt'>): string =>
  `${orderId}#${attempt}`;

/** Number of the next attempt. Only one is ever under way, and none follows a success. */
export const nextAttempt = (
  earlier: readonly Pick<PaymentRecord, 'attempt' | 'status'>[],
  attemptsMax: number,
): Result<number, 'payment-in-progress' | 'wrong-state'> => {
  const open = earlier.find(({ status }) => OPEN.includes(status));
  if (open !== undefined) return refuse('payment-in-progress', `attempt ${open.attempt} is ${open.status}`);
  const paid = earlier.find(({ status }) => SUCCESSFUL.includes(status));
  if (paid !== undefined) return refuse('wrong-state', `the order was paid by attempt ${paid.attempt}`);
  if (earlier.length >= attemptsMax) return refuse('wrong-state', `${attemptsMax} attempts to pay it have failed`);
  return ok(earlier.length + 1);
};

/** What to do with a payment once its order is cancelled: give back what is or may yet be held. */
export const onOrderCancelled = (payment: PaymentRecord): Instruction | undefined =>
  payment.instruction === undefined && (OPEN.includes(payment.status) || payment.status === 'AUTHORIZED')
    ? { kind: 'VOID', reason: 'order-cancelled' }
    : undefined;

/** What to do with a payment once its order is completed: take the price of what was fulfilled, never more. */
export const onOrderCompleted = (payment: PaymentRecord, fulfilled: Money): Instruction | undefined => {
  if (payment.instruction !== undefined || payment.status !== 'AUTHORIZED') return undefined;
  const { amountMinor, currency } = payment.amount;
  if (fulfilled.currency !== currency || fulfilled.amountMinor > amountMinor) {
    throw new Error(`${payment.paymentId} holds ${amountMinor} ${currency}, not ${JSON.stringify(fulfilled)}`);
  }
  return fulfilled.amountMinor === 0
    ? { kind: 'VOID', reason: 'order-cancelled' }
    : { kind: 'CAPTURE', amount: fulfilled };
};

const unexpected = (payment: PaymentRecord, answer: ProviderAnswer): Error =>
  new Error(`${payment.paymentId} is ${payment.status}, yet the provider says ${JSON.stringify(answer)}`);

const lookAgain = ({ status }: PaymentRecord, now: Instant): Decision => ({
  kind: 'become',
  status,
  lookAgainAt: plusSeconds(now, LOOK_AGAIN_SECONDS),
});

const failed = (code: FailureCode, detail: string): Decision => ({
  kind: 'become',
  status: 'FAILED',
  set: { failure: { code, detail } },
});

const CANCELLED = 'the provider ended it without taking anything';

const afterVoid = (payment: PaymentRecord, reason: string, answer: ProviderAnswer): Decision => {
  if (answer.state === 'DECLINED' && payment.status !== 'AUTHORIZED') return failed('declined', answer.reason);
  if (answer.state !== 'VOIDED') throw unexpected(payment, answer);
  // What the provider never received was never held, so there is nothing that was voided.
  return reason === 'not-received'
    ? failed('not-received', 'the provider never received it, and will not take it any more')
    : { kind: 'become', status: 'VOIDED', says: 'voided' };
};

const afterCapture = (payment: PaymentRecord, wanted: Money, answer: ProviderAnswer): Decision => {
  if (answer.state === 'VOIDED') {
    const failure = { code: 'cancelled-at-provider' as const, detail: CANCELLED };
    return { kind: 'become', status: 'VOIDED', set: { failure }, says: 'voided' };
  }
  if (answer.state !== 'CAPTURED' || answer.amount.amountMinor !== wanted.amountMinor) {
    throw unexpected(payment, answer);
  }
  const status = wanted.amountMinor < payment.amount.amountMinor ? 'PARTIALLY_CAPTURED' : 'CAPTURED';
  return { kind: 'become', status, set: { captured: answer.amount }, says: 'captured' };
};

/** INITIATED may be on its way; everything else was there, or was given up by whoever asked. */
const afterNone = (payment: PaymentRecord, now: Instant): Decision =>
  payment.status === 'INITIATED' && now < plusSeconds(payment.createdAt, IN_FLIGHT_SECONDS)
    ? { kind: 'wait' }
    : { kind: 'instruct', instruction: { kind: 'VOID', reason: 'not-received' } };

const afterSilence = (payment: PaymentRecord, now: Instant): Decision =>
  payment.status === 'INITIATED' && payment.instruction === undefined
    ? {
        kind: 'become',
        status: 'UNKNOWN',
        lookAgainAt: plusSeconds(now, LOOK_AGAIN_SECONDS),
        says: 'outcome-unknown',
      }
    : lookAgain(payment, now);

/**
 * The state machine of a payment: what the provider's answer makes of it. The answer is that to the instruction where
 * there is one. Throws where the provider says what cannot be.
 */
export const decide = (payment: PaymentRecord, answer: ProviderAnswer, now: Instant): Decision => {
  const { instruction } = payment;
  if (answer.state === 'NO_ANSWER') return afterSilence(payment, now);
  if (instruction?.kind === 'VOID') return afterVoid(payment, instruction.reason, answer);
  if (instruction?.kind === 'CAPTURE') return afterCapture(payment, instruction.amount, answer);
  switch (answer.state) {
    case 'APPROVED':
      return { kind: 'become', status: 'AUTHORIZED', order: 'is-paid', says: 'authorised' };
    case 'NEEDS_ACTION':
      return {
        kind: 'become',
        status: 'REQUIRES_ACTION',
        set: { nextAction: { url: answer.url } },
        order: 'stays-payable',
        lookAgainAt: plusSeconds(now, LOOK_AGAIN_SECONDS),
      };
    case 'DECLINED':
      return failed('declined', answer.reason);
    case 'VOIDED':
      return failed('cancelled-at-provider', CANCELLED);
    case 'NONE':
      return afterNone(payment, now);
    case 'CAPTURED':
      throw unexpected(payment, answer);
  }
};

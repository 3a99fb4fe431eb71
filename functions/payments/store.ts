import { type Change, change, changedMeanwhile, fact, put } from '../../shared/change.ts';
import { dueAt } from '../../shared/due.ts';
import type { Key, Part, Tables } from '../../shared/table.ts';
import { type Instant, plusSeconds } from '../../shared/time.ts';
import payments, { ATTEMPTS_MAX } from './contract.ts';
import { type Decision, IN_FLIGHT_SECONDS, type Instruction, type PaymentRecord } from './domain.ts';

const TABLE = 'payments';

type Item = PaymentRecord & Key & { duePk?: string; dueSk?: string };

const attemptPrefix = 'PAYMENT#';
const threeDigits = (attempt: number): string => String(attempt).padStart(3, '0');
const paymentKey = ({ orderId, attempt }: Pick<PaymentRecord, 'orderId' | 'attempt'>): Key => ({
  pk: `ORDER#${orderId}`,
  sk: `${attemptPrefix}${threeDigits(attempt)}`,
});

export const paymentIdOf = (orderId: string, attempt: number): string => `${orderId}-${threeDigits(attempt)}`;

const recordOf = ({ pk, sk, duePk, dueSk, ...record }: Item): PaymentRecord => record;

/** Every attempt to pay an order, the first one first; strongly consistent. */
export const attemptsOf = async (tables: Tables, orderId: string): Promise<PaymentRecord[]> => {
  const { items } = await tables.query<Item>(TABLE, {
    pk: `ORDER#${orderId}`,
    startsWith: attemptPrefix,
    consistent: true,
    limit: ATTEMPTS_MAX,
  });
  return items.map(recordOf);
};

/** A payment by its key in the table, as it stands now. */
export const paymentAt = async (tables: Tables, key: Key): Promise<PaymentRecord | undefined> => {
  const item = await tables.get<Item>(TABLE, key);
  return item === undefined ? undefined : recordOf(item);
};

export const asItStands = async (tables: Tables, payment: PaymentRecord): Promise<PaymentRecord> => {
  const found = await paymentAt(tables, paymentKey(payment));
  if (found === undefined) throw new Error(`${payment.paymentId} is gone`);
  return found;
};

/** The intent, on record before the provider is called; looked after by the task if whoever wrote it crashes. */
export const initiate = (payment: PaymentRecord): Change<'payment-in-progress'> =>
  change([
    put(
      TABLE,
      {
        ...paymentKey(payment),
        ...payment,
        ...dueAt(plusSeconds(payment.createdAt, IN_FLIGHT_SECONDS), payment.paymentId),
      },
      [{ guard: 'once' }],
      { problem: 'payment-in-progress', detail: `attempt ${payment.attempt} is under way` },
    ),
  ]);

/** Writes `after` over `before`, which must still be what is there. */
const replacePart = (
  before: PaymentRecord,
  after: PaymentRecord,
  lookAgainAt: Instant | undefined,
): Part<'changed-meanwhile'> => {
  const key = paymentKey(after);
  const due = lookAgainAt === undefined ? {} : dueAt(lookAgainAt, after.paymentId);
  return put(
    TABLE,
    { ...key, ...after, ...due },
    [{ guard: 'version', version: before.version }],
    changedMeanwhile(after.paymentId),
  );
};

const subjectOf = ({ paymentId }: PaymentRecord): string => `payment/${paymentId}`;

const factOf = (says: NonNullable<Extract<Decision, { kind: 'become' }>['says']>, payment: PaymentRecord) => {
  const { paymentId, orderId, amount, captured, version, instruction, failure } = payment;
  const subject = subjectOf(payment);
  const { PaymentAuthorised, PaymentCaptured, PaymentVoided, PaymentOutcomeUnknown } = payments.emits;
  switch (says) {
    case 'authorised':
      return fact(PaymentAuthorised, subject, version, { paymentId, orderId, amount });
    case 'captured':
      return fact(PaymentCaptured, subject, version, { paymentId, orderId, amount: captured! });
    case 'voided': {
      const reason = failure?.code ?? (instruction?.kind === 'VOID' ? instruction.reason : 'unknown');
      return fact(PaymentVoided, subject, version, { paymentId, orderId, reason });
    }
    case 'outcome-unknown':
      return fact(PaymentOutcomeUnknown, subject, version, { paymentId, orderId });
  }
};

/** What is committed, and the payment as it is once it is. */
export interface Transition {
  after: PaymentRecord;
  change: Change<'changed-meanwhile'>;
}

/** Puts on record what has to be done at the provider; the task looks after it until it is done. */
export const instruct = (payment: PaymentRecord, instruction: Instruction, now: Instant): Transition => {
  const after = { ...payment, instruction, version: payment.version + 1, updatedAt: now };
  return { after, change: change([replacePart(payment, after, now)]) };
};

/** Carries a decision of the domain over to the payment. */
export const become = (
  payment: PaymentRecord,
  decision: Extract<Decision, { kind: 'become' }>,
  now: Instant,
): Transition => {
  const { nextAction, ...rest } = payment;
  const after: PaymentRecord = {
    ...rest,
    ...decision.set,
    // An action that was asked for is worth showing only while it is awaited.
    ...(decision.status === 'REQUIRES_ACTION' && nextAction !== undefined ? { nextAction } : {}),
    status: decision.status,
    version: payment.version + 1,
    updatedAt: now,
  };
  const facts = decision.says === undefined ? [] : [factOf(decision.says, after)];
  return { after, change: change([replacePart(payment, after, decision.lookAgainAt)], facts) };
};

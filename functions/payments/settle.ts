import { type Change, change, changedMeanwhile } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import { ok, type Result } from '../../shared/result.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { markPaid, type OrderSnapshot, orderOf, payable } from '../orders/parts.ts';
import {
  type Decision,
  decide,
  isSettled,
  type Outcome,
  type PaymentRecord,
  type ProviderAnswer,
  providerKey,
} from './domain.ts';
import { type PaymentProvider, ProviderUnreachable } from './provider.ts';
import { asItStands, become, instruct, type Transition } from './store.ts';

/** What settling needs; `cause.now` is its clock. */
export interface Settlement {
  runtime: Runtime;
  provider: PaymentProvider;
  cause: Cause;
  /** The order as it was read a moment ago, where it was; its guards decide, so it need not be read again. */
  order?: OrderSnapshot;
}

export type Question = (payment: PaymentRecord) => Promise<Outcome>;

/** A payment takes three steps at most when nobody disturbs; more is contention, and the task goes on later. */
const STEPS_MAX = 8;

/** What is to be asked or done at the provider for a payment as it stands. Each may be sent again (rule 8). */
const questionOf =
  (provider: PaymentProvider): Question =>
  (payment) => {
    const key = providerKey(payment);
    switch (payment.instruction?.kind) {
      case 'VOID':
        return provider.void(key);
      case 'CAPTURE':
        return provider.capture(key, payment.instruction.amount);
      default:
        return provider.outcomeOf(key);
    }
  };

/** Whatever went wrong on the way, the provider may have acted: no answer is not an answer. */
const answerOf = async (question: Question, payment: PaymentRecord): Promise<ProviderAnswer> => {
  try {
    return await question(payment);
  } catch (error) {
    if (!(error instanceof ProviderUnreachable)) {
      console.error(JSON.stringify({ message: 'provider failed', payment: payment.paymentId, error: String(error) }));
    }
    return { state: 'NO_ANSWER' };
  }
};

/** What happens to the order in the payment's own transaction. */
const orderChange = async (
  { runtime, cause, order: known }: Settlement,
  { orderId }: PaymentRecord,
  effect: Extract<Decision, { kind: 'become' }>['order'],
): Promise<Change<'wrong-state'>> => {
  if (effect === undefined) return change([]);
  const order = known ?? (await orderOf(runtime.tables, orderId));
  if (order === undefined) throw new Error(`a payment for ${orderId}, which does not exist`);
  return effect === 'is-paid' ? markPaid(order, cause) : payable(order);
};

const commitDecision = async (
  settlement: Settlement,
  payment: PaymentRecord,
  decision: Exclude<Decision, { kind: 'wait' }>,
): Promise<Result<PaymentRecord, 'changed-meanwhile' | 'wrong-state' | 'too-busy'>> => {
  const { runtime, cause } = settlement;
  const transition: Transition =
    decision.kind === 'instruct'
      ? instruct(payment, decision.instruction, cause.now)
      : become(payment, decision, cause.now);
  const order = await orderChange(settlement, payment, decision.kind === 'become' ? decision.order : undefined);
  // The payment comes first: one that somebody else has just confirmed is read again, and its order, which is not
  // payable any more because it was paid, is not asked for its reason.
  const committed = await commitChanges<'changed-meanwhile' | 'wrong-state'>(runtime, cause, [
    transition.change,
    order,
  ]);
  return committed.ok ? ok(transition.after) : committed;
};

/** A transition that is not committed yet, and all that has to be committed with it. */
interface Ahead {
  after: PaymentRecord;
  changes: readonly Change<'changed-meanwhile'>[];
}

/**
 * Asks the provider, and leaves it to the caller to commit what comes of it together with the answer it makes true.
 * Undefined where that is not the end of it: then `settle` goes on, from the provider's own view of the payment. So it
 * does where the commit is refused, which includes an order that cannot be paid any more.
 */
export const ask = async (
  settlement: Settlement,
  payment: PaymentRecord,
  question: Question,
): Promise<Ahead | undefined> => {
  const { now } = settlement.cause;
  const decision = decide(payment, await answerOf(question, payment), now);
  if (decision.kind !== 'become') return undefined;
  const { after, change: own } = become(payment, decision, now);
  if (after.instruction !== undefined) return undefined;
  const { parts, facts } = await orderChange(settlement, payment, decision.order);
  const order = parts.map((part) => ({ ...part, refusal: changedMeanwhile(`the order (${part.refusal.detail})`) }));
  return { after, changes: [own, change(order, facts)] };
};

/** The order cannot be paid any more, and will never be again: what is held for it is let go. */
const NOT_PAYABLE: Decision = { kind: 'instruct', instruction: { kind: 'VOID', reason: 'not-payable' } };

/**
 * Brings a payment as far as the provider lets it: asks, decides, commits, until nothing is open or the provider has
 * to be waited for. The request, the confirmation, the events and the task all run this, at the same time if need
 * be, and after a crash at any point; the version in each commit lets one of them through.
 *
 * @param first asked instead of the provider's view of the payment, e.g. the authorisation itself
 */
export const settle = async (
  settlement: Settlement,
  start: PaymentRecord,
  first?: Question,
): Promise<Result<PaymentRecord, 'too-busy'>> => {
  const standing = questionOf(settlement.provider);
  let payment = start;
  let question = first ?? standing;
  for (let step = 0; step < STEPS_MAX && !isSettled(payment); step += 1) {
    const answer = await answerOf(question, payment);
    question = standing;
    const decision = decide(payment, answer, settlement.cause.now);
    if (decision.kind === 'wait') return ok(payment);
    let committed = await commitDecision(settlement, payment, decision);
    if (!committed.ok && committed.refusal.problem === 'wrong-state') {
      committed = await commitDecision(settlement, payment, NOT_PAYABLE);
    }
    if (committed.ok) {
      payment = committed.value;
      const isWaiting = decision.kind === 'become' && payment.instruction === undefined;
      if (isWaiting || answer.state === 'NO_ANSWER') return ok(payment);
    } else if (committed.refusal.problem === 'changed-meanwhile') {
      payment = await asItStands(settlement.runtime.tables, payment);
    } else {
      return { ok: false, refusal: { problem: 'too-busy', detail: committed.refusal.detail } };
    }
  }
  return ok(payment);
};

import type { Principal } from '../../shared/auth.ts';
import { type OperationHandlers, type Request, reply } from '../../shared/http.ts';
import { refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import { type OrderSnapshot, orderOf, payable } from '../orders/parts.ts';
import type payments from './contract.ts';
import { ATTEMPTS_MAX } from './contract.ts';
import { nextAttempt, type PaymentRecord, providerKey } from './domain.ts';
import type { PaymentProvider } from './provider.ts';
import { ask, type Question, settle } from './settle.ts';
import { attemptsOf, initiate, paymentIdOf } from './store.ts';

/** The order if it is the caller's own, as a customer or as the channel that placed it (rule 19). */
const ownOrder = async (tables: Tables, orderId: string, { id }: Principal): Promise<OrderSnapshot | undefined> => {
  const order = await orderOf(tables, orderId);
  return order?.customerId === id || order?.channelId === id ? order : undefined;
};

const noOrder = (orderId: string) => refuse('not-found', `you have no order ${orderId}`);

const inProgress = ({ attempt }: PaymentRecord) =>
  refuse('payment-in-progress', `attempt ${attempt} is being carried out`);

const commandOf = ({ command }: Request): PaymentRecord['command'] => {
  if (command === undefined) throw new Error('a POST without an Idempotency-Key was let through');
  const { caller, key, requestHash } = command;
  return { caller, key, requestHash };
};

const newPayment = (order: OrderSnapshot, attempt: number, { now }: Request, command: PaymentRecord['command']) => ({
  paymentId: paymentIdOf(order.orderId, attempt),
  orderId: order.orderId,
  attempt,
  status: 'INITIATED' as const,
  amount: order.total,
  command,
  version: 1,
  createdAt: now,
  updatedAt: now,
});

export const handlers = (runtime: Runtime, provider: PaymentProvider): OperationHandlers<typeof payments> => {
  const { tables } = runtime;

  /** A payment is shown as it stands; who asks while it is being carried out has to come again. */
  const settled = async (payment: PaymentRecord, order: OrderSnapshot, request: Request, first?: Question) => {
    const outcome = await settle({ runtime, provider, cause: request.cause, order }, payment, first);
    if (!outcome.ok) return outcome;
    return outcome.value.status === 'INITIATED' ? inProgress(outcome.value) : reply(outcome.value);
  };

  /** A new payment's one step is committed with its answer; whatever comes between finds the intent and goes on from it. */
  const authorised = async (payment: PaymentRecord, order: OrderSnapshot, request: Request, token: string) => {
    const authorise = () => provider.authorise({ key: providerKey(payment), amount: payment.amount, token });
    const ahead = await ask({ runtime, provider, cause: request.cause, order }, payment, authorise);
    return ahead === undefined ? settled(payment, order, request) : reply(ahead.after, ...ahead.changes);
  };

  return {
    pay: async ({ orderId, method }, request) => {
      const order = await ownOrder(tables, orderId, request.principal);
      if (order === undefined) return noOrder(orderId);
      const command = commandOf(request);
      // Nearly every payment is an order's first: that it is takes no look, because its key is free or it is not. An
      // order that expires from here on is noticed when the payment would become its own: then it is voided.
      const first = newPayment(order, 1, request, command);
      if (order.status === 'PENDING_PAYMENT' && (await request.commit(initiate(first))).ok) {
        return authorised(first, order, request, method.token);
      }
      const earlier = await attemptsOf(tables, orderId);
      // A repeat whose first answer was lost before it was remembered must not become another attempt.
      const mine = earlier.find(({ command: { caller, key } }) => caller === command.caller && key === command.key);
      if (mine !== undefined) {
        return mine.command.requestHash === command.requestHash
          ? settled(mine, order, request)
          : refuse('idempotency-key-reused', 'the key was used before with another body; take a new one');
      }
      const attempt = nextAttempt(earlier, ATTEMPTS_MAX);
      if (!attempt.ok) return attempt;
      const payment = newPayment(order, attempt.value, request, command);
      const stored = await request.commit<'payment-in-progress' | 'wrong-state'>(initiate(payment), payable(order));
      if (!stored.ok) return stored;
      return authorised(payment, order, request, method.token);
    },

    confirm: async ({ orderId, attempt }, request) => {
      const order = await ownOrder(tables, orderId, request.principal);
      if (order === undefined) return noOrder(orderId);
      const payment = (await attemptsOf(tables, orderId)).find((candidate) => candidate.attempt === attempt);
      if (payment === undefined) return refuse('not-found', `${orderId} has no attempt ${attempt}`);
      const awaitsAction = payment.status === 'REQUIRES_ACTION' && payment.instruction === undefined;
      return settled(payment, order, request, awaitsAction ? () => provider.confirm(providerKey(payment)) : undefined);
    },

    payments: async ({ orderId }, { principal }) => {
      const order = await ownOrder(tables, orderId, principal);
      return order === undefined ? noOrder(orderId) : reply({ items: await attemptsOf(tables, orderId) });
    },
  };
};

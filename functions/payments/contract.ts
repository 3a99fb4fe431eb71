import * as z from 'zod';
import { scope } from '../../shared/auth.ts';
import { capability, event, operation, task } from '../../shared/contract.ts';
import { holdsCardNumber, Id, Sentence } from '../../shared/input.ts';
import { MoneySchema } from '../../shared/money.ts';
import { InstantSchema } from '../../shared/time.ts';
import orders from '../orders/contract.ts';

/** Attempts to pay one order; it expires long before anybody needs more. */
export const ATTEMPTS_MAX = 20;

export const PAYMENT_STATUSES = [
  'INITIATED',
  'REQUIRES_ACTION',
  'UNKNOWN',
  'AUTHORIZED',
  'FAILED',
  'VOIDED',
  'PARTIALLY_CAPTURED',
  'CAPTURED',
] as const;

/** What the provider's own page made of the card. Card data never enters (rule 24). */
const CardToken = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a token of the payment provider')
  .refine((token) => !holdsCardNumber(token), { error: 'must not contain a card number' })
  .meta({ examples: ['tok_approve', 'tok_decline', 'tok_needs_action', 'tok_timeout'] });

export const FAILURE_CODES = ['declined', 'not-received', 'cancelled-at-provider'] as const;

export const Payment = z
  .object({
    paymentId: Id,
    orderId: Id,
    attempt: z.int(),
    status: z.enum(PAYMENT_STATUSES),
    amount: MoneySchema.meta({ description: 'What is asked for; what was captured may be less' }),
    captured: MoneySchema.optional(),
    failure: z.object({ code: z.enum(FAILURE_CODES), detail: Sentence }).optional(),
    nextAction: z
      .object({ url: z.url().max(2048) })
      .optional()
      .meta({ description: "Where the buyer has to go while the status is REQUIRES_ACTION, e.g. the bank's page" }),
    createdAt: InstantSchema,
    updatedAt: InstantSchema,
  })
  .meta({ id: 'Payment' });
export type Payment = z.infer<typeof Payment>;

const aboutPayment = { paymentId: Id, orderId: Id };
const Amount = z.object({ ...aboutPayment, amount: MoneySchema });

const ofOrderOwner = scope('shop', 'orders:import');

export default capability({
  name: 'payments',
  summary: 'Tenders of an order: authorised when it is placed, captured for what was fulfilled, voided otherwise.',
  table: { indexes: { due: { project: 'keys' } } },
  operations: {
    pay: operation({
      route: 'POST /v1/orders/{orderId}/payments',
      access: ofOrderOwner,
      summary: 'Pay an order of your own. A declined attempt leaves the order payable.',
      input: z.object({ orderId: Id, method: z.strictObject({ kind: z.literal('CARD'), token: CardToken }) }),
      output: Payment,
      problems: ['not-found', 'wrong-state', 'payment-in-progress'],
      status: 201,
    }),
    confirm: operation({
      route: 'POST /v1/orders/{orderId}/payments/{attempt}/confirmation',
      access: ofOrderOwner,
      summary: 'Say that the buyer has done what the payment required; its outcome is asked for now.',
      input: z.object({ orderId: Id, attempt: z.coerce.number().int().min(1).max(ATTEMPTS_MAX) }),
      output: Payment,
      problems: ['not-found', 'payment-in-progress'],
    }),
    payments: operation({
      route: 'GET /v1/orders/{orderId}/payments',
      access: ofOrderOwner,
      summary: 'Every attempt to pay an order of your own.',
      input: z.object({ orderId: Id }),
      output: z.object({ items: z.array(Payment).max(ATTEMPTS_MAX) }),
      problems: ['not-found'],
    }),
  },
  emits: {
    PaymentAuthorised: event('payment.authorised.v1', Amount, 'The provider holds the amount for an order.'),
    PaymentCaptured: event('payment.captured.v1', Amount, 'The price of what was fulfilled was taken.'),
    PaymentVoided: event(
      'payment.voided.v1',
      z.object({ ...aboutPayment, reason: z.string() }),
      'Nothing is taken: the order could not be placed or was cancelled.',
    ),
    PaymentOutcomeUnknown: event(
      'payment.outcome-unknown.v1',
      z.object(aboutPayment),
      'The provider did not answer; it is asked until it does.',
    ),
  },
  listens: { OrderCompleted: orders.emits.OrderCompleted, OrderCancelled: orders.emits.OrderCancelled },
  tasks: {
    reconcile: task({
      summary: 'Ask the provider about every payment whose outcome is open, and carry out what was decided.',
      everyMinutes: 1,
    }),
  },
  grants: {
    api: {
      tables: {
        payments: ['GetItem', 'Query', 'PutItem'],
        outbox: ['PutItem'],
        orders: ['GetItem', 'ConditionCheckItem', 'UpdateItem'],
      },
    },
    events: { tables: { payments: ['GetItem', 'Query', 'PutItem'], outbox: ['PutItem'] } },
    tasks: {
      tables: {
        payments: ['GetItem', 'Query:due', 'PutItem'],
        outbox: ['PutItem'],
        orders: ['GetItem', 'ConditionCheckItem', 'UpdateItem'],
      },
    },
  },
});

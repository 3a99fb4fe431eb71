import * as z from 'zod';
import { freeText, Id, NodeId, Sentence, Sku, Units } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';

/** Lines that one act books: balance, ledger, discrepancy and supply of each have to fit into one transaction. */
export const LINES_MAX = 15;
/** Lines that an advice announces: a supply each. */
export const ANNOUNCED_MAX = 40;
/** Lines that an advice has in the end, with what came and was not announced. */
export const ADVICE_LINES_MAX = 200;
export const SESSION_SKUS_MAX = 200;
/** RFID tags of one request. */
export const BATCH_TAGS_MAX = 500;

/** Numbers that the outside world gives, which become part of our ids. */
const DocumentId = z
  .string()
  .max(40)
  .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, dashes or underscores');

export const atNode = { nodeId: NodeId };
export const Line = z.strictObject({ sku: Sku, units: Units });
const some = z.int().min(0).max(1_000_000);
export const DeliveredLine = z
  .strictObject({ sku: Sku, good: some, damaged: some.default(0) })
  .refine(({ good, damaged }) => good + damaged > 0, { error: 'must have units' });
export const Status = z.enum(['OPEN', 'CLOSED']).default('OPEN').meta({ description: 'What is to be done, or was' });
export const AdviceId = DocumentId.meta({ description: 'Number of the advice, unique at its node' });
export const DeliveryId = DocumentId.meta({
  description: 'Number of the delivery note, unique within its advice or transfer',
});
export const TransferId = Id.meta({ description: 'A transfer, as its request answered' });
export const CountId = Id.meta({ description: 'A count, as it was opened' });
export const SessionId = Id.meta({ description: 'An RFID session, as it was opened' });

export const Advice = z
  .object({
    adviceId: Id,
    ...atNode,
    supplier: Sentence.optional(),
    status: z.enum(['ANNOUNCED', 'RECEIVING', 'CLOSED']),
    dueAt: InstantSchema,
    lines: z
      .array(
        z.object({
          sku: Sku,
          expected: z.int().meta({ description: 'Announced' }),
          good: z.int(),
          damaged: z.int(),
          over: z.int().meta({ description: 'Came and was not announced' }),
          short: z.int().meta({ description: 'Was announced and has not come (yet, while the advice is open)' }),
        }),
      )
      .max(ADVICE_LINES_MAX),
    version: z.int(),
  })
  .meta({ id: 'Advice' });

export const Transfer = z
  .object({
    transferId: Id,
    fromNodeId: NodeId,
    toNodeId: NodeId,
    status: z.enum(['REQUESTED', 'SHIPPED', 'RECEIVED', 'CANCELLED']),
    dueAt: InstantSchema.optional(),
    lines: z
      .array(
        z.object({
          sku: Sku,
          requested: z.int(),
          shipped: z.int(),
          good: z.int(),
          damaged: z.int(),
          inTransit: z.int(),
          over: z.int().meta({ description: 'Arrived and had not been shipped by the books' }),
          lost: z.int().meta({ description: 'Shipped, and nothing more of it is expected: lost in transit' }),
        }),
      )
      .max(ADVICE_LINES_MAX)
      .meta({ description: 'shipped + over = good + damaged + inTransit + lost' }),
    version: z.int(),
  })
  .meta({ id: 'Transfer' });

export const Tolerance = z
  .strictObject({
    units: z.int().min(0).max(1_000_000).default(2),
    percent: z
      .int()
      .min(0)
      .max(100)
      .default(100)
      .meta({ description: 'Of what was counted or of what the books say, whichever is more' }),
  })
  .meta({ description: 'Up to where a variance is posted at once: both have to hold' });

export const Count = z
  .object({
    countId: Id,
    ...atNode,
    method: z.enum(['MANUAL', 'RFID']),
    because: z.enum(['CYCLE', 'SHORT_PICK']),
    status: z.enum(['OPEN', 'AWAITING_APPROVAL', 'POSTED', 'CANCELLED']),
    tolerance: Tolerance,
    openedAt: InstantSchema,
    lines: z
      .array(
        z.object({
          sku: Sku,
          counted: z.int().optional(),
          countedAt: InstantSchema.optional(),
          times: z.int().meta({ description: 'How often it was counted' }),
          booked: z
            .int()
            .optional()
            .meta({ description: 'When the count was opened; not told before it is handed in' }),
          expected: z.int().optional().meta({ description: 'By the books at the moment of counting' }),
          variance: z.int().optional().meta({ description: 'counted − expected' }),
          isWithin: z.boolean().optional().meta({ description: 'Within the tolerance' }),
          isSuperseded: z.boolean().optional().meta({ description: 'Not posted: a later count was' }),
        }),
      )
      .max(LINES_MAX),
    rejection: Sentence.optional(),
    reference: Sentence.optional(),
    version: z.int(),
  })
  .meta({ id: 'StockCount' });

export const Gtin14 = z
  .string()
  .max(14)
  .regex(/^\d{14}$/, 'must be 14 digits')
  .meta({ description: 'Global Trade Item Number in its 14 digits', examples: ['80614141123458'] });

export const Session = z
  .object({
    sessionId: Id,
    ...atNode,
    status: z.enum(['OPEN', 'CLOSED']),
    skus: z.array(Sku).max(SESSION_SKUS_MAX),
    tolerance: Tolerance,
    openedAt: InstantSchema,
    result: z
      .object({
        tags: z.int().meta({ description: 'Different tags that were read' }),
        reads: z.int().meta({ description: 'Readings, repeated ones included' }),
        strays: z.int().meta({ description: 'Tags of SKUs that the session is not about' }),
        unknownGtins: z.array(z.object({ gtin14: Gtin14, tags: z.int() })).max(50),
        countIds: z.array(Id).max(SESSION_SKUS_MAX),
      })
      .optional(),
  })
  .meta({ id: 'RfidSession' });

export const note = freeText(200);

import * as z from 'zod';
import { freeText, Id, NodeId, Sentence, Sku, Units } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { MOVEMENT_KINDS, SalesChannel } from '../emits.ts';

/** Nodes that one answer covers. */
export const NODES_MAX = 1_000;
/** Lines of one receipt, so that it fits into one transaction. */
export const LINES_MAX = 40;
/** SKUs that one question names. */
export const SKUS_MAX = 100;
/** Lines of a hold: each is written with its balance and its ledger entry, twice where a hold is taken over. */
export const HOLD_LINES_MAX = 20;
export const HOLD_SECONDS_MAX = 7 * 24 * 3600;

const SKU = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}';
export const Skus = z
  .string()
  .max(65 * SKUS_MAX)
  .regex(new RegExp(`^${SKU}(,${SKU}){0,${SKUS_MAX - 1}}$`), `must be 1 to ${SKUS_MAX} SKUs with commas between them`)
  .meta({ description: 'SKUs, with commas between them', examples: ['TEE-BLK-M,CAP-RED'] });
export const Basket = z
  .string()
  .max(72 * HOLD_LINES_MAX)
  .regex(
    new RegExp(`^${SKU}:[1-9]\\d{0,5}(,${SKU}:[1-9]\\d{0,5}){0,${HOLD_LINES_MAX - 1}}$`),
    `must be 1 to ${HOLD_LINES_MAX} times sku:units with commas between them`,
  )
  .meta({ description: 'What has to be there, as sku:units with commas between', examples: ['TEE-BLK-M:1,CAP-RED:2'] });
export const Channel = SalesChannel.default('web').meta({ description: 'Where it is to be sold' });
export const Degrees = (limit: number) =>
  z.coerce.number().min(-limit).max(limit).meta({ description: 'In degrees, north and east are positive' });
export const place = { sku: Sku, nodeId: NodeId };
export const signedUnits = z
  .int()
  .min(-1_000_000)
  .max(1_000_000)
  .refine((units) => units !== 0, { error: 'must not be 0' });

const Withheld = z
  .object({ units: z.int(), because: Sentence })
  .meta({ id: 'WithheldStock', description: 'Available units that this channel may not sell' });
const Confidence = z.object({ percent: z.int(), because: z.array(Sentence).max(8) }).meta({
  id: 'StockConfidence',
  description: 'How far the books are believed; below 90 % some units are not promised',
});

/** Whole units of one SKU at one node. */
export const StockLevel = z
  .object({
    ...place,
    onHand: z.int().meta({ description: 'Physically there' }),
    reserved: z.int().meta({ description: 'Held for shoppers, until a moment' }),
    allocated: z.int().meta({ description: 'Promised to orders' }),
    unavailable: z.int().meta({ description: 'Damaged or in quality control' }),
    damaged: z.int(),
    qualityHold: z.int(),
    available: z.int().meta({ description: 'onHand − reserved − allocated − unavailable' }),
    onlineOnly: z.int().meta({ description: 'Of what is available: set aside for online, the till does not sell it' }),
    safetyStock: z.int().meta({ description: 'Of what is available: no promise touches it, a till may' }),
    incoming: z.int().meta({ description: 'On its way' }),
    lowAt: z.int().optional().meta({ description: 'At so many available units or fewer the stock is low' }),
    shards: z.int().meta({ description: 'Items that the level is spread over, so that buyers do not queue' }),
    confidence: Confidence,
    version: z.int().meta({ description: 'Number of changes since the level was opened' }),
  })
  .meta({ id: 'StockLevel' });

const delta = z.int();

/** One immutable entry of the stock ledger: by how much each quantity changed, why, by whom and when. */
export const Movement = z
  .object({
    ...place,
    movementId: Sentence,
    kind: z.enum(MOVEMENT_KINDS),
    onHand: delta,
    reserved: delta,
    allocated: delta,
    damaged: delta,
    qualityHold: delta,
    available: delta,
    onlineOnly: delta,
    reference: Sentence.meta({ description: 'What it belongs to: an order, a hold, a receipt, a count' }),
    reason: Sentence.optional(),
    actor: Sentence,
    at: InstantSchema.meta({ description: 'When it was booked' }),
    occurredAt: InstantSchema.optional().meta({ description: 'When it happened, where that was earlier' }),
  })
  .meta({ id: 'StockMovement' });

export const StockLine = z.strictObject({ sku: Sku, units: Units });

const AtNode = z.object({
  nodeId: NodeId,
  available: z.int().meta({ description: 'What the channel may sell here now' }),
  version: z.int(),
  withheld: z.array(Withheld).max(8).optional(),
});

export const Availability = z
  .object({
    sku: Sku,
    channel: SalesChannel,
    available: z.int().meta({ description: 'What the channel may sell now, over all nodes (ATS)' }),
    nodes: z.array(AtNode).max(NODES_MAX),
    asOf: InstantSchema,
  })
  .meta({ id: 'Availability' });

export const HoldLine = z.strictObject({ sku: Sku, nodeId: NodeId, units: z.int().min(1).max(999) });
export const Hold = z
  .object({
    holdId: Id,
    purpose: z.enum(['CART', 'RESERVE_AND_COLLECT']),
    status: z.enum(['HELD', 'COMMITTED', 'RELEASED', 'EXPIRED']),
    lines: z.array(z.object({ sku: Sku, nodeId: NodeId, units: Units })).max(HOLD_LINES_MAX),
    heldUntil: InstantSchema,
    version: z.int(),
  })
  .meta({ id: 'Hold', description: 'Units that are kept for their holder; COMMITTED: ordered' });

const names = <T extends z.ZodType>(item: T) => z.array(item).max(200).default([]);
export const policy = {
  policyId: Id,
  kind: z.enum(['BUFFER', 'PILOT']).meta({
    description: 'BUFFER keeps units back; PILOT gives the stock that it names to its channels alone',
  }),
  channels: z.array(SalesChannel).max(8).default([]).meta({ description: 'Empty: every channel' }),
  nodeIds: names(NodeId).meta({ description: 'Empty: every node' }),
  categories: names(freeText(64)).meta({ description: 'Empty: every category' }),
  skus: names(Sku).meta({ description: 'Empty: every SKU' }),
  units: z.int().min(0).max(1_000_000).default(0).meta({ description: 'Units kept back at each node' }),
  percent: z.int().min(0).max(100).default(0).meta({ description: 'Of what is available; the larger of both counts' }),
  from: InstantSchema.optional(),
  until: InstantSchema.optional(),
};
export const StockPolicy = z.object(policy).meta({ id: 'StockPolicy' });

export const Discrepancy = z
  .object({
    discrepancyId: Id,
    ...place,
    units: Units.meta({ description: 'Units that left and were not there by the books' }),
    kind: z.enum(MOVEMENT_KINDS),
    reference: Sentence,
    openedAt: InstantSchema,
    resolution: z.enum(['FOUND', 'COUNTED', 'WRITTEN_OFF']).optional(),
    note: Sentence.optional(),
    resolvedAt: InstantSchema.optional(),
    resolvedBy: Sentence.optional(),
  })
  .meta({ id: 'StockDiscrepancy' });

export const Adjustment = z.object({ adjustmentId: Id, nodeId: NodeId, sku: Sku, unitsDelta: z.int() });

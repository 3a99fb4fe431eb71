import * as z from 'zod';
import { node, scope } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { Sentence, Sku } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { atNode, BATCH_TAGS_MAX, Gtin14, SESSION_SKUS_MAX, Session, SessionId, Tolerance } from './shapes.ts';

const one = { ...atNode, sessionId: SessionId };
const Epc = z
  .string()
  .max(128)
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible characters')
  .meta({ examples: ['3034257BF7194E4000001A85'] });

/** Counting by radio. */
export const rfid = {
  openSession: operation({
    route: 'POST /v1/nodes/{nodeId}/rfid-sessions',
    access: node('stock:work'),
    summary: 'Begin to count some SKUs by RFID.',
    input: z.object({
      ...atNode,
      skus: z.array(Sku).min(1).max(SESSION_SKUS_MAX),
      tolerance: Tolerance.prefault({}),
    }),
    output: Session,
    problems: ['not-found'],
    status: 201,
  }),
  session: operation({
    route: 'GET /v1/nodes/{nodeId}/rfid-sessions/{sessionId}',
    access: node('stock:work'),
    summary: 'One RFID session.',
    input: z.object(one),
    output: Session,
    problems: ['not-found'],
  }),
  readTags: operation({
    route: 'POST /v1/nodes/{nodeId}/rfid-reads',
    access: node('stock:work'),
    summary: 'Hand in tags that a reader saw, in any order and as often as it likes; each counts once in its session.',
    input: z.object({
      ...one,
      epcs: z.array(Epc).min(1).max(BATCH_TAGS_MAX),
      readAt: InstantSchema.optional().meta({ description: 'When they were read; absent: now' }),
    }),
    output: z.object({
      ...one,
      accepted: z.int().meta({ description: 'Different tags of this batch' }),
      quarantined: z
        .array(z.object({ epc: Epc, reason: Sentence }))
        .max(BATCH_TAGS_MAX)
        .meta({ description: 'What is no SGTIN-96; it does not count' }),
    }),
    problems: ['not-found', 'wrong-state'],
    status: 201,
  }),
  closeSession: operation({
    route: 'POST /v1/nodes/{nodeId}/rfid-sessions/{sessionId}/closing',
    access: node('stock:work'),
    summary: 'Compare the tags with the books: counts are posted within the tolerance, and wait for approval beyond.',
    input: z.object(one),
    output: Session,
    problems: ['not-found', 'wrong-state'],
  }),
  mapGtin: operation({
    route: 'PUT /v1/gtins/{gtin14}',
    access: scope('inventory:write'),
    summary: 'Say which SKU a GTIN stands for.',
    input: z.object({ gtin14: Gtin14, sku: Sku }),
    output: z.object({ gtin14: Gtin14, sku: Sku }),
    problems: [],
  }),
};

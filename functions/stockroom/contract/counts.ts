import * as z from 'zod';
import { node } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { freeText, pageOf, paging, Sku } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { atNode, Count, CountId, LINES_MAX, note, Status, Tolerance } from './shapes.ts';

const one = { ...atNode, countId: CountId };
const some = z.int().min(0).max(1_000_000);

/** Counts, and what picking finds out by the way. */
export const counts = {
  openCount: operation({
    route: 'POST /v1/nodes/{nodeId}/counts',
    access: node('stock:work'),
    summary: 'Open a count of some SKUs.',
    input: z.object({
      ...atNode,
      skus: z.array(Sku).min(1).max(LINES_MAX),
      tolerance: Tolerance.prefault({}),
    }),
    output: Count,
    problems: ['not-found'],
    status: 201,
  }),
  counts: operation({
    route: 'GET /v1/nodes/{nodeId}/counts',
    access: node('stock:work'),
    summary: 'Counts of a node, the oldest first.',
    input: z.object({ ...atNode, status: Status, ...paging }),
    output: pageOf(Count),
    problems: ['not-found'],
  }),
  count: operation({
    route: 'GET /v1/nodes/{nodeId}/counts/{countId}',
    access: node('stock:work'),
    summary: 'One count.',
    input: z.object(one),
    output: Count,
    problems: ['not-found'],
  }),
  enterCount: operation({
    route: 'PUT /v1/nodes/{nodeId}/counts/{countId}/lines/{sku}',
    access: node('stock:work'),
    summary: 'Enter what was counted of a SKU, and when. It may be counted again: what was counted last stands.',
    input: z.object({
      ...one,
      sku: Sku,
      units: some,
      countedAt: InstantSchema.optional().meta({ description: 'When the shelf was looked at; absent: now' }),
    }),
    output: Count,
    problems: ['not-found', 'wrong-state'],
  }),
  submitCount: operation({
    route: 'POST /v1/nodes/{nodeId}/counts/{countId}/submission',
    access: node('stock:work'),
    summary: 'Hand the count in: it is posted within its tolerance, and waits for approval beyond.',
    input: z.object(one),
    output: Count,
    problems: ['not-found', 'wrong-state'],
  }),
  approveCount: operation({
    route: 'POST /v1/nodes/{nodeId}/counts/{countId}/approval',
    access: node('stock:work'),
    summary: 'Approve and post a count that somebody else has done.',
    input: z.object(one),
    output: Count,
    problems: ['not-found', 'wrong-state'],
  }),
  rejectCount: operation({
    route: 'POST /v1/nodes/{nodeId}/counts/{countId}/rejection',
    access: node('stock:work'),
    summary: 'Ask for a recount.',
    input: z.object({ ...one, note }),
    output: Count,
    problems: ['not-found', 'wrong-state'],
  }),
  cancelCount: operation({
    route: 'POST /v1/nodes/{nodeId}/counts/{countId}/cancellation',
    access: node('stock:work'),
    summary: 'Give a count up; nothing is posted.',
    input: z.object(one),
    output: Count,
    problems: ['not-found', 'wrong-state'],
  }),
  reportShortPick: operation({
    route: 'POST /v1/nodes/{nodeId}/short-picks',
    access: node('stock:work'),
    summary: 'Report that a picker did not find what the books say: they are believed less, and somebody is to count.',
    input: z.object({
      ...atNode,
      sku: Sku,
      expected: z.int().min(1).max(1_000_000),
      found: some,
      reference: freeText(64).meta({ description: 'What was picked for; the same is reported once' }),
    }),
    output: z.object({ ...atNode, sku: Sku, countId: CountId }),
    problems: ['not-found'],
    status: 201,
  }),
};

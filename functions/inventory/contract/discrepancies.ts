import * as z from 'zod';
import { node } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { freeText, Id, NodeId, pageOf, paging } from '../../../shared/input.ts';
import { Discrepancy } from './shapes.ts';

/** Where the books and what happened do not agree. */
export const discrepancies = {
  discrepancies: operation({
    route: 'GET /v1/nodes/{nodeId}/discrepancies',
    access: node('stock:work'),
    summary: 'Where more left a node than was there by the books.',
    input: z.object({
      nodeId: NodeId,
      status: z.enum(['OPEN', 'RESOLVED']).default('OPEN').meta({ description: 'Which of them' }),
      ...paging,
    }),
    output: pageOf(Discrepancy),
    problems: ['not-found'],
  }),
  resolveDiscrepancy: operation({
    route: 'POST /v1/nodes/{nodeId}/discrepancies/{discrepancyId}/resolution',
    access: node('stock:work'),
    summary: 'Say what was wrong, and by how many units the books are corrected, if they are.',
    input: z.object({
      nodeId: NodeId,
      discrepancyId: Id,
      resolution: z.enum(['FOUND', 'COUNTED', 'WRITTEN_OFF']),
      unitsDelta: z.int().min(-1_000_000).max(1_000_000).default(0),
      note: freeText(200),
    }),
    output: Discrepancy,
    problems: ['not-found'],
  }),
};

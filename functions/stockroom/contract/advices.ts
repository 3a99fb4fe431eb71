import * as z from 'zod';
import { node, scope } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { freeText, pageOf, paging } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import {
  Advice,
  AdviceId,
  ANNOUNCED_MAX,
  atNode,
  DeliveredLine,
  DeliveryId,
  LINES_MAX,
  Line,
  Status,
} from './shapes.ts';

const one = { ...atNode, adviceId: AdviceId };

/** Goods that somebody said would come (ASN). */
export const advices = {
  announceAdvice: operation({
    route: 'PUT /v1/nodes/{nodeId}/advices/{adviceId}',
    access: scope('inventory:write'),
    summary: 'Announce goods on their way to a node, or announce them anew while nothing of them has come.',
    input: z.object({
      ...one,
      supplier: freeText(100).optional(),
      lines: z.array(Line).min(1).max(ANNOUNCED_MAX),
      dueAt: InstantSchema,
    }),
    output: Advice,
    problems: ['wrong-state'],
  }),
  advices: operation({
    route: 'GET /v1/nodes/{nodeId}/advices',
    access: node('stock:work'),
    summary: 'What is announced to a node, the oldest first.',
    input: z.object({ ...atNode, status: Status, ...paging }),
    output: pageOf(Advice),
    problems: ['not-found'],
  }),
  advice: operation({
    route: 'GET /v1/nodes/{nodeId}/advices/{adviceId}',
    access: node('stock:work'),
    summary: 'One advice, with what came of it.',
    input: z.object(one),
    output: Advice,
    problems: ['not-found'],
  }),
  receiveAdvice: operation({
    route: 'PUT /v1/nodes/{nodeId}/advices/{adviceId}/deliveries/{deliveryId}',
    access: node('stock:work'),
    summary:
      'Book a delivery against an advice. Booked once, however often it is sent; also after the advice was closed.',
    input: z.object({ ...one, deliveryId: DeliveryId, lines: z.array(DeliveredLine).min(1).max(LINES_MAX) }),
    output: Advice,
    problems: ['not-found', 'already-exists', 'wrong-state'],
  }),
  closeAdvice: operation({
    route: 'POST /v1/nodes/{nodeId}/advices/{adviceId}/closing',
    access: node('stock:work'),
    summary: 'Say that nothing more will come: what is short is no longer expected.',
    input: z.object(one),
    output: Advice,
    problems: ['not-found', 'wrong-state'],
  }),
};

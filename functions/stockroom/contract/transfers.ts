import * as z from 'zod';
import { node } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { NodeId, pageOf, paging } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { atNode, DeliveredLine, DeliveryId, LINES_MAX, Line, Status, Transfer, TransferId } from './shapes.ts';

const one = { ...atNode, transferId: TransferId };
const lines = z.array(Line).min(1).max(LINES_MAX);

/** Goods that move from one node to another. The node in the path is the one that acts. */
export const transfers = {
  requestTransfer: operation({
    route: 'POST /v1/nodes/{nodeId}/transfers',
    access: node('stock:work'),
    summary: 'Ask another node for goods.',
    input: z.object({ ...atNode, fromNodeId: NodeId, lines }),
    output: Transfer,
    problems: ['not-found'],
    status: 201,
  }),
  transfers: operation({
    route: 'GET /v1/nodes/{nodeId}/transfers',
    access: node('stock:work'),
    summary: 'Transfers to a node or from it, the oldest first.',
    input: z.object({
      ...atNode,
      direction: z.enum(['IN', 'OUT']).default('IN').meta({ description: 'To the node or from it' }),
      status: Status,
      ...paging,
    }),
    output: pageOf(Transfer),
    problems: ['not-found'],
  }),
  transfer: operation({
    route: 'GET /v1/nodes/{nodeId}/transfers/{transferId}',
    access: node('stock:work'),
    summary: 'One transfer of a node.',
    input: z.object(one),
    output: Transfer,
    problems: ['not-found'],
  }),
  shipTransfer: operation({
    route: 'POST /v1/nodes/{nodeId}/transfers/{transferId}/shipment',
    access: node('stock:work'),
    summary: 'Book that the goods left, as requested or as named: they are in transit.',
    input: z.object({ ...one, lines: lines.optional(), dueAt: InstantSchema }),
    output: Transfer,
    problems: ['not-found', 'wrong-state'],
  }),
  receiveTransfer: operation({
    route: 'PUT /v1/nodes/{nodeId}/transfers/{transferId}/deliveries/{deliveryId}',
    access: node('stock:work'),
    summary: 'Book what arrived of a transfer, once however often it is sent; what was taken for lost may arrive, too.',
    input: z.object({ ...one, deliveryId: DeliveryId, lines: z.array(DeliveredLine).min(1).max(LINES_MAX) }),
    output: Transfer,
    problems: ['not-found', 'already-exists', 'wrong-state'],
  }),
  closeTransfer: operation({
    route: 'POST /v1/nodes/{nodeId}/transfers/{transferId}/closing',
    access: node('stock:work'),
    summary: 'Say that nothing more will arrive: what is missing got lost in transit.',
    input: z.object(one),
    output: Transfer,
    problems: ['not-found', 'wrong-state'],
  }),
  cancelTransfer: operation({
    route: 'POST /v1/nodes/{nodeId}/transfers/{transferId}/cancellation',
    access: node('stock:work'),
    summary: 'Call a transfer off, before it was shipped.',
    input: z.object(one),
    output: Transfer,
    problems: ['not-found', 'wrong-state'],
  }),
};

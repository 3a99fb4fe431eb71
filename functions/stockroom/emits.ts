import * as z from 'zod';
import { emittedBy, event } from '../../shared/contract.ts';
import { Id, NodeId, Sentence, Sku } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

const units = z.int();
const AtNode = { nodeId: NodeId };
const Delivered = z.array(z.object({ sku: Sku, good: units, damaged: units }));
const Balanced = z.array(z.object({ sku: Sku, over: units, short: units }));
const Between = { transferId: Id, fromNodeId: NodeId, toNodeId: NodeId };
const Lines = z.array(z.object({ sku: Sku, units }));
const Variances = z.array(z.object({ sku: Sku, expected: units, counted: units, variance: units }));

export const emits = emittedBy('stockroom', {
  AdviceAnnounced: event(
    'advice.announced.v1',
    z.object({ ...AtNode, adviceId: Id, lines: Lines, dueAt: InstantSchema }),
    'Goods are on their way to a node.',
  ),
  AdviceReceived: event(
    'advice.received.v1',
    z.object({ ...AtNode, adviceId: Id, deliveryId: Id, lines: Delivered }),
    'A delivery against an advice arrived and was booked.',
  ),
  AdviceClosed: event(
    'advice.closed.v1',
    z.object({ ...AtNode, adviceId: Id, lines: Balanced }),
    'Nothing more is expected of an advice; what came too much or too little is said.',
  ),
  TransferRequested: event(
    'transfer.requested.v1',
    z.object({ ...Between, lines: Lines }),
    'A node asked another one for goods.',
  ),
  TransferShipped: event(
    'transfer.shipped.v1',
    z.object({ ...Between, lines: Lines, dueAt: InstantSchema }),
    'The goods of a transfer left their node and are on their way.',
  ),
  TransferReceived: event(
    'transfer.received.v1',
    z.object({ ...Between, deliveryId: Id, lines: Delivered }),
    'Goods of a transfer arrived and were booked.',
  ),
  TransferClosed: event(
    'transfer.closed.v1',
    z.object({ ...Between, lines: z.array(z.object({ sku: Sku, over: units, lost: units })) }),
    'Nothing more is expected of a transfer; what got lost in transit is said.',
  ),
  TransferCancelled: event('transfer.cancelled.v1', z.object(Between), 'A transfer was called off before it left.'),
  CountOpened: event(
    'count.opened.v1',
    z.object({ ...AtNode, countId: Id, skus: z.array(Sku), because: z.enum(['CYCLE', 'SHORT_PICK']) }),
    'Somebody is to count.',
  ),
  CountHeld: event(
    'count.held-for-approval.v1',
    z.object({ ...AtNode, countId: Id, lines: Variances }),
    'A count differs from the books by more than its tolerance; somebody else has to approve it.',
  ),
  CountPosted: event(
    'count.posted.v1',
    z.object({ ...AtNode, countId: Id, lines: Variances }),
    'The books were corrected by what was counted.',
  ),
  CountRejected: event(
    'count.rejected.v1',
    z.object({ ...AtNode, countId: Id, note: Sentence }),
    'A count was not believed: it has to be done again.',
  ),
  ShortPickReported: event(
    'short-pick.reported.v1',
    z.object({ ...AtNode, sku: Sku, expected: units, found: units, reference: Sentence, countId: Id }),
    'A picker did not find what the books say.',
  ),
  SessionClosed: event(
    'rfid-session.closed.v1',
    z.object({ ...AtNode, sessionId: Id, tags: units, countIds: z.array(Id) }),
    'All tags of an RFID session were read; each of its counts is posted or waits for approval.',
  ),
});

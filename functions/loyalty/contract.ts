import * as z from 'zod';
import { customer } from '../../shared/auth.ts';
import { capability, event, operation, task } from '../../shared/contract.ts';
import { Id, pageOf, paging } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';
import { CustomerId } from '../customers/contract.ts';
import orders from '../orders/contract.ts';

const Points = z.int().min(0);

/** One immutable entry of the points ledger: a balance is the sum of its entries. */
export const PointsEntry = z
  .object({
    kind: z.enum(['EARN', 'MATURE']),
    orderId: Id,
    pending: z.int().meta({ description: 'Signed change of the pending points' }),
    available: z.int().meta({ description: 'Signed change of the available points' }),
    at: InstantSchema.meta({ description: 'When it took effect' }),
  })
  .meta({ id: 'PointsEntry' });

export default capability({
  name: 'loyalty',
  summary: 'Points: earned by what was fulfilled, pending until it can no longer be returned, then available.',
  table: { indexes: { due: { project: 'keys' } } },
  operations: {
    balance: operation({
      route: 'GET /v1/loyalty/me',
      access: customer(),
      summary: "The caller's own points.",
      input: z.object({}),
      output: z.object({ pending: Points, available: Points }).meta({ id: 'PointsBalance' }),
      problems: [],
    }),
    entries: operation({
      route: 'GET /v1/loyalty/me/entries',
      access: customer(),
      summary: "The ledger of the caller's own points, newest first.",
      input: z.object(paging),
      output: pageOf(PointsEntry),
      problems: [],
    }),
  },
  emits: {
    PointsEarned: event(
      'points.earned.v1',
      z.object({ customerId: CustomerId, orderId: Id, points: Points.min(1), maturesAt: InstantSchema }),
      'An order brought points, which stay pending until its return window closes.',
    ),
  },
  listens: { OrderCompleted: orders.emits.OrderCompleted },
  tasks: { mature: task({ summary: 'Make points available whose return window has closed.', everyMinutes: 60 }) },
  grants: {
    api: { tables: { loyalty: ['GetItem', 'Query'] } },
    events: { tables: { loyalty: ['GetItem', 'PutItem', 'UpdateItem'], outbox: ['PutItem'] } },
    tasks: { tables: { loyalty: ['GetItem', 'Query:due', 'PutItem', 'UpdateItem'] } },
  },
});

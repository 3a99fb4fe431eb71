import * as z from 'zod';
import { scope } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { Id } from '../../../shared/input.ts';
import { SalesChannel } from '../emits.ts';
import { HOLD_LINES_MAX, HOLD_SECONDS_MAX, Hold, HoldLine } from './shapes.ts';

/** Units that are kept for somebody until a moment. */
export const holds = {
  hold: operation({
    route: 'POST /v1/holds',
    access: scope('shop', 'orders:import'),
    summary: 'Keep units at the nodes that you name until you order them, give them back, or their time is up.',
    input: z.object({
      purpose: z.enum(['CART', 'RESERVE_AND_COLLECT']).default('RESERVE_AND_COLLECT'),
      lines: z.array(HoldLine).min(1).max(HOLD_LINES_MAX),
      holdSeconds: z.int().min(1).max(HOLD_SECONDS_MAX),
      channel: SalesChannel.exclude(['pos']).default('web').meta({ description: 'Where it is to be sold' }),
    }),
    output: Hold,
    problems: ['insufficient-stock'],
    status: 201,
  }),
  heldBy: operation({
    route: 'GET /v1/holds/{holdId}',
    access: scope('shop', 'orders:import'),
    summary: 'A hold of your own.',
    input: z.object({ holdId: Id }),
    output: Hold,
    problems: ['not-found'],
  }),
  extendHold: operation({
    route: 'POST /v1/holds/{holdId}/extension',
    access: scope('shop', 'orders:import'),
    summary: 'Keep the units longer: so many seconds from now, as long as their purpose allows in all.',
    input: z.object({ holdId: Id, holdSeconds: z.int().min(1).max(HOLD_SECONDS_MAX) }),
    output: Hold,
    problems: ['not-found', 'wrong-state'],
  }),
  releaseHold: operation({
    route: 'DELETE /v1/holds/{holdId}',
    access: scope('shop', 'orders:import'),
    summary: 'Give the units back.',
    input: z.object({ holdId: Id }),
    output: Hold,
    problems: ['not-found', 'wrong-state'],
  }),
};

import * as z from 'zod';
import { scope } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { Id } from '../../../shared/input.ts';
import { policy, StockPolicy } from './shapes.ts';

/** What may be sold where. */
export const policies = {
  policies: operation({
    route: 'GET /v1/stock-policies',
    access: scope('inventory:read'),
    summary: 'What may be sold where: all buffers and pilots.',
    input: z.object({}),
    output: z.object({ items: z.array(StockPolicy).max(200) }),
    problems: [],
  }),
  setPolicy: operation({
    route: 'PUT /v1/stock-policies/{policyId}',
    access: scope('inventory:write'),
    summary: 'Keep units back from channels, or give the stock of a pilot to some of them alone.',
    input: z.object(policy),
    output: StockPolicy,
    problems: [],
  }),
  endPolicy: operation({
    route: 'DELETE /v1/stock-policies/{policyId}',
    access: scope('inventory:write'),
    summary: 'End a buffer or a pilot.',
    input: z.object({ policyId: Id }),
    output: z.object({ policyId: Id }),
    problems: ['not-found'],
  }),
};

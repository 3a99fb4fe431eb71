import * as z from 'zod';
import { node, scope } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { freeText, Id, NodeId, pageOf, paging, Sku } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { Adjustment, LINES_MAX, Movement, NODES_MAX, place, StockLevel, StockLine, signedUnits } from './shapes.ts';

/** Levels and their ledger, and what head office and stores enter into it. */
export const books = {
  levels: operation({
    route: 'GET /v1/stock/{sku}',
    access: scope('inventory:read'),
    summary: 'All quantities of one SKU at every node that ever held it.',
    input: z.object({ sku: Sku }),
    output: z.object({ items: z.array(StockLevel).max(NODES_MAX), asOf: InstantSchema }),
    problems: [],
  }),
  ledger: operation({
    route: 'GET /v1/stock/{sku}/nodes/{nodeId}/movements',
    access: scope('inventory:read'),
    summary: 'The ledger of one SKU at one node, in the order in which it was booked.',
    input: z.object({
      ...place,
      from: InstantSchema.optional().meta({ description: 'Booked at this moment or later' }),
      until: InstantSchema.optional().meta({ description: 'Booked before this moment' }),
      ...paging,
    }),
    output: pageOf(Movement),
    problems: [],
  }),
  receive: operation({
    route: 'POST /v1/nodes/{nodeId}/receipts',
    access: scope('inventory:write'),
    summary: 'Book goods that arrived at a node.',
    input: z.object({
      nodeId: NodeId,
      lines: z.array(StockLine).min(1).max(LINES_MAX),
      reference: freeText(64).optional(),
    }),
    output: z.object({ receiptId: Id, nodeId: NodeId, lines: z.array(StockLine).max(LINES_MAX) }),
    problems: [],
    status: 201,
  }),
  adjust: operation({
    route: 'POST /v1/nodes/{nodeId}/adjustments',
    access: scope('inventory:write'),
    summary: 'Correct the units on hand of a SKU, with a reason.',
    input: z.object({ nodeId: NodeId, sku: Sku, unitsDelta: signedUnits, reason: freeText(200) }),
    output: Adjustment,
    problems: ['insufficient-stock'],
    status: 201,
  }),
  setAside: operation({
    route: 'POST /v1/nodes/{nodeId}/set-asides',
    access: node('stock:work'),
    summary: 'Set units aside as damaged, for quality control or for online only; negative units come back.',
    input: z.object({
      nodeId: NodeId,
      sku: Sku,
      unitsDelta: signedUnits,
      as: z.enum(['DAMAGE', 'QUALITY_HOLD', 'ONLINE_ONLY']),
      reason: freeText(200),
    }),
    output: Adjustment.extend({ as: z.enum(['DAMAGE', 'QUALITY_HOLD', 'ONLINE_ONLY']) }),
    problems: ['not-found', 'insufficient-stock'],
    status: 201,
  }),
  settings: operation({
    route: 'PUT /v1/stock/{sku}/nodes/{nodeId}/settings',
    access: scope('inventory:write'),
    summary: 'Say how many units no promise may touch, and when the stock is low.',
    input: z.object({
      ...place,
      safetyStock: z.int().min(0).max(1_000_000),
      lowAt: z.int().min(0).max(1_000_000).optional().meta({ description: 'Absent: nobody is told' }),
    }),
    output: StockLevel,
    problems: [],
  }),
  spread: operation({
    route: 'PUT /v1/stock/{sku}/nodes/{nodeId}/shards',
    access: scope('inventory:write'),
    summary: 'Spread a level over so many items before a rush, or bring it together after it.',
    input: z.object({ ...place, shards: z.int().min(1).max(64) }),
    output: StockLevel,
    problems: ['wrong-state'],
  }),
  supply: operation({
    route: 'PUT /v1/stock/{sku}/nodes/{nodeId}/supplies/{supplyId}',
    access: scope('inventory:write'),
    summary: 'Announce units on their way, by when; 0 units take it back.',
    input: z.object({ ...place, supplyId: Id, units: z.int().min(0).max(1_000_000), dueAt: InstantSchema }),
    output: z.object({ ...place, supplyId: Id, units: z.int(), dueAt: InstantSchema }),
    problems: [],
  }),
};

import * as z from 'zod';
import { anyone } from '../../../shared/auth.ts';
import { operation } from '../../../shared/contract.ts';
import { NodeId, Sku, Units } from '../../../shared/input.ts';
import { InstantSchema } from '../../../shared/time.ts';
import { SalesChannel } from '../emits.ts';
import { Availability, Basket, Channel, Degrees, HOLD_LINES_MAX, NODES_MAX, SKUS_MAX, Skus } from './shapes.ts';

/** What may be sold, where and from when on. */
export const availability = {
  availability: operation({
    route: 'GET /v1/availability/{sku}',
    access: anyone(),
    summary: 'Units of one SKU that a channel may sell now, at every node.',
    input: z.object({ sku: Sku, channel: Channel }),
    output: Availability,
    problems: [],
  }),
  availabilities: operation({
    route: 'GET /v1/availability',
    access: anyone(),
    summary: 'Units of up to 100 SKUs that a channel may sell now, over all nodes.',
    input: z.object({ skus: Skus, channel: Channel }),
    output: z.object({
      items: z.array(z.object({ sku: Sku, available: z.int(), version: z.int() })).max(SKUS_MAX),
      channel: SalesChannel,
      asOf: InstantSchema,
    }),
    problems: [],
  }),
  availabilityAtNode: operation({
    route: 'GET /v1/nodes/{nodeId}/availability',
    access: anyone(),
    summary: 'Units of up to 100 SKUs that a channel may sell now at one node.',
    input: z.object({ nodeId: NodeId, skus: Skus, channel: Channel }),
    output: z.object({
      nodeId: NodeId,
      items: z.array(z.object({ sku: Sku, available: z.int(), version: z.int() })).max(SKUS_MAX),
      channel: SalesChannel,
      asOf: InstantSchema,
    }),
    problems: [],
  }),
  nearestNodes: operation({
    route: 'GET /v1/nearest-nodes',
    access: anyone(),
    summary: 'The nodes nearest to a place that have a whole basket.',
    input: z.object({
      latitude: Degrees(90),
      longitude: Degrees(180),
      lines: Basket,
      channel: Channel,
      limit: z.coerce.number().int().min(1).max(50).default(5).meta({ description: 'Nodes at most' }),
    }),
    output: z.object({
      items: z
        .array(
          z.object({
            nodeId: NodeId,
            distanceKm: z.number(),
            lines: z.array(z.object({ sku: Sku, units: Units, available: z.int() })).max(HOLD_LINES_MAX),
          }),
        )
        .max(50),
      asOf: InstantSchema,
    }),
    problems: [],
  }),
  promise: operation({
    route: 'GET /v1/availability/{sku}/promise',
    access: anyone(),
    summary: 'From when on so many units of a SKU may be promised, with what is on its way (ATP).',
    input: z.object({
      sku: Sku,
      units: z.coerce.number().int().min(1).max(1_000_000).default(1).meta({ description: 'Units wanted' }),
      channel: Channel,
    }),
    output: z.object({
      sku: Sku,
      units: Units,
      promised: z
        .object({ nodeId: NodeId, from: InstantSchema })
        .optional()
        .meta({ description: 'The earliest; absent where no node will have so many' }),
      nodes: z
        .array(
          z.object({
            nodeId: NodeId,
            points: z
              .array(z.object({ from: InstantSchema, units: z.int() }))
              .max(NODES_MAX)
              .meta({ description: 'Units that may be promised from each moment on' }),
          }),
        )
        .max(NODES_MAX),
      asOf: InstantSchema,
    }),
    problems: [],
  }),
};

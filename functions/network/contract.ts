import * as z from 'zod';
import { anyone, scope } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';
import { LocalizedText, Location, NodeId, pageOf, paging } from '../../shared/input.ts';
import { LocalTimeSchema, TimeZoneSchema } from '../../shared/time.ts';

const ABILITIES = ['SHIP', 'PICKUP', 'COLD_CHAIN', 'DAWN', 'SAME_DAY'] as const;
export type Ability = (typeof ABILITIES)[number];

const WEEK_SECONDS = 7 * 24 * 3600;

/** To the metre. */
const RadiusKm = z
  .number()
  .min(0.001)
  .max(1000)
  .overwrite((value) => Math.round(value * 1000) / 1000);

/** Delivery against the clock. Times are the node's own. Ordered before `cutOff`, it is there at `deliveredBy`. */
const Express = z
  .strictObject({ cutOff: LocalTimeSchema, deliveredBy: LocalTimeSchema, radiusKm: RadiusKm })
  .meta({ id: 'ExpressDelivery' });

const OpeningHours = z
  .strictObject({
    weekdays: z.array(z.int().min(1).max(7)).min(1).max(7).meta({ description: '1 is Monday, 7 is Sunday' }),
    opens: LocalTimeSchema,
    closes: LocalTimeSchema,
  })
  .meta({ id: 'OpeningHours' });

const place = {
  nodeId: NodeId,
  name: LocalizedText,
  kind: z.enum(['DC', 'STORE', 'THIRD_PARTY', 'POP_UP']),
  location: Location,
  timeZone: TimeZoneSchema,
  hours: z.array(OpeningHours).max(14).meta({ description: 'Empty: always open' }),
  abilities: z.array(z.enum(ABILITIES)).max(ABILITIES.length),
  dawn: Express.optional(),
  sameDay: Express.optional(),
  answerWithinSeconds: z
    .int()
    .min(1)
    .max(WEEK_SECONDS)
    .meta({ description: 'How long it may take to accept a fulfilment order before another node is asked' }),
  shipDays: z.int().min(0).max(60).meta({ description: 'Days in transit of a home delivery' }),
  status: z.enum(['OPEN', 'CLOSED']),
};
const NewNode = z.object(place);
export type NewNode = z.infer<typeof NewNode>;

/** A place that holds stock, and what it can do with it. */
export const NetworkNode = z
  .object({ ...place, version: z.int().meta({ description: 'Number of changes' }) })
  .meta({ id: 'NetworkNode' });
export type NetworkNode = z.infer<typeof NetworkNode>;

export default capability({
  name: 'network',
  summary: 'The nodes: where stock is, when they are open, what they can do, and how fast.',
  table: { indexes: {} },
  operations: {
    maintain: operation({
      route: 'PUT /v1/nodes/{nodeId}',
      access: scope('network:write'),
      summary: 'Open or change a node.',
      input: NewNode,
      output: NetworkNode,
      problems: [],
    }),
    node: operation({
      route: 'GET /v1/nodes/{nodeId}',
      access: anyone(),
      summary: 'One node.',
      input: z.object({ nodeId: NodeId }),
      output: NetworkNode,
      problems: ['not-found'],
    }),
    nodes: operation({
      route: 'GET /v1/nodes',
      access: anyone(),
      summary: 'All nodes, open and closed, by id.',
      input: z.object({ ...paging }),
      output: pageOf(NetworkNode),
      problems: [],
    }),
  },
  grants: { api: { tables: { network: ['GetItem', 'Query', 'PutItem'] } } },
});

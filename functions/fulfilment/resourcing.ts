import { type Change, change } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import { addressOf } from '../customers/parts.ts';
import { reallocate, stockOf, stockToTheLast } from '../inventory/parts.ts';
import {
  allocationOf,
  type FulfilmentWork,
  fulfilmentOrderId,
  LINES_PER_MOVE,
  linesToMove,
  moved,
  partsOfId,
  refusers,
  scheduled,
  stored,
} from './domain.ts';
import { assign, incomplete } from './facts.ts';
import { knownNetwork } from './network.ts';
import { answerBy } from './sourcing/clock.ts';
import type { PlannedFulfilment, SourcingNode, SourcingRequest } from './sourcing/request.ts';
import { sourceWhatIsThere } from './sourcing/source.ts';
import { changedPart, fulfilmentOrdersOf } from './store.ts';

/** So many nodes are asked for the lines of one order; then the customer gets an answer instead. */
const NODES_ASKED_MAX = 12;

/** Where the lines go, as sourcing has to know it. An address that was erased leaves no distance to go by. */
const requestFor = async (
  tables: Tables,
  order: FulfilmentWork,
  lines: FulfilmentWork['lines'],
  excludedNodeIds: string[],
  now: Instant,
): Promise<SourcingRequest> => {
  const { choice, customerId, addressId, nodeId } = order;
  const address = addressId === undefined ? undefined : await addressOf(tables, customerId, addressId);
  return {
    ...{ choice, excludedNodeIds, now, lines, destination: address?.location },
    ...(choice === 'PICKUP' ? { pickupNodeId: nodeId } : {}),
  };
};

/** What other nodes will do of a fulfilment order that its own node does not. */
const replacementsOf = (
  order: FulfilmentWork,
  ofOrder: readonly FulfilmentWork[],
  planned: readonly PlannedFulfilment[],
  nodes: readonly SourcingNode[],
  excludedNodeIds: string[],
  now: Instant,
): FulfilmentWork[] => {
  const { orderId, customerId, addressId, choice, partsPlanned } = order;
  // A part of the plan may not be on record yet: its number, after which its workflow is named, is not free.
  const lastNumber = Math.max(partsPlanned, ...ofOrder.map((one) => partsOfId(one.fulfilmentOrderId)!.n));
  return planned.map((one, index) =>
    scheduled(
      {
        ...one,
        ...{ orderId, customerId, addressId, choice, excludedNodeIds, partsPlanned },
        lines: stored(one.lines, order.lines),
        fulfilmentOrderId: fulfilmentOrderId(orderId, lastNumber + index + 1),
        replaces: order.fulfilmentOrderId,
        answerBy: answerBy(nodes, one.nodeId, now),
      },
      now,
    ),
  );
};

/** A transaction takes 100 writes; the outbox is one of them. */
const WRITES_MAX = 99;

/**
 * Moves what a node did not take on to other nodes: the old promise of stock, the new ones, the work and the events in
 * ONE transaction. What nobody has is given back and told, after a look at the stock to the last unit (rule 10). A long
 * fulfilment order moves by twenty lines at a time, by fewer where they are split over many nodes or shards.
 */
export const sourceAnew = async (
  tables: Tables,
  order: FulfilmentWork,
  cause: Cause,
  now: Instant,
  most = LINES_PER_MOVE,
): Promise<Change[]> => {
  const ofOrder = await fulfilmentOrdersOf(tables, order.orderId);
  const excluded = refusers(ofOrder, order);
  const { batch, rest } = linesToMove(order, most);
  // A promise that was made is kept from whatever is there: buffers are for new ones.
  const looking = { now, leavesHolds: true };
  const [request, network, seen] = await Promise.all([
    requestFor(tables, order, batch, excluded, now),
    knownNetwork(tables, now),
    stockOf(tables, batch, looking),
  ]);
  const nodes = excluded.length < NODES_ASKED_MAX ? network : [];
  const first = sourceWhatIsThere(request, nodes, seen.available);
  const stock = first.missing.length === 0 ? seen : await stockToTheLast(tables, batch, looking, seen);
  const { fulfilments, missing, reason } = stock === seen ? first : sourceWhatIsThere(request, nodes, stock.available);
  const replacements = replacementsOf(order, ofOrder, fulfilments, nodes, excluded, now);
  const after = moved(order, rest, now);
  const to = replacements.map((one) => allocationOf(one));
  const promises = await reallocate(tables, allocationOf(order, batch), to, cause, stock);
  const changes = [
    change([changedPart(after)], missing.length > 0 ? [incomplete(after, missing, reason)] : []),
    promises.change,
    // Of the whole allocation: it is told once, when nothing of it is left.
    change([], rest.length > 0 ? [] : [promises.released]),
    ...replacements.map(assign),
  ];
  const writes = changes.reduce((sum, { parts }) => sum + parts.length, 0);
  return writes > WRITES_MAX && batch.length > 1
    ? sourceAnew(tables, order, cause, now, Math.ceil(batch.length / 2))
    : changes;
};

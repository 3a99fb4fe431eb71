import { type Change, change } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import { addressOf } from '../customers/parts.ts';
import { reallocate, stockOf } from '../inventory/parts.ts';
import {
  allocationOf,
  type FulfilmentWork,
  fulfilmentOrderId,
  linesToMove,
  moved,
  partsOfId,
  refusers,
  scheduled,
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
  excludedNodeIds: string[],
  now: Instant,
): Promise<SourcingRequest> => {
  const { choice, customerId, addressId, nodeId } = order;
  const address = addressId === undefined ? undefined : await addressOf(tables, customerId, addressId);
  return {
    ...{ choice, excludedNodeIds, now, lines: linesToMove(order).batch, destination: address?.location },
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
  const { orderId, customerId, addressId, choice } = order;
  const lastNumber = Math.max(...ofOrder.map((one) => partsOfId(one.fulfilmentOrderId)!.n));
  return planned.map((one, index) =>
    scheduled(
      {
        ...one,
        ...{ orderId, customerId, addressId, choice, excludedNodeIds },
        sourced: order.lines,
        fulfilmentOrderId: fulfilmentOrderId(orderId, lastNumber + index + 1),
        replaces: order.fulfilmentOrderId,
        answerBy: answerBy(nodes, one.nodeId, now),
      },
      now,
    ),
  );
};

/**
 * Moves what a node did not take on to other nodes: the old promise of stock, the new ones, the work and the events in
 * ONE transaction. What nobody has is given back and told. A long fulfilment order moves by twenty lines at a time.
 */
export const sourceAnew = async (
  tables: Tables,
  order: FulfilmentWork,
  cause: Cause,
  now: Instant,
): Promise<Change[]> => {
  const ofOrder = await fulfilmentOrdersOf(tables, order.orderId);
  const excluded = refusers(ofOrder, order);
  const { batch, rest } = linesToMove(order);
  // A promise that was made is kept from whatever is there: buffers are for new ones.
  const [request, network, stock] = await Promise.all([
    requestFor(tables, order, excluded, now),
    knownNetwork(tables, now),
    stockOf(tables, batch, { now }),
  ]);
  const nodes = excluded.length < NODES_ASKED_MAX ? network : [];
  const { fulfilments, missing, reason } = sourceWhatIsThere(request, nodes, stock.available);
  const replacements = replacementsOf(order, ofOrder, fulfilments, nodes, excluded, now);
  const after = moved(order, rest, now);
  const to = replacements.map((one) => allocationOf(one));
  const promises = await reallocate(tables, allocationOf(order, batch), to, cause, stock);
  return [
    change([changedPart(after)], missing.length > 0 ? [incomplete(after, missing, reason)] : []),
    promises.change,
    // Of the whole allocation: it is told once, when nothing of it is left.
    change([], rest.length > 0 ? [] : [promises.released]),
    ...replacements.map(assign),
  ];
};

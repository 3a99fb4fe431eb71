import type { Location } from '../../../shared/input.ts';
import type { Instant } from '../../../shared/time.ts';
import type { SourcedLine } from '../contract.ts';
import { byDistance, Survey } from './candidates.ts';
import { promiseOf } from './clock.ts';
import type { Availability, Promised, SourcingChoice, SourcingNode, SourcingRequest } from './request.ts';
import { source } from './source.ts';

/** One way of fulfilment that a customer may choose, or why it may not be chosen. */
export interface DeliveryOption {
  choice: SourcingChoice;
  available: boolean;
  /** Where to collect; for PICKUP only. */
  nodeId?: string;
  /** By when everything is there. */
  promise?: Promised;
  reason: string;
}

/** Nodes to collect at that are shown; a customer does not read more. */
const PICKUPS_MAX = 5;

const DELIVERIES = ['HOME_DELIVERY', 'SAME_DAY', 'DAWN'] as const;

const delivery = (
  request: SourcingRequest,
  nodes: readonly SourcingNode[],
  available: Availability,
): DeliveryOption => {
  const { choice } = request;
  const planned = source(request, nodes, available);
  if (!planned.ok) return { choice, available: false, reason: planned.refusal.detail };
  const { fulfilments } = planned.value;
  const last = fulfilments.reduce((latest, next) => (next.promise.by > latest.promise.by ? next : latest));
  const parcels = fulfilments.length === 1 ? 'in one parcel' : `in ${fulfilments.length} parcels`;
  return { choice, available: true, promise: last.promise, reason: `${parcels}: ${fulfilments[0]!.reason}` };
};

const pickups = (
  request: SourcingRequest,
  nodes: readonly SourcingNode[],
  available: Availability,
): DeliveryOption[] => {
  const { considered } = new Survey(request, nodes, available);
  const complete = considered.filter(({ verdict }) => verdict === 'ALL_LINES').sort(byDistance);
  if (complete.length === 0) {
    return [{ choice: 'PICKUP', available: false, reason: 'no node to collect at has all lines' }];
  }
  return complete.slice(0, PICKUPS_MAX).map(({ node, distanceKm }) => ({
    choice: 'PICKUP',
    available: true,
    nodeId: node.nodeId,
    promise: promiseOf(node, 'PICKUP', request.now),
    reason: `${node.nodeId}${distanceKm === undefined ? '' : `, ${distanceKm.toFixed(1)} km,`} has all lines`,
  }));
};

/** Every way of delivery, possible or not, then the nearest nodes to collect at. */
export const deliveryOptions = (
  request: { lines: readonly SourcedLine[]; destination?: Location | undefined; now: Instant },
  nodes: readonly SourcingNode[],
  available: Availability,
): DeliveryOption[] => [
  ...DELIVERIES.map((choice) => delivery({ ...request, choice }, nodes, available)),
  ...pickups({ ...request, choice: 'PICKUP' }, nodes, available),
];

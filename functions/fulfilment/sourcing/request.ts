import type { Location } from '../../../shared/input.ts';
import type { Instant } from '../../../shared/time.ts';
import type { SourcedLine } from '../contract.ts';

/** How the customer gets the goods. */
export type SourcingChoice = 'HOME_DELIVERY' | 'SAME_DAY' | 'DAWN' | 'PICKUP';

/** What has to be supplied, how, and where to. */
export interface SourcingRequest {
  lines: readonly SourcedLine[];
  choice: SourcingChoice;
  /** Where to deliver. Without it no node is nearer than another, and delivery against the clock is not offered. */
  destination?: Location | undefined;
  /** Where the customer collects; for PICKUP only, and then needed. */
  pickupNodeId?: string | undefined;
  now: Instant;
  /** Nodes that had the order and did not supply it: they are not asked again. */
  excludedNodeIds?: readonly string[] | undefined;
}

interface Express {
  cutOff: string;
  deliveredBy: string;
  radiusKm: number;
}

/** What sourcing has to know of a node; network's own node has this shape. */
export interface SourcingNode {
  nodeId: string;
  kind: 'DC' | 'THIRD_PARTY' | 'STORE' | 'POP_UP';
  location: Location;
  timeZone: string;
  /** Empty: always open. */
  hours: readonly { weekdays: readonly number[]; opens: string; closes: string }[];
  abilities: readonly string[];
  dawn?: Express | undefined;
  sameDay?: Express | undefined;
  answerWithinSeconds: number;
  shipDays: number;
  status: 'OPEN' | 'CLOSED';
}

/** Available units by SKU, by node. */
export type Availability = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface UnitsOfSku {
  sku: string;
  units: number;
}

/** When the customer has it, or may collect it, at the latest. */
export interface Promised {
  by: Instant;
  text: string;
}

/** What one node supplies. */
export interface PlannedFulfilment {
  nodeId: string;
  lines: UnitsOfSku[];
  /** Why this node, in one sentence with figures. */
  reason: string;
  promise: Promised;
}

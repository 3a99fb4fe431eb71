import type { Location } from '../../../shared/input.ts';
import type { Instant } from '../../../shared/time.ts';
import type { SourcedLine } from '../contract.ts';
import type { Availability, Promised, SourcingChoice, SourcingNode } from './request.ts';
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
void source;
export const deliveryOptions = (
  _request: { lines: readonly SourcedLine[]; destination?: Location | undefined; now: Instant },
  _nodes: readonly SourcingNode[],
  _available: Availability,
): DeliveryOption[] => [];

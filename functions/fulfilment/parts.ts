import type { Location } from '../../shared/input.ts';
import type { Result } from '../../shared/result.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import { availableByNode } from '../inventory/parts.ts';
import type { SourcedLine } from './contract.ts';
import { knownNetwork } from './network.ts';
import { type DeliveryOption, deliveryOptions } from './sourcing/options.ts';
import type { PlannedFulfilment, SourcingRequest } from './sourcing/request.ts';
import { source } from './sourcing/source.ts';

export type { DeliveryOption } from './sourcing/options.ts';
export type { PlannedFulfilment, SourcingRequest } from './sourcing/request.ts';

const skusOf = (lines: readonly SourcedLine[]): string[] => lines.map(({ sku }) => sku);

/**
 * Chooses the nodes that supply the lines: at most four, one wherever one will do, and says why. Reads only; the
 * stock is promised by `inventory.allocate` of each fulfilment, whose guard decides.
 * `sold-out`: the nodes that may supply it have too few. `not-deliverable`: no node may, or only in too many parcels.
 */
export const plan = async (
  tables: Tables,
  request: SourcingRequest,
): Promise<Result<PlannedFulfilment[], 'sold-out' | 'not-deliverable'>> => {
  const [nodes, available] = await Promise.all([
    knownNetwork(tables, request.now),
    availableByNode(tables, skusOf(request.lines)),
  ]);
  const planned = source(request, nodes, available);
  return planned.ok ? { ok: true, value: planned.value.fulfilments } : planned;
};

/**
 * What a customer may choose from for these lines: each way of delivery, and the nearest nodes to collect at
 * (`nodeId` says which). What is not possible is there too, with the reason.
 */
export const options = async (
  tables: Tables,
  request: { lines: readonly SourcedLine[]; destination?: Location | undefined; now: Instant },
): Promise<DeliveryOption[]> => {
  const [nodes, available] = await Promise.all([
    knownNetwork(tables, request.now),
    availableByNode(tables, skusOf(request.lines)),
  ]);
  return deliveryOptions(request, nodes, available);
};

import type { Location } from '../../shared/input.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import type { SalesChannel } from '../inventory/emits.ts';
import { type Looking, type StockView, stockOf, stockToTheLast } from '../inventory/parts.ts';
import type { SourcedLine } from './contract.ts';
import { knownNetwork } from './network.ts';
import { type DeliveryOption, deliveryOptions } from './sourcing/options.ts';
import type { PlannedFulfilment, SourcingRequest } from './sourcing/request.ts';
import { source } from './sourcing/source.ts';

export type { DeliveryOption } from './sourcing/options.ts';
export type { PlannedFulfilment } from './sourcing/request.ts';

/** What is to be supplied, and what of the stock its buyer may have. */
export interface Wish extends Omit<SourcingRequest, 'lines'>, Looking {
  lines: readonly (SourcedLine & { category?: string | undefined })[];
}

export interface Plan {
  fulfilments: PlannedFulfilment[];
  /** What was chosen from; `inventory.allocate` keeps to it. */
  stock: StockView;
}

/**
 * Chooses the nodes that supply the lines: at most four, one wherever one will do, and says why. Reads only; the
 * stock is promised by `inventory.allocate`, whose guard decides. Nothing is refused on what a first look saw: before
 * that, the stock is looked at to the last unit.
 * `sold-out`: the nodes that may supply it have too few. `not-deliverable`: no node may, or only in too many parcels.
 */
export const plan = async (tables: Tables, wish: Wish): Promise<Result<Plan, 'sold-out' | 'not-deliverable'>> => {
  const [nodes, seen] = await Promise.all([knownNetwork(tables, wish.now), stockOf(tables, wish.lines, wish)]);
  const planned = source(wish, nodes, seen.available);
  if (planned.ok) return ok({ fulfilments: planned.value.fulfilments, stock: seen });
  const stock = await stockToTheLast(tables, wish.lines, wish, seen);
  const again = source(wish, nodes, stock.available);
  return again.ok ? ok({ fulfilments: again.value.fulfilments, stock }) : again;
};

/**
 * What a customer may choose from for these lines: each way of delivery, and the nearest nodes to collect at
 * (`nodeId` says which). What is not possible is there too, with the reason.
 */
export const options = async (
  tables: Tables,
  request: { lines: Wish['lines']; destination?: Location | undefined; now: Instant; channel: SalesChannel },
): Promise<DeliveryOption[]> => {
  const [nodes, stock] = await Promise.all([
    knownNetwork(tables, request.now),
    stockOf(tables, request.lines, request),
  ]);
  return deliveryOptions(request, nodes, stock.available);
};

import { createHash } from 'node:crypto';
import type * as z from 'zod';
import type orders from '../../functions/orders/contract.ts';
import { distanceKm, locationOf, SAME_DAY_RADIUS_KM, storeIn, US_NODES } from './network.ts';
import type { Superstore, SuperstoreOrder } from './superstore.ts';

/** What the data does not say: who stocks what, how each order is fulfilled, and which node refuses. Same every time. */

/** A number below `size` that depends on the seed only. */
const drawn = (seed: string, size: number): number => createHash('md5').update(seed).digest().readUInt32BE(0) % size;
const isDrawn = (seed: string, percent: number): boolean => drawn(seed, 100) < percent;

const SCARCE_PERCENT = 5;
/** A scarce product's stock, as a share of what is ever ordered of it: it sells out on the way. */
const SCARCE_SUPPLY_PERCENT = 15;
/** Everything else is in two distribution centres, with this much of what is ever ordered in each. */
const SUPPLY_PERCENT = 70;
const STORE_RANGE_PERCENT = 50;
const PICKUP_PERCENT = 60;
const REJECT_PERCENT = 3;

const CENTRE_IDS = US_NODES.filter(({ kind }) => kind === 'DC').map(({ nodeId }) => nodeId);
const STORE_IDS = US_NODES.filter(({ kind }) => kind === 'STORE').map(({ nodeId }) => nodeId);

export type ChannelOrder = z.input<typeof orders.operations.placeForChannel.input>;

/** Numbers of this form are kept free for examples. */
const PHONE = '+1 212-555-0100';
/** The US mail's own name for "ask for it at the counter": the data has no streets. */
const LINE_1 = 'General Delivery';

export class Scenario {
  readonly #demand = new Map<string, number>();

  constructor({ orders: all }: Superstore) {
    for (const { lines } of all) {
      for (const { sku, units } of lines) this.#demand.set(sku, (this.#demand.get(sku) ?? 0) + units);
    }
  }

  /** Units of a SKU by node when the replay starts; however many orders are replayed, it is the same. */
  openingStock(sku: string): Map<string, number> {
    const ordered = this.#demand.get(sku) ?? 0;
    const share = (percent: number): number => Math.max(1, Math.ceil((ordered * percent) / 100));
    const first = drawn(`${sku} centre`, CENTRE_IDS.length);
    if (isDrawn(`${sku} scarce`, SCARCE_PERCENT)) return new Map([[CENTRE_IDS[first]!, share(SCARCE_SUPPLY_PERCENT)]]);
    const second = (first + 1 + drawn(`${sku} second centre`, CENTRE_IDS.length - 1)) % CENTRE_IDS.length;
    const stores = STORE_IDS.filter((nodeId) => isDrawn(`${sku} at ${nodeId}`, STORE_RANGE_PERCENT));
    return new Map([
      ...[first, second].map((at) => [CENTRE_IDS[at]!, share(SUPPLY_PERCENT)] as const),
      ...stores.map((nodeId) => [nodeId, 5 + drawn(`${sku} units at ${nodeId}`, 10)] as const),
    ]);
  }

  #carriesAll(nodeId: string, { lines }: SuperstoreOrder): boolean {
    return lines.every(({ sku, units }) => (this.openingStock(sku).get(nodeId) ?? 0) >= units);
  }

  /** Some node near enough could do it today, as far as its range goes. */
  #couldBeSameDay(order: SuperstoreOrder): boolean {
    const destination = locationOf(order.postalCode);
    return US_NODES.some(
      ({ nodeId, location }) =>
        distanceKm(location, destination) <= SAME_DAY_RADIUS_KM && this.#carriesAll(nodeId, order),
    );
  }

  /** As the channel sends it. Customers like to collect what the store of their city carries. */
  channelOrder(order: SuperstoreOrder): ChannelOrder {
    const { reference, buyer, city, state, postalCode, lines } = order;
    const base = { reference, buyer: { reference: buyer }, currency: 'USD', lines };
    const shipTo = {
      recipient: `Customer ${buyer}`,
      phone: PHONE,
      ...{ line1: LINE_1, city, region: state, postalCode },
      country: 'US',
      location: locationOf(postalCode),
    };
    if (order.shipMode === 'Same Day' && this.#couldBeSameDay(order)) {
      return { ...base, delivery: { choice: 'SAME_DAY', shipTo } };
    }
    const nodeId = storeIn(city, state);
    if (nodeId !== undefined && isDrawn(`${reference} collected`, PICKUP_PERCENT) && this.#carriesAll(nodeId, order)) {
      return { ...base, delivery: { choice: 'PICKUP', nodeId } };
    }
    return { ...base, delivery: { choice: 'HOME_DELIVERY', shipTo } };
  }

  /** A node refuses a few orders in a hundred. */
  refuses(nodeId: string, reference: string): boolean {
    return isDrawn(`${reference} refused by ${nodeId}`, REJECT_PERCENT);
  }
}

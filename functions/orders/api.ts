import type * as z from 'zod';
import { type Change, change } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { lookUp } from '../../shared/lookup.ts';
import type { Money } from '../../shared/money.ts';
import type { Cause } from '../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import { plusSeconds } from '../../shared/time.ts';
import type { Delivery } from '../carts/contract.ts';
import { cartOf, checkOut } from '../carts/parts.ts';
import { type SellableVariant, sellable, sellableLookup } from '../catalog/parts.ts';
import { type Address, addressLookup, rememberAddress, type Sealer } from '../customers/parts.ts';
import { plan } from '../fulfilment/parts.ts';
import type { SalesChannel } from '../inventory/emits.ts';
import { allocate, asRace, isHolder } from '../inventory/parts.ts';
import type orders from './contract.ts';
import { type Order, PAY_WITHIN_SECONDS } from './contract.ts';
import {
  asShown,
  lineTax,
  lineTotal,
  type OrderSnapshot,
  outcomeOf,
  priceLines,
  promiseOf,
  taxOf,
  totalOf,
  type UnitsOfSku,
} from './domain.ts';
import { createOrder, getOrder, orderOfReference, ordersOf, takeReference } from './store.ts';

/** A transaction takes 100 writes; cart, order, reference, address, outbox and the remembered answer take seven. */
const STOCK_WRITES_MAX = 93;

/** What is to be ordered, whoever orders it. */
interface Wish extends Pick<OrderSnapshot, 'orderId' | 'customerId' | 'choice'> {
  channelId?: string;
  reference?: string;
  lines: readonly UnitsOfSku[];
  currency?: string | undefined;
  expectedTotal?: Money | undefined;
  addressId?: string;
  address?: Address | undefined;
  pickupNodeId?: string;
  channel: SalesChannel;
  /** The buyer's hold, which the order takes over. */
  hold?: { holdId: string; holderId: string } | undefined;
}

interface Placement {
  order: OrderSnapshot;
  change: Change<'changed-meanwhile'>;
}

const skusOf = (lines: readonly UnitsOfSku[]): string[] => lines.map(({ sku }) => sku);

/** What a cart's lines are and cost now, and where they go to, as they stood at one moment. */
const boughtBy = async (
  tables: Tables,
  customerId: string,
  lines: readonly UnitsOfSku[],
  delivery: Delivery,
): Promise<{ catalog: Map<string, SellableVariant>; address?: Address | undefined }> => {
  const goods = sellableLookup(skusOf(lines));
  if (delivery.choice === 'PICKUP') {
    const [catalog] = await lookUp(tables, goods);
    return { catalog };
  }
  const [catalog, address] = await lookUp(tables, goods, addressLookup(customerId, delivery.addressId));
  return { catalog, address };
};

/** Fixes prices, chooses nodes and promises their stock: the order and every write that makes it true. */
const placement = async (
  tables: Tables,
  wish: Wish,
  catalog: ReadonlyMap<string, SellableVariant>,
  cause: Cause,
): Promise<Result<Placement, 'not-sellable' | 'price-changed' | 'sold-out' | 'not-deliverable'>> => {
  const { lines: wanted, currency, expectedTotal, address, channel, hold, ...who } = wish;
  const priced = priceLines(wanted, catalog, currency);
  if (!priced.ok) return priced;
  const lines = priced.value;
  const total = totalOf(lines);
  const shown = asShown(total, expectedTotal);
  if (!shown.ok) return shown;
  const planned = await plan(tables, {
    lines: lines.map(({ sku, units, storage }) => ({ sku, units, storage, category: catalog.get(sku)?.category })),
    choice: wish.choice,
    destination: address?.location,
    pickupNodeId: wish.pickupNodeId,
    now: cause.now,
    channel,
    hold,
  });
  if (!planned.ok) return planned;
  const fulfilments = planned.value.fulfilments.map((part, index) => ({
    fulfilmentOrderId: `${wish.orderId}-${index + 1}`,
    ...part,
  }));
  const order: OrderSnapshot = {
    ...who,
    ...{ status: 'PENDING_PAYMENT', lines, total, fulfilments, version: 1 },
    payBy: plusSeconds(cause.now, PAY_WITHIN_SECONDS),
  };
  const allocations = fulfilments.map(({ fulfilmentOrderId: allocationId, nodeId, lines: allocated }) => ({
    ...{ allocationId, nodeId, lines: allocated },
  }));
  const promised = asRace(allocate(allocations, cause, planned.value.stock));
  if (promised.parts.length > STOCK_WRITES_MAX) {
    return refuse('not-deliverable', 'the order would be split into too many parts; order less at once');
  }
  return ok({ order, change: change([createOrder(order), ...promised.parts], promised.facts) });
};

const viewOf = (order: OrderSnapshot): z.input<typeof Order> => ({
  ...order,
  lines: order.lines.map((line) => ({ ...line, total: lineTotal(line), tax: lineTax(line) })),
  tax: taxOf(order.lines),
  promise: promiseOf(order),
  fulfilments: order.fulfilments.map((part) => ({ ...part, outcome: outcomeOf(part, order.fulfilments) })),
});

const heldBy = (holderId: string, holdId: string | undefined) =>
  holdId === undefined ? undefined : { holdId, holderId };

const noSuchHold = (holdId: string) => refuse('not-found', `you have no hold ${holdId}`, '/holdId');

const noSuchOrder = (orderId: string) => refuse('not-found', `you have no order ${orderId}`);

export const handlers = ({ tables, newId }: Runtime, sealer: Sealer): OperationHandlers<typeof orders> => ({
  place: async ({ cartId, expectedTotal, channel, holdId }, { principal, cause }) => {
    const cart = await cartOf(tables, principal.id);
    if (cart?.cartId !== cartId) {
      return refuse('not-found', `${cartId} is not your cart, or it was ordered already; see your orders`, '/cartId');
    }
    const { lines, delivery } = cart;
    if (lines.length === 0) return refuse('cart-empty', 'put something into the cart first');
    if (delivery === undefined) return refuse('delivery-not-chosen', 'say how and where you want to get it');
    const { choice } = delivery;
    if (holdId !== undefined && !(await isHolder(tables, principal.id, holdId))) return noSuchHold(holdId);
    const hold = heldBy(principal.id, holdId ?? cart.holdId);
    const customerId = principal.id;
    const wish: Wish = { orderId: newId('order'), customerId, choice, lines, expectedTotal, channel, hold };
    const { catalog, address } = await boughtBy(tables, customerId, lines, delivery);
    if (delivery.choice === 'PICKUP') wish.pickupNodeId = delivery.nodeId;
    else {
      wish.addressId = delivery.addressId;
      wish.address = address;
      if (address === undefined) return refuse('delivery-not-chosen', 'the address is gone; choose another');
    }
    const placed = await placement(tables, wish, catalog, cause);
    if (!placed.ok) return placed;
    return reply(viewOf(placed.value.order), checkOut(cart, newId('cart')), placed.value.change);
  },

  placeForChannel: async ({ reference, buyer, delivery, holdId, ...wanted }, { principal, cause }) => {
    const channelId = principal.id;
    const earlier = await orderOfReference(tables, channelId, reference);
    if (earlier !== undefined) return refuse('already-exists', `${reference} is order ${earlier}`, '/reference');
    const customerId = `${channelId}_${buyer.reference}`;
    const orderId = newId('order');
    if (holdId !== undefined && !(await isHolder(tables, channelId, holdId))) return noSuchHold(holdId);
    const hold = heldBy(channelId, holdId);
    const wish: Wish = { ...wanted, hold, orderId, customerId, channelId, reference, choice: delivery.choice };
    if (delivery.choice === 'PICKUP') wish.pickupNodeId = delivery.nodeId;
    else {
      wish.addressId = newId('address');
      wish.address = delivery.shipTo;
    }
    const placed = await placement(tables, wish, await sellable(tables, skusOf(wanted.lines)), cause);
    if (!placed.ok) return placed;
    const { addressId, address } = wish;
    const kept =
      addressId === undefined || address === undefined
        ? change([])
        : await rememberAddress(tables, sealer, customerId, addressId, address);
    const taken = change([takeReference(channelId, reference, orderId)]);
    return reply(viewOf(placed.value.order), taken, kept, placed.value.change);
  },

  order: async ({ orderId }, { principal }) => {
    const order = await getOrder(tables, orderId);
    const isOwn = order !== undefined && (order.customerId === principal.id || order.channelId === principal.id);
    return isOwn ? reply(viewOf(order)) : noSuchOrder(orderId);
  },

  orders: async ({ limit, cursor }, { principal }) => {
    const { items, ...rest } = await ordersOf(tables, principal.id, { limit, cursor });
    return reply({ items: items.map(viewOf), ...rest });
  },

  anyOrder: async ({ orderId }) => {
    const order = await getOrder(tables, orderId);
    if (order === undefined) return refuse('not-found', `there is no order ${orderId}`);
    const { customerId, channelId, reference, placedAt, version } = order;
    return reply({ ...viewOf(order), customerId, channelId, reference, placedAt, version });
  },
});

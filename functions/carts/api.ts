import { change } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { lookUp } from '../../shared/lookup.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import { type SellableVariant, sellable, sellableLately } from '../catalog/parts.ts';
import { addressOf, hasAddressLookup } from '../customers/parts.ts';
import { options, plan } from '../fulfilment/parts.ts';
import { asRace, fits, HOLD_LINES_MAX, reserve } from '../inventory/parts.ts';
import { nodeLookup } from '../network/parts.ts';
import type carts from './contract.ts';
import type { Delivery, PricedCart } from './contract.ts';
import {
  type Cart,
  chooseDelivery,
  deliveryOf,
  NO_CART,
  opened,
  priced,
  removeLine,
  setLine,
  withHold,
} from './domain.ts';
import { cartLookup, cartOf, cartPart } from './store.ts';

/**
 * The customer's cart, if they can have it that way: things are sent to addresses of their own only, and collected
 * where somebody hands them over.
 */
const cartFor = async (
  tables: Tables,
  customerId: string,
  delivery: Delivery,
): Promise<Result<Cart | undefined, 'not-found' | 'not-deliverable'>> => {
  const ofCustomer = cartLookup(customerId);
  if (delivery.choice !== 'PICKUP') {
    const [cart, isTheirs] = await lookUp(tables, ofCustomer, hasAddressLookup(customerId, delivery.addressId));
    return isTheirs ? ok(cart) : refuse('not-found', 'you have no such address', '/addressId');
  }
  const [cart, node] = await lookUp(tables, ofCustomer, nodeLookup(delivery.nodeId));
  if (node === undefined) return refuse('not-found', `there is no node ${delivery.nodeId}`, '/nodeId');
  return node.status === 'OPEN' && node.abilities.includes('PICKUP')
    ? ok(cart)
    : refuse('not-deliverable', `nothing can be collected at ${delivery.nodeId}`, '/nodeId');
};

const skusOf = ({ lines }: Pick<Cart, 'lines'>): string[] => lines.map(({ sku }) => sku);

/** What sourcing has to know of the lines. */
const toSource = ({ lines }: Cart, variants: ReadonlyMap<string, SellableVariant>) =>
  lines.map(({ sku, units }) => {
    const { storage, category } = variants.get(sku)!;
    return { sku, units, storage, category };
  });

/** Keeps what is in the cart at the nodes that would supply it now, in place of what was kept before. */
const holdHandler =
  (
    { tables, newId }: Runtime,
    priceAt: (now: Instant, cart: Cart) => Promise<PricedCart>,
  ): OperationHandlers<typeof carts>['hold'] =>
  async ({ holdSeconds, channel }, { principal, cause, now }) => {
    const cart = await cartOf(tables, principal.id);
    if (cart === undefined || cart.lines.length === 0) return refuse('cart-empty', 'put something into it first');
    const { delivery } = cart;
    if (delivery === undefined) return refuse('delivery-not-chosen', 'say how and where you want to get it');
    const variants = await sellable(tables, skusOf(cart));
    const gone = cart.lines.find(({ sku }) => !variants.has(sku));
    if (gone !== undefined) return refuse('not-sellable', `${gone.sku} is no longer on sale; take it out`);
    const isPickup = delivery.choice === 'PICKUP';
    const address = isPickup ? undefined : await addressOf(tables, principal.id, delivery.addressId);
    const planned = await plan(tables, {
      ...{ now, channel, lines: toSource(cart, variants), choice: delivery.choice, destination: address?.location },
      ...(isPickup ? { pickupNodeId: delivery.nodeId } : {}),
      ...(cart.holdId === undefined ? {} : { hold: { holdId: cart.holdId, holderId: principal.id } }),
    });
    if (!planned.ok) return planned;
    const { fulfilments, stock } = planned.value;
    const lines = fulfilments.flatMap(({ nodeId, lines: held }) => held.map((line) => ({ ...line, nodeId })));
    if (lines.length > HOLD_LINES_MAX) return refuse('wrong-state', `a hold keeps ${HOLD_LINES_MAX} lines at most`);
    const wanted = { holdId: newId('hold'), holderId: principal.id, purpose: 'CART' as const, lines, holdSeconds };
    const { hold, change: kept } = reserve(wanted, cause, stock);
    const fitting = fits(kept);
    if (!fitting.ok) return fitting;
    const after = withHold(cart, hold.holdId);
    return reply(
      { cart: await priceAt(now, after), heldUntil: hold.heldUntil },
      change([cartPart(after, cart)]),
      asRace(kept),
    );
  };

export const handlers = (runtime: Runtime): OperationHandlers<typeof carts> => {
  const { tables, newId } = runtime;

  // What a cart shows binds nobody: an order is priced by a read of its own, and checked against what was shown.
  const priceAt = async (now: Instant, cart = NO_CART) => priced(cart, await sellableLately(tables, skusOf(cart), now));

  const answer = async (now: Instant, cart: Cart, read: Cart | undefined) =>
    reply(await priceAt(now, cart), change([cartPart(cart, read)]));

  return {
    current: async (_, { principal, now }) => reply(await priceAt(now, await cartOf(tables, principal.id))),

    setLine: async (line, { principal, now }) => {
      const read = await cartOf(tables, principal.id);
      const set = setLine(opened(read, principal.id, newId('cart')), line);
      if (!set.ok) return set;
      const view = await priceAt(now, set.value);
      return view.lines.some(({ sku, sellable }) => sku === line.sku && sellable)
        ? reply(view, change([cartPart(set.value, read)]))
        : refuse('not-sellable', `${line.sku} is not on sale, or not in the currency of this cart`, '/sku');
    },

    removeLine: async ({ sku }, { principal, now }) => {
      const read = await cartOf(tables, principal.id);
      const isThere = read?.lines.some((line) => line.sku === sku) ?? false;
      return read !== undefined && isThere ? answer(now, removeLine(read, sku), read) : reply(await priceAt(now, read));
    },

    chooseDelivery: async (wanted, { principal, now }) => {
      const delivery = deliveryOf(wanted);
      if (!delivery.ok) return delivery;
      const found = await cartFor(tables, principal.id, delivery.value);
      if (!found.ok) return found;
      const cart = opened(found.value, principal.id, newId('cart'));
      return answer(now, chooseDelivery(cart, delivery.value), found.value);
    },

    hold: holdHandler(runtime, priceAt),

    deliveryOptions: async ({ addressId, channel }, { principal, now }) => {
      const cart = await cartOf(tables, principal.id);
      if (cart === undefined || cart.lines.length === 0) return refuse('cart-empty', 'put something into it first');
      const address = addressId === undefined ? undefined : await addressOf(tables, principal.id, addressId);
      if (addressId !== undefined && address === undefined) {
        return refuse('not-found', 'you have no such address', '/addressId');
      }
      const variants = await sellableLately(tables, skusOf(cart), now);
      const gone = cart.lines.find(({ sku }) => !variants.has(sku));
      if (gone !== undefined) return refuse('not-sellable', `${gone.sku} is no longer on sale; take it out`);
      return reply({
        items: await options(tables, { lines: toSource(cart, variants), destination: address?.location, now, channel }),
      });
    },
  };
};

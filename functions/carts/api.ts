import { change } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import { sellable } from '../catalog/parts.ts';
import { addressOf } from '../customers/parts.ts';
import { options } from '../fulfilment/parts.ts';
import { nodeOf } from '../network/parts.ts';
import type carts from './contract.ts';
import type { Delivery } from './contract.ts';
import { type Cart, chooseDelivery, deliveryOf, NO_CART, opened, priced, removeLine, setLine } from './domain.ts';
import { cartOf, cartPart } from './store.ts';

/** A customer can only send things to addresses of their own, and collect where somebody hands them over. */
const reachable = async (
  tables: Tables,
  customerId: string,
  delivery: Delivery,
): Promise<Result<Delivery, 'not-found' | 'not-deliverable'>> => {
  if (delivery.choice !== 'PICKUP') {
    const address = await addressOf(tables, customerId, delivery.addressId);
    return address === undefined ? refuse('not-found', 'you have no such address', '/addressId') : ok(delivery);
  }
  const node = await nodeOf(tables, delivery.nodeId);
  if (node === undefined) return refuse('not-found', `there is no node ${delivery.nodeId}`, '/nodeId');
  return node.status === 'OPEN' && node.abilities.includes('PICKUP')
    ? ok(delivery)
    : refuse('not-deliverable', `nothing can be collected at ${delivery.nodeId}`, '/nodeId');
};

export const handlers = ({ tables, newId }: Runtime): OperationHandlers<typeof carts> => {
  const variantsIn = ({ lines }: Pick<Cart, 'lines'>) =>
    sellable(
      tables,
      lines.map(({ sku }) => sku),
    );

  const priceNow = async (cart = NO_CART) => priced(cart, await variantsIn(cart));

  const answer = async (cart: Cart, read: Cart | undefined) =>
    reply(await priceNow(cart), change([cartPart(cart, read)]));

  return {
    current: async (_, { principal }) => reply(await priceNow(await cartOf(tables, principal.id))),

    setLine: async (line, { principal }) => {
      const read = await cartOf(tables, principal.id);
      const set = setLine(opened(read, principal.id, newId('cart')), line);
      if (!set.ok) return set;
      const view = await priceNow(set.value);
      return view.lines.some(({ sku, sellable }) => sku === line.sku && sellable)
        ? reply(view, change([cartPart(set.value, read)]))
        : refuse('not-sellable', `${line.sku} is not on sale, or not in the currency of this cart`, '/sku');
    },

    removeLine: async ({ sku }, { principal }) => {
      const read = await cartOf(tables, principal.id);
      const isThere = read?.lines.some((line) => line.sku === sku) ?? false;
      return read !== undefined && isThere ? answer(removeLine(read, sku), read) : reply(await priceNow(read));
    },

    chooseDelivery: async (wanted, { principal }) => {
      const delivery = deliveryOf(wanted);
      if (!delivery.ok) return delivery;
      const reached = await reachable(tables, principal.id, delivery.value);
      if (!reached.ok) return reached;
      const read = await cartOf(tables, principal.id);
      return answer(chooseDelivery(opened(read, principal.id, newId('cart')), reached.value), read);
    },

    deliveryOptions: async ({ addressId }, { principal, now }) => {
      const cart = await cartOf(tables, principal.id);
      if (cart === undefined || cart.lines.length === 0) return refuse('cart-empty', 'put something into it first');
      const address = addressId === undefined ? undefined : await addressOf(tables, principal.id, addressId);
      if (addressId !== undefined && address === undefined) {
        return refuse('not-found', 'you have no such address', '/addressId');
      }
      const variants = await variantsIn(cart);
      const gone = cart.lines.find(({ sku }) => !variants.has(sku));
      if (gone !== undefined) return refuse('not-sellable', `${gone.sku} is no longer on sale; take it out`);
      const lines = cart.lines.map((line) => ({ ...line, storage: variants.get(line.sku)!.storage }));
      return reply({ items: await options(tables, { lines, destination: address?.location, now }) });
    },
  };
};

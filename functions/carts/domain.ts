import { type Money, sum, taxIncluded, times } from '../../shared/money.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import { type Delivery, LINES_MAX, type PricedCart } from './contract.ts';

export interface CartLine {
  sku: string;
  units: number;
}

/** What is kept of a cart: no names and no prices, which the catalog knows. */
export interface Cart {
  customerId: string;
  cartId: string;
  /** One line a SKU, in the order in which they were put in. */
  lines: readonly CartLine[];
  delivery?: Delivery | undefined;
  /** Units that inventory keeps for this cart. */
  holdId?: string | undefined;
  version: number;
}

/** The customer's cart, or the one that opens with the first thing put into it. */
export const opened = (cart: Cart | undefined, customerId: string, cartId: string): Cart =>
  cart ?? { customerId, cartId, lines: [], version: 0 };

const changed = (cart: Cart, to: Partial<Pick<Cart, 'lines' | 'delivery' | 'holdId'>>): Cart => ({
  ...cart,
  ...to,
  version: cart.version + 1,
});

export const setLine = (cart: Cart, line: CartLine): Result<Cart, 'invalid-input'> => {
  const isThere = cart.lines.some(({ sku }) => sku === line.sku);
  if (isThere) return ok(changed(cart, { lines: cart.lines.map((old) => (old.sku === line.sku ? line : old)) }));
  if (cart.lines.length >= LINES_MAX) return refuse('invalid-input', `a cart holds ${LINES_MAX} lines`, '/sku');
  return ok(changed(cart, { lines: [...cart.lines, line] }));
};

export const removeLine = (cart: Cart, sku: string): Cart =>
  changed(cart, { lines: cart.lines.filter((line) => line.sku !== sku) });

/** The customer's next cart, when this one has become an order. */
export const emptied = ({ customerId, version }: Cart, cartId: string): Cart => ({
  ...opened(undefined, customerId, cartId),
  version: version + 1,
});

export const withHold = (cart: Cart, holdId: string): Cart => changed(cart, { holdId });

export const chooseDelivery = (cart: Cart, delivery: Delivery): Cart => changed(cart, { delivery });

interface WantedDelivery {
  choice: Delivery['choice'];
  addressId?: string | undefined;
  nodeId?: string | undefined;
}

/** Pickup happens at a node, everything else at an address: one of them, and never both. */
export const deliveryOf = ({ choice, addressId, nodeId }: WantedDelivery): Result<Delivery, 'invalid-input'> => {
  const [needed, other] = choice === 'PICKUP' ? (['nodeId', 'addressId'] as const) : (['addressId', 'nodeId'] as const);
  const given = { addressId, nodeId };
  if (given[needed] === undefined) return refuse('invalid-input', `is needed for ${choice}`, `/${needed}`);
  if (given[other] !== undefined) return refuse('invalid-input', `does not belong to ${choice}`, `/${other}`);
  return ok(choice === 'PICKUP' ? { choice, nodeId: nodeId! } : { choice, addressId: addressId! });
};

/** A cart to show; without an id where there is none. */
type SeenCart = Omit<Cart, 'customerId' | 'cartId'> & { cartId?: string };
export const NO_CART: SeenCart = { lines: [], version: 0 };

/** What pricing needs to know of a SKU. */
interface Priced {
  productId: string;
  name: { ko: string; en?: string | undefined; ja?: string | undefined };
  options?: Record<string, string> | undefined;
  price: Money;
  taxRatePercent: number;
}

const totalsOf = (lines: PricedCart['lines'], currency: string | undefined): Pick<PricedCart, 'total' | 'tax'> => {
  if (currency === undefined) return {};
  const sold = lines.filter(({ sellable }) => sellable);
  return {
    total: sum(
      sold.map(({ total }) => total!),
      currency,
    ),
    tax: sum(
      sold.map(({ tax }) => tax!),
      currency,
    ),
  };
};

/**
 * The cart at the prices of now, VAT included; tax is rounded by line. What is not on sale, or not in the currency of
 * the first line that is, stays visible and counts for nothing.
 */
export const priced = (
  { cartId, lines, delivery, holdId, version }: SeenCart,
  variants: ReadonlyMap<string, Priced>,
): PricedCart => {
  const currency = lines.map(({ sku }) => variants.get(sku)?.price.currency).find((known) => known !== undefined);
  const views = lines.map(({ sku, units }): PricedCart['lines'][number] => {
    const variant = variants.get(sku);
    if (variant === undefined || variant.price.currency !== currency) return { sku, units, sellable: false };
    const { productId, name, options, price: unitPrice, taxRatePercent } = variant;
    const total = times(unitPrice, units);
    const tax = taxIncluded(total, taxRatePercent);
    return { sku, units, sellable: true, productId, name, options, unitPrice, total, tax };
  });
  const units = lines.reduce((all, line) => all + line.units, 0);
  return { cartId, lines: views, units, ...totalsOf(views, currency), delivery, holdId, version };
};

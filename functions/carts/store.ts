import { changedMeanwhile, put, remove } from '../../shared/change.ts';
import type { Lookup } from '../../shared/lookup.ts';
import type { Guard, Key, Part, Tables } from '../../shared/table.ts';
import type { Cart } from './domain.ts';

const TABLE = 'carts';

const cartKey = (customerId: string): Key => ({ pk: `CUSTOMER#${customerId}`, sk: 'CART' });

export const cartLookup = (customerId: string): Lookup<Cart | undefined> => ({
  reads: [{ table: TABLE, key: cartKey(customerId) }],
  of: ([item]) => item as Cart | undefined,
});

export const cartOf = (tables: Tables, customerId: string): Promise<Cart | undefined> =>
  tables.get(TABLE, cartKey(customerId));

/**
 * The very cart that was read. Its version alone would not do: after checkout the customer's next cart stands at the
 * same key and counts from one again.
 */
const unchanged = ({ cartId, version }: Cart): Guard[] => [
  { guard: 'one-of', attribute: 'cartId', values: [cartId] },
  { guard: 'version', version },
];

/** Writes the cart in place of the one that was read, or as the first. */
export const cartPart = (cart: Cart, read: Cart | undefined): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...cartKey(cart.customerId), ...cart },
    read === undefined ? [{ guard: 'absent' }] : unchanged(read),
    changedMeanwhile('the cart'),
  );

export const removalPart = (cart: Cart): Part<'changed-meanwhile'> =>
  remove(TABLE, cartKey(cart.customerId), unchanged(cart), changedMeanwhile('the cart'));

import { changedMeanwhile, put } from '../../shared/change.ts';
import type { Lookup } from '../../shared/lookup.ts';
import type { Key, Part, Tables } from '../../shared/table.ts';
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
 * Writes the cart in place of the one that was read, or as the customer's first. A cart is never taken away: one that
 * was ordered makes room for an empty one, which counts on. So an attempt that arrives late finds another version.
 */
export const cartPart = (cart: Cart, read: Cart | undefined): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...cartKey(cart.customerId), ...cart },
    [read === undefined ? { guard: 'once' } : { guard: 'version', version: read.version }],
    changedMeanwhile('the cart'),
  );

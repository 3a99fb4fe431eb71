import { type Change, change } from '../../shared/change.ts';
import { type Cart, emptied } from './domain.ts';
import { cartPart } from './store.ts';

export type { Cart } from './domain.ts';
export { cartOf } from './store.ts';

/** Puts an empty cart, `nextCartId`, in the place of exactly the one that was read: one cart becomes one order. One write. */
export const checkOut = (cart: Cart, nextCartId: string): Change<'changed-meanwhile'> =>
  change([cartPart(emptied(cart, nextCartId), cart)]);

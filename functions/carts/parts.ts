import { type Change, change } from '../../shared/change.ts';
import type { Cart } from './domain.ts';
import { removalPart } from './store.ts';

export type { Cart } from './domain.ts';
export { cartOf } from './store.ts';

/** Takes the cart away, exactly as it was read: one cart becomes one order. One write. */
export const checkOut = (cart: Cart): Change<'changed-meanwhile'> => change([removalPart(cart)]);

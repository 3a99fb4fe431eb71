import type { Change } from '../../shared/change.ts';
import type { Tables } from '../../shared/table.ts';
import type { Sealer } from './sealing.ts';
import { type Address, openCustomer, saveAddress } from './store.ts';

export { type Sealer, sealerFrom } from './sealing.ts';
export { type Address, addressLookup, addressOf, hasAddressLookup } from './store.ts';

/**
 * Keeps an address that came with something else, e.g. a channel's order, in that thing's own transaction. Opens the
 * customer where there is none. Writes: PutItem twice, or PutItem and ConditionCheckItem; reads: GetItem.
 */
export const rememberAddress = async (
  tables: Tables,
  sealer: Sealer,
  customerId: string,
  addressId: string,
  address: Address,
): Promise<Change<'changed-meanwhile'>> =>
  saveAddress(sealer, await openCustomer(tables, sealer, customerId), addressId, address);

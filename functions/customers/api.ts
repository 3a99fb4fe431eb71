import { type OperationHandlers, reply } from '../../shared/http.ts';
import { refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type customers from './contract.ts';
import type { Sealer } from './sealing.ts';
import { addressesOf, customerState, destroyKey, openCustomer, profileOf, saveAddress, saveProfile } from './store.ts';

export const handlers = ({ tables, newId }: Runtime, sealer: Sealer): OperationHandlers<typeof customers> => ({
  profile: async (_input, { principal }) => {
    const profile = await profileOf(tables, principal.id);
    return profile === undefined
      ? refuse('not-found', 'you have no profile yet')
      : reply({ customerId: principal.id, ...profile });
  },

  saveProfile: async (profile, { principal }) => {
    const customer = await openCustomer(tables, sealer, principal.id);
    return reply({ customerId: principal.id, version: customer.version + 1 }, saveProfile(sealer, customer, profile));
  },

  addAddress: async (address, { principal }) => {
    const customer = await openCustomer(tables, sealer, principal.id);
    const addressId = newId('address');
    return reply({ addressId }, saveAddress(sealer, customer, addressId, address));
  },

  addresses: async (page, { principal }) => reply(await addressesOf(tables, principal.id, page)),

  erase: async (_input, { principal, now }) => {
    const found = await customerState(tables, principal.id);
    if (found === undefined) return refuse('not-found', 'nothing is known of you');
    if (found.erasedAt !== undefined) return reply({ customerId: principal.id, erasedAt: found.erasedAt });
    return reply({ customerId: principal.id, erasedAt: now }, destroyKey(principal.id, found, now));
  },
});

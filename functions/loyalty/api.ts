import { type OperationHandlers, reply } from '../../shared/http.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type loyalty from './contract.ts';
import { balanceOf, entriesOf } from './store.ts';

export const handlers = ({ tables }: Runtime): OperationHandlers<typeof loyalty> => ({
  balance: async (_input, { principal }) => reply(await balanceOf(tables, principal.id)),
  entries: async (page, { principal }) => reply(await entriesOf(tables, principal.id, page)),
});

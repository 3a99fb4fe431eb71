import { change } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type network from './contract.ts';
import { maintain } from './domain.ts';
import { nodeOf, nodePage, nodePart } from './store.ts';

export const handlers = ({ tables }: Runtime): OperationHandlers<typeof network> => ({
  maintain: async (wanted) => {
    const maintained = maintain(wanted, await nodeOf(tables, wanted.nodeId));
    return maintained.ok ? reply(maintained.value, change([nodePart(maintained.value)])) : maintained;
  },

  node: async ({ nodeId }) => {
    const node = await nodeOf(tables, nodeId);
    return node === undefined ? refuse('not-found', `there is no node ${nodeId}`) : reply(node);
  },

  nodes: async ({ limit, cursor }) => reply(await nodePage(tables, { limit, cursor })),
});

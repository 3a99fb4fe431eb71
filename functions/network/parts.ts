import type { Tables } from '../../shared/table.ts';
import type { NetworkNode } from './contract.ts';
import { allNodes } from './store.ts';

export type { NetworkNode } from './contract.ts';
export { nodeLookup, nodeOf } from './store.ts';

/** The whole network, closed nodes too, by id: one query on `network`. */
export const nodesOf = (tables: Tables): Promise<NetworkNode[]> => allNodes(tables);

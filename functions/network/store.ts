import { changedMeanwhile, put } from '../../shared/change.ts';
import type { Lookup } from '../../shared/lookup.ts';
import type { Key, Page, Part, Tables } from '../../shared/table.ts';
import type { NetworkNode } from './contract.ts';

const TABLE = 'network';

/** Nodes that one read of the whole network asks for; DynamoDB stops earlier where they exceed 1 MB. */
const READ_AT_ONCE = 1_000;
const NODES = 'NODES';

const nodeKey = (nodeId: string): Key => ({ pk: NODES, sk: `NODE#${nodeId}` });

export const nodeOf = (tables: Tables, nodeId: string): Promise<NetworkNode | undefined> =>
  tables.get(TABLE, nodeKey(nodeId));

export const nodeLookup = (nodeId: string): Lookup<NetworkNode | undefined> => ({
  reads: [{ table: TABLE, key: nodeKey(nodeId) }],
  of: ([item]) => item as NetworkNode | undefined,
});

export const nodePage = (
  tables: Tables,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<NetworkNode>> => tables.query(TABLE, { pk: NODES, startsWith: 'NODE#', ...page });

export const allNodes = async (tables: Tables): Promise<NetworkNode[]> => {
  const nodes: NetworkNode[] = [];
  let cursor: string | undefined;
  do {
    const page = await nodePage(tables, { limit: READ_AT_ONCE, cursor });
    nodes.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return nodes;
};

export const nodePart = (node: NetworkNode): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...nodeKey(node.nodeId), ...node },
    [node.version === 1 ? { guard: 'absent' } : { guard: 'version', version: node.version - 1 }],
    changedMeanwhile(`node ${node.nodeId}`),
  );

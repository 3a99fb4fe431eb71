import type { Tables } from '../../shared/table.ts';
import { known } from '../catalog/parts.ts';
import { nodesOf } from '../network/parts.ts';
import type { Known } from './domain.ts';

/**
 * SKUs that the catalog was once seen to know. It never forgets one, so that a file with every SKU at every node asks
 * for each SKU once and not once a row. Forgotten as a whole when it grows: 20,000 SKUs are some 2 MB.
 */
const SKUS_KEPT = 20_000;
const seen = new WeakMap<Tables, Set<string>>();

/** Which of these SKUs the catalog knows, and all nodes. Asked for once a chunk. */
export const knownOf = async (tables: Tables, skus: Iterable<string>): Promise<Known> => {
  const wanted = new Set(skus);
  const before = seen.get(tables) ?? new Set<string>();
  const [nodes, found] = await Promise.all([
    nodesOf(tables),
    known(
      tables,
      [...wanted].filter((sku) => !before.has(sku)),
    ),
  ]);
  const skusKnown = new Set([...wanted].filter((sku) => before.has(sku) || found.has(sku)));
  const kept = before.size + found.size > SKUS_KEPT ? new Set<string>() : before;
  for (const sku of found.keys()) kept.add(sku);
  seen.set(tables, kept);
  return { skus: skusKnown, nodeIds: new Set(nodes.map(({ nodeId }) => nodeId)) };
};

import { InvalidCursor } from '../../shared/cursor.ts';
import { NodeId } from '../../shared/input.ts';
import type { Tables } from '../../shared/table.ts';
import { known } from '../catalog/parts.ts';
import { heldAt } from '../inventory/parts.ts';
import { nodesOf } from '../network/parts.ts';
import type { ExportRow } from './text/write.ts';

/** Nodes that one page looks at: a page of a chain with many empty nodes may be short, and goes on. */
const NODES_A_PAGE = 25;

/** Where an export goes on: at which node, and after which of its SKUs. */
interface Place {
  nodeId: string;
  after?: string | undefined;
}

const encode = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

const decode = (cursor: string): Place => {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {}
  const { nodeId, after } = Object(decoded) as Partial<Record<keyof Place, unknown>>;
  const node = NodeId.safeParse(nodeId);
  if (!node.success || (after !== undefined && typeof after !== 'string')) throw new InvalidCursor();
  return { nodeId: node.data, after };
};

const named = async (tables: Tables, levels: Awaited<ReturnType<typeof heldAt>>['items']): Promise<ExportRow[]> => {
  const variants = await known(
    tables,
    levels.map(({ sku }) => sku),
  );
  return levels.map(({ sku, nodeId, onHand, available }) => ({
    ...{ sku, nodeId, onHand, available, name: variants.get(sku)?.name.ko ?? '' },
  }));
};

/** Nodes from the one on at which the export goes on. */
const nodesFrom = async (tables: Tables, nodeId: string | undefined, start: Place | undefined): Promise<string[]> => {
  if (nodeId !== undefined) {
    if (start !== undefined && start.nodeId !== nodeId) throw new InvalidCursor();
    return [nodeId];
  }
  const nodeIds = (await nodesOf(tables)).map((node) => node.nodeId);
  return start === undefined ? nodeIds : nodeIds.filter((id) => id >= start.nodeId);
};

/** One page of what nodes hold, node by node and SKU by SKU. */
export const exportPage = async (
  tables: Tables,
  { nodeId, limit, cursor }: { nodeId: string | undefined; limit: number; cursor: string | undefined },
): Promise<{ rows: ExportRow[]; cursor?: string }> => {
  const start = cursor === undefined ? undefined : decode(cursor);
  const nodeIds = await nodesFrom(tables, nodeId, start);
  const rows: ExportRow[] = [];
  for (const [at, id] of nodeIds.entries()) {
    if (at >= NODES_A_PAGE || rows.length >= limit) return { rows, cursor: encode({ nodeId: id }) };
    let after = id === start?.nodeId ? start.after : undefined;
    do {
      const page = await heldAt(tables, id, { limit: limit - rows.length, cursor: after });
      rows.push(...(await named(tables, page.items)));
      after = page.cursor;
    } while (after !== undefined && rows.length < limit);
    if (after !== undefined) return { rows, cursor: encode({ nodeId: id, after }) };
  }
  return { rows };
};

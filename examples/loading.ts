import { createHash } from 'node:crypto';
import type { NewProduct } from '../functions/catalog/contract.ts';
import catalog from '../functions/catalog/contract.ts';
import inventory from '../functions/inventory/contract.ts';
import type { StockLine } from '../functions/inventory/emits.ts';
import network, { type NewNode } from '../functions/network/contract.ts';
import type { Client } from '../shared/client.ts';

/** Loading a chain over the API so that doing it twice changes nothing: what is there as wanted is left alone. */

/** Calls under way at a time. */
const CONCURRENCY = 8;
/** Lines that the API takes in one receipt. */
const RECEIPT_LINES_MAX = 40;
const PAGE = 100;

/** Runs `work` for every item, so many at a time; the first failure ends it. */
export const inParallel = async <T>(
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
  concurrency = CONCURRENCY,
): Promise<void> => {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
};

/** A key that the same command always gets. */
export const keyOf = (...command: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(command)).digest('base64url');

/** Every item of a paged list. */
export async function* everyPage<T>(
  read: (page: { limit: number; cursor?: string }) => Promise<{ items: T[]; cursor?: string | undefined }>,
): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const page = await read({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** True where everything that is wanted is there: fields that are not asked for do not matter. */
const isAsWanted = (wanted: unknown, there: unknown): boolean => {
  if (typeof wanted !== 'object' || wanted === null) return wanted === there;
  if (typeof there !== 'object' || there === null) return false;
  if (Array.isArray(wanted) && wanted.length !== (there as unknown[]).length) return false;
  return Object.entries(wanted).every(([name, value]) => isAsWanted(value, (there as Record<string, unknown>)[name]));
};

/** Nodes that are missing or other than wanted, and which of them were never there. */
export const nodesToLoad = async (
  anyone: Client,
  wanted: readonly NewNode[],
): Promise<{ nodes: NewNode[]; newNodeIds: Set<string> }> => {
  const there = new Map<string, unknown>();
  for await (const node of everyPage((page) => anyone(network.operations.nodes, page))) there.set(node.nodeId, node);
  const nodes = wanted.filter((node) => !isAsWanted(node, there.get(node.nodeId)));
  return { nodes, newNodeIds: new Set(nodes.map(({ nodeId }) => nodeId).filter((nodeId) => !there.has(nodeId))) };
};

const summaryOf = ({ productId, name, category, storage, variants }: NewProduct) => ({
  ...{ productId, name, category, storage },
  priceFrom: variants
    .map(({ price }) => price)
    .reduce((low, next) => (next.amountMinor < low.amountMinor ? next : low)),
  skus: variants.map(({ sku }) => sku),
});

/** Products that are not listed, or otherwise than wanted. */
export const productsToLoad = async (anyone: Client, wanted: readonly NewProduct[]): Promise<NewProduct[]> => {
  const there = new Map<string, unknown>();
  for await (const product of everyPage((page) => anyone(catalog.operations.products, page))) {
    there.set(product.productId, product);
  }
  return wanted.filter((product) => !isAsWanted(summaryOf(product), there.get(product.productId)));
};

export const loadNodes = (headOffice: Client, nodes: readonly NewNode[]): Promise<void> =>
  inParallel(nodes, (node) => headOffice(network.operations.maintain, node));

export const loadProducts = (headOffice: Client, products: readonly NewProduct[]): Promise<void> =>
  inParallel(products, (product) => headOffice(catalog.operations.publish, product));

/** Nodes that ever held a SKU, by SKU. */
const knownLevels = async (headOffice: Client, skus: Iterable<string>): Promise<Map<string, Set<string>>> => {
  const known = new Map<string, Set<string>>();
  await inParallel(new Set(skus), async (sku) => {
    const { items } = await headOffice(inventory.operations.levels, { sku });
    known.set(sku, new Set(items.map(({ nodeId }) => nodeId)));
  });
  return known;
};

/**
 * Books opening stock where a SKU was never seen at a node. What was sold since is not replaced, however often this
 * runs; and the key of each receipt keeps two runs at once from booking it twice. New nodes hold nothing yet, and so
 * are not asked.
 */
export const loadOpeningStock = async (
  headOffice: Client,
  stock: readonly { nodeId: string; lines: readonly StockLine[] }[],
  newNodeIds: ReadonlySet<string>,
): Promise<void> => {
  const known = await knownLevels(
    headOffice,
    stock.filter(({ nodeId }) => !newNodeIds.has(nodeId)).flatMap(({ lines }) => lines.map(({ sku }) => sku)),
  );
  const receipts = stock.flatMap(({ nodeId, lines }) => {
    const unseen = lines.filter(({ sku }) => known.get(sku)?.has(nodeId) !== true);
    return Array.from({ length: Math.ceil(unseen.length / RECEIPT_LINES_MAX) }, (_, at) => ({
      nodeId,
      lines: unseen.slice(at * RECEIPT_LINES_MAX, (at + 1) * RECEIPT_LINES_MAX),
    }));
  });
  await inParallel(receipts, (receipt) =>
    headOffice(
      inventory.operations.receive,
      { ...receipt, reference: 'opening stock' },
      { idempotencyKey: keyOf('opening stock', receipt) },
    ),
  );
};

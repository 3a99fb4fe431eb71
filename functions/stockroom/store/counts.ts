import { changedMeanwhile, put } from '../../../shared/change.ts';
import type { Key, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { type Count, isOver } from '../domain/counts.ts';
import { documentPart, listedPart, TABLE, unlistedParts } from './documents.ts';

export const countKey = (countId: string): Key => ({ pk: `COUNT#${countId}`, sk: 'COUNT' });

export const countParts = (count: Count, before: Count | undefined): Part<'changed-meanwhile'>[] => {
  const { countId: id, nodeId, openedAt: at, updatedAt } = count;
  const key = countKey(id);
  const listed = { list: 'COUNTS', nodeId, at, id, key } as const;
  if (before !== undefined) {
    return [documentPart(key, count), ...(isOver(count) ? unlistedParts(listed, updatedAt) : [])];
  }
  const at0 = isOver(count) ? { ...listed, at: updatedAt } : listed;
  return [documentPart(key, count), listedPart(at0, isOver(count) ? 'CLOSED' : 'OPEN')];
};

/** The count that was the last to correct the books of a SKU at a node. */
export interface LastCount {
  countId: string;
  countedAt: Instant;
}

const lastCountKey = (nodeId: string, sku: string): Key => ({ pk: `COUNTED#${nodeId}`, sk: sku });

export const lastCountsOf = async (
  tables: Tables,
  nodeId: string,
  skus: readonly string[],
): Promise<Map<string, LastCount>> => {
  const items = await tables.snapshot(skus.map((sku) => ({ table: TABLE, key: lastCountKey(nodeId, sku) })));
  return new Map(
    items.flatMap((item, index) => (item === undefined ? [] : [[skus[index]!, item as unknown as LastCount]])),
  );
};

/** Two counts of one SKU never correct the books by the same difference: the second has to look at the first. */
export const lastCountPart = (
  nodeId: string,
  sku: string,
  last: LastCount,
  before: LastCount | undefined,
): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...lastCountKey(nodeId, sku), ...last },
    [before === undefined ? { guard: 'absent' } : { guard: 'one-of', attribute: 'countId', values: [before.countId] }],
    changedMeanwhile(`what was counted of ${sku} at ${nodeId}`),
  );

export const shortPickKey = (nodeId: string, sku: string, reference: string): Key => ({
  pk: `SHORT_PICK#${nodeId}#${sku}`,
  sk: `REPORT#${reference}`,
});

const askedKey = (nodeId: string, sku: string): Key => ({ pk: `SHORT_PICK#${nodeId}#${sku}`, sk: 'COUNT' });

/** The count that short picks of a SKU have asked for last. */
export const askedCount = (tables: Tables, nodeId: string, sku: string): Promise<{ countId: string } | undefined> =>
  tables.get(TABLE, askedKey(nodeId, sku));

export const askedPart = (
  nodeId: string,
  sku: string,
  countId: string,
  before: string | undefined,
): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...askedKey(nodeId, sku), countId },
    [before === undefined ? { guard: 'absent' } : { guard: 'one-of', attribute: 'countId', values: [before] }],
    changedMeanwhile(`the count of ${sku} at ${nodeId}`),
  );

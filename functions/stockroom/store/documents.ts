import { changedMeanwhile, put, remove } from '../../../shared/change.ts';
import type { Attributes, Key, Page, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';

export const TABLE = 'stockroom';

/** What is done in a stockroom: one item each, versioned. */
export interface Document {
  updatedAt: Instant;
  version: number;
}

type Stored<D> = D & Key;

export const documentAt = async <D>(tables: Tables, key: Key): Promise<D | undefined> => {
  const item = await tables.get<Stored<D>>(TABLE, key);
  if (item === undefined) return undefined;
  const { pk, sk, ...document } = item;
  return document as D;
};

/** The document as it is after a step, where nobody has changed it since it was read. */
export const documentPart = <D extends Document>(key: Key, document: D): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...document, ...key } as Key & Attributes,
    [document.version === 1 ? { guard: 'absent' } : { guard: 'version', version: document.version - 1 }],
    changedMeanwhile(key.pk),
  );

/** Lists of a node: what is open, by when it was opened, and what is closed, by when it was closed. */
export type List = 'ADVICES' | 'TRANSFERS-IN' | 'TRANSFERS-OUT' | 'COUNTS';
export type ListStatus = 'OPEN' | 'CLOSED';

interface Listed {
  list: List;
  nodeId: string;
  /** Sort key within its list. */
  at: Instant;
  id: string;
  key: Key;
}

const listKey = ({ list, nodeId, at, id }: Omit<Listed, 'key'>, status: ListStatus): Key => ({
  pk: `${list}#${nodeId}`,
  sk: `${status}#${at}#${id}`,
});

export const listedPart = (listed: Listed, status: ListStatus): Part<'changed-meanwhile'> =>
  put(TABLE, { ...listKey(listed, status), of: listed.key }, [], changedMeanwhile(listed.id));

/** From the open ones to the closed ones. */
export const unlistedParts = (listed: Listed, closedAt: Instant): Part<'changed-meanwhile'>[] => [
  remove(TABLE, listKey(listed, 'OPEN'), [], changedMeanwhile(listed.id)),
  listedPart({ ...listed, at: closedAt }, 'CLOSED'),
];

export const documentsOf = async <D>(
  tables: Tables,
  {
    list,
    nodeId,
    status,
    ...page
  }: { list: List; nodeId: string; status: ListStatus; limit: number; cursor?: string | undefined },
): Promise<Page<D>> => {
  const { items, ...rest } = await tables.query<Key & { of: Key }>(TABLE, {
    ...{ pk: `${list}#${nodeId}`, startsWith: `${status}#`, ...page },
  });
  const found = await tables.snapshot(items.map(({ of }) => ({ table: TABLE, key: of })));
  const documents = found.flatMap((item) => {
    if (item === undefined) return [];
    const { pk, sk, ...document } = item;
    return [document as D];
  });
  return { items: documents, ...rest };
};

/** What was done once, under a name of its own: a delivery, a report. */
export const onceAt = <D extends Attributes>(tables: Tables, key: Key): Promise<(D & Key) | undefined> =>
  tables.get(TABLE, key);

export const oncePart = (key: Key, done: Attributes): Part<'changed-meanwhile'> =>
  put(TABLE, { ...key, ...done }, [{ guard: 'once' }], changedMeanwhile(`${key.pk} ${key.sk}`));

import { changedMeanwhile, check, put, update } from '../../shared/change.ts';
import type { Attributes, Key, Page, Part, Tables } from '../../shared/table.ts';
import { epochSeconds, type Instant } from '../../shared/time.ts';
import { type FulfilmentWork, fulfilmentOrderId, isOnWorklist, methodOf, partsOfId } from './domain.ts';

const TABLE = 'fulfilment';

/** Fulfilment orders of one order. Four to begin with; every node asked again adds some. */
const OF_ORDER_MAX = 200;

/** Kept as it is shown, without what the key and the choice say already: every started KB of it costs. */
interface FulfilmentItem
  extends Key,
    Omit<FulfilmentWork, 'fulfilmentOrderId' | 'orderId' | 'method' | 'partsPlanned'> {
  /** Absent in work from before plans were counted, all of which was put on record at once. */
  partsPlanned?: number;
  /** With byNodeSk: only while the node has something to do. */
  byNodePk?: string;
  byNodeSk?: string;
}

const keyOf = (id: string): Key | undefined => {
  const parts = partsOfId(id);
  return parts === undefined ? undefined : { pk: `ORDER#${parts.orderId}`, sk: `FO#${parts.n}` };
};

const ownKey = ({ fulfilmentOrderId: id }: FulfilmentWork): Key => keyOf(id)!;

const fromItem = ({ pk, sk, byNodePk, byNodeSk, partsPlanned = 0, ...rest }: FulfilmentItem): FulfilmentWork => {
  const orderId = pk.slice('ORDER#'.length);
  const id = fulfilmentOrderId(orderId, Number(sk.slice('FO#'.length)));
  return { ...rest, partsPlanned, orderId, fulfilmentOrderId: id, method: methodOf(rest.choice) };
};

export const getFulfilmentOrder = async (tables: Tables, id: string): Promise<FulfilmentWork | undefined> => {
  const key = keyOf(id);
  const item = key && (await tables.get<FulfilmentItem>(TABLE, key));
  return item && fromItem(item);
};

/** All of one order, by number. */
export const fulfilmentOrdersOf = async (tables: Tables, orderId: string): Promise<FulfilmentWork[]> => {
  const { items } = await tables.query<FulfilmentItem>(TABLE, {
    ...{ pk: `ORDER#${orderId}`, startsWith: 'FO#', consistent: true, limit: OF_ORDER_MAX },
  });
  return items.map(fromItem).sort((a, b) => partsOfId(a.fulfilmentOrderId)!.n - partsOfId(b.fulfilmentOrderId)!.n);
};

/** What a node has to do, oldest first. The index holds keys only, so that a step of the work does not write it. */
export const worklistOf = async (
  tables: Tables,
  nodeId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<FulfilmentWork>> => {
  const { items, cursor } = await tables.query<Key>(TABLE, { index: 'byNode', pk: nodeId, ...page });
  const found = await tables.snapshot(items.map(({ pk, sk }) => ({ table: TABLE, key: { pk, sk } })));
  const work = found.filter((item) => item?.byNodePk !== undefined).map((item) => fromItem(item as never));
  return { items: work, ...(cursor === undefined ? {} : { cursor }) };
};

/** A new fulfilment order; refused where its number is taken. */
export const newPart = (order: FulfilmentWork): Part<'changed-meanwhile'> => {
  const { fulfilmentOrderId: id, orderId, method, ...rest } = order;
  const item = { ...ownKey(order), ...rest, byNodePk: order.nodeId, byNodeSk: `${order.createdAt}#${id}` };
  return put(TABLE, item, [{ guard: 'once' }], changedMeanwhile(`fulfilment order ${id}`));
};

/** A fulfilment order as it is after a change. Writes what may change, and leaves the rest alone. */
export const changedPart = (order: FulfilmentWork): Part<'changed-meanwhile'> => {
  const { status, work, lines, rejection, updatedAt, version } = order;
  const set: Attributes = {
    status,
    work,
    lines,
    updatedAt,
    version,
    ...(rejection === undefined ? {} : { rejection }),
  };
  return update(
    TABLE,
    ownKey(order),
    { set, ...(isOnWorklist(order) ? {} : { remove: ['byNodePk', 'byNodeSk'] }) },
    [{ guard: 'version', version: version - 1 }],
    changedMeanwhile(`fulfilment order ${order.fulfilmentOrderId}`),
  );
};

/** Holds while nobody has changed the fulfilment order since it was read. */
export const unchangedPart = (order: FulfilmentWork): Part<'changed-meanwhile'> =>
  check(
    TABLE,
    ownKey(order),
    [{ guard: 'version', version: order.version }],
    changedMeanwhile(`fulfilment order ${order.fulfilmentOrderId}`),
  );

/** What the workflow waits for. Each has a token of its own: a late answer may not be taken for another one. */
export type AwaitedFact = 'ANSWER' | 'DONE';

const tokenKey = (id: string, awaited: AwaitedFact): Key => {
  const { orderId, n } = partsOfId(id)!;
  return { pk: `ORDER#${orderId}`, sk: `TOKEN#${n}#${awaited}` };
};

/** Tokens that were given out for one wait, the newest first: a task that is run again gets another one each time. */
interface TokenItem extends Key {
  token: string;
  earlier?: string[];
}

/** Every token that may wait for this fact. Only one does; a late attempt at the task may have been the last to write. */
export const tokensOf = async (tables: Tables, id: string, awaited: AwaitedFact): Promise<string[]> => {
  const item = await tables.get<TokenItem>(TABLE, tokenKey(id, awaited));
  return item === undefined ? [] : [item.token, ...(item.earlier ?? [])];
};

/**
 * Keeps a task token beside the fulfilment order, not in it: a token is almost a KB long, and every later step of the
 * work would pay for writing it again. Nobody can tell which of two attempts is the one that the workflow waits for,
 * so what was kept before stays.
 */
export const tokenPart = (
  id: string,
  awaited: AwaitedFact,
  token: string,
  kept: readonly string[],
  expiresAt: Instant,
): Part<'changed-meanwhile'> => {
  const earlier = kept.filter((one) => one !== token);
  return put(
    TABLE,
    { ...tokenKey(id, awaited), token, ...(earlier.length > 0 ? { earlier } : {}), expiresAt: epochSeconds(expiresAt) },
    [kept.length === 0 ? { guard: 'once' } : { guard: 'one-of', attribute: 'token', values: [kept[0]!] }],
    changedMeanwhile(`the token of ${id}`),
  );
};

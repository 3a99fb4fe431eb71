import { put, update } from '../../shared/change.ts';
import { DUE_ATTRIBUTES, dueAt } from '../../shared/due.ts';
import type { Attributes, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { OrderStatus } from './contract.ts';
import { type OrderFulfilment, type OrderSnapshot, totalOf } from './domain.ts';

const TABLE = 'orders';

/**
 * An order as it is kept. Every started KB of it costs two write units at each change, so what the key, the lines or
 * the currency say already is not kept again.
 */
interface OrderItem extends Key {
  byCustomerPk: string;
  byCustomerSk: string;
  /** With dueSk: only while the order waits for its payment. */
  duePk?: string;
  dueSk?: string;
  channelId?: string;
  reference?: string;
  status: OrderStatus;
  choice: OrderSnapshot['choice'];
  addressId?: string;
  pickupNodeId?: string;
  currency: string;
  lines: { sku: string; units: number; unitPriceMinor: number; taxRatePercent: number; storage: 'AMBIENT' | 'COLD' }[];
  fulfilments: FulfilmentItem[];
  payBy: string;
  placedAt?: string;
  version: number;
}

interface FulfilmentItem extends Omit<OrderFulfilment, 'fulfilmentOrderId' | 'promise'> {
  /** The end of its id: `<orderId>-<n>`. */
  n: string;
  by?: string;
  text?: string;
}

export const orderKey = (orderId: string): Key => ({ pk: `ORDER#${orderId}`, sk: 'ORDER' });

export const orderIdOf = ({ pk }: Key): string => pk.slice('ORDER#'.length);

const fulfilmentItem = ({ fulfilmentOrderId, promise, ...rest }: OrderFulfilment): FulfilmentItem => ({
  n: fulfilmentOrderId.slice(fulfilmentOrderId.lastIndexOf('-') + 1),
  ...rest,
  ...promise,
});

const toSnapshot = (item: OrderItem): OrderSnapshot => {
  const { pk, sk, byCustomerPk, byCustomerSk, duePk, dueSk, currency, lines: kept, fulfilments, ...rest } = item;
  const lines = kept.map(({ unitPriceMinor, ...line }) => ({
    ...line,
    unitPrice: { amountMinor: unitPriceMinor, currency },
  }));
  return {
    ...rest,
    orderId: byCustomerSk,
    customerId: byCustomerPk,
    lines,
    total: totalOf(lines),
    fulfilments: fulfilments.map(({ n, by, text, ...fulfilment }) => ({
      fulfilmentOrderId: `${byCustomerSk}-${n}`,
      ...fulfilment,
      ...(by === undefined ? {} : { promise: { by, text: text! } }),
    })),
  };
};

const toItem = ({ orderId, customerId, lines, total, fulfilments, ...rest }: OrderSnapshot): OrderItem => ({
  ...orderKey(orderId),
  byCustomerPk: customerId,
  byCustomerSk: orderId,
  ...rest,
  currency: total.currency,
  lines: lines.map(({ unitPrice, ...line }) => ({ ...line, unitPriceMinor: unitPrice.amountMinor })),
  fulfilments: fulfilments.map(fulfilmentItem),
});

export const getOrder = async (tables: Tables, orderId: string): Promise<OrderSnapshot | undefined> => {
  const item = await tables.get<OrderItem>(TABLE, orderKey(orderId));
  return item === undefined ? undefined : toSnapshot(item);
};

/** The index holds keys only, so a change of status does not write it; the orders are read as they stand now. */
export const ordersOf = async (
  tables: Tables,
  customerId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<OrderSnapshot>> => {
  const { items: keys, ...rest } = await tables.query<Key>(TABLE, {
    index: 'byCustomer',
    pk: customerId,
    newestFirst: true,
    ...page,
  });
  const items = await tables.snapshot(keys.map(({ pk, sk }) => ({ table: TABLE, key: { pk, sk } })));
  return {
    items: items.flatMap((item) => (item === undefined ? [] : [toSnapshot(item as unknown as OrderItem)])),
    ...rest,
  };
};

/** A new order, waiting for its payment. */
export const createOrder = (order: OrderSnapshot): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    {
      ...toItem(order),
      ...dueAt(order.payBy, order.orderId),
    } satisfies OrderItem as Key & Attributes,
    [{ guard: 'once' }],
    { problem: 'changed-meanwhile', detail: `${order.orderId} exists already` },
  );

/**
 * The order leaves PENDING_PAYMENT, for good. Nothing else changes an order that waits for its payment, so its status
 * is guard enough and its version is the one that was read.
 */
export const leavePending = (
  order: OrderSnapshot,
  to: { status: 'PLACED' | 'EXPIRED'; at: string },
): Part<'wrong-state'> =>
  update(
    TABLE,
    orderKey(order.orderId),
    {
      set: { status: to.status, version: order.version + 1, ...(to.status === 'PLACED' ? { placedAt: to.at } : {}) },
      remove: DUE_ATTRIBUTES,
    },
    [{ guard: 'one-of', attribute: 'status', values: ['PENDING_PAYMENT'] }],
    { problem: 'wrong-state', detail: `${order.orderId} does not wait for a payment any more` },
  );

/** What a reaction to fulfilment found out; decided anew if somebody else wrote meanwhile. */
export const saveProgress = (
  before: OrderSnapshot,
  after: Pick<OrderSnapshot, 'status' | 'fulfilments'>,
): Part<'changed-meanwhile'> =>
  update(
    TABLE,
    orderKey(before.orderId),
    { set: { status: after.status, fulfilments: after.fulfilments.map(fulfilmentItem), version: before.version + 1 } },
    [{ guard: 'version', version: before.version }],
    { problem: 'changed-meanwhile', detail: `${before.orderId} was changed meanwhile` },
  );

/** The channel in the partition key: one busy marketplace is spread over partitions, not kept in one. */
const referenceKey = (channelId: string, reference: string): Key => ({
  pk: `CHANNEL#${channelId}#${reference}`,
  sk: 'ORDER',
});

export const orderOfReference = async (
  tables: Tables,
  channelId: string,
  reference: string,
): Promise<string | undefined> =>
  (await tables.get<{ orderId: string }>(TABLE, referenceKey(channelId, reference)))?.orderId;

/** A channel's number for an order, taken once and for ever. */
export const takeReference = (channelId: string, reference: string, orderId: string): Part<'already-exists'> =>
  put(TABLE, { ...referenceKey(channelId, reference), orderId }, [{ guard: 'once' }], {
    problem: 'already-exists',
    detail: `an order with the reference ${reference} was placed before`,
  });

import { type Money, sum, taxIncluded, times } from '../../shared/money.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { OrderStatus } from './contract.ts';
import type { Choice } from './emits.ts';

export interface UnitsOfSku {
  sku: string;
  units: number;
}

/** A line as it was bought: the price of one unit never changes again. */
export interface OrderLine extends UnitsOfSku {
  unitPrice: Money;
  taxRatePercent: number;
  storage: 'AMBIENT' | 'COLD';
}

/** What one node supplies of an order. `reason` and `promise` are empty until its allocation has been heard of. */
export interface OrderFulfilment {
  fulfilmentOrderId: string;
  nodeId: string;
  lines: UnitsOfSku[];
  reason: string;
  promise?: { by: string; text: string };
  /** The fulfilment whose node did not supply these lines. */
  replaces?: string;
  /** Absent while work is under way, and where another fulfilment replaces this one. */
  outcome?: 'FULFILLED' | 'CANCELLED';
}

export interface OrderSnapshot {
  orderId: string;
  customerId: string;
  /** The channel that placed it for its buyer; absent for our own. */
  channelId?: string;
  /** The channel's own number for it. */
  reference?: string;
  status: OrderStatus;
  choice: Choice;
  addressId?: string;
  pickupNodeId?: string;
  lines: OrderLine[];
  total: Money;
  fulfilments: OrderFulfilment[];
  payBy: string;
  /** When it was paid. */
  placedAt?: string;
  version: number;
}

/** What the catalog says of a SKU now. */
export interface Sellable {
  price: Money;
  taxRatePercent: number;
  storage: 'AMBIENT' | 'COLD';
}

/** One line a SKU, in the order in which they came: stock is promised by SKU (rule 3). */
const mergeLines = (lines: readonly UnitsOfSku[]): UnitsOfSku[] => {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return [...units].map(([sku, total]) => ({ sku, units: total }));
};

/** Gives each line the catalog's price of now. An order has one currency. */
export const priceLines = (
  wanted: readonly UnitsOfSku[],
  catalog: ReadonlyMap<string, Sellable>,
  expectedCurrency?: string,
): Result<OrderLine[], 'not-sellable'> => {
  const lines: OrderLine[] = [];
  for (const { sku, units } of mergeLines(wanted)) {
    const variant = catalog.get(sku);
    if (variant === undefined) return refuse('not-sellable', `${sku} is not on sale`);
    const currency = expectedCurrency ?? lines[0]?.unitPrice.currency ?? variant.price.currency;
    if (variant.price.currency !== currency) {
      return refuse('not-sellable', `${sku} is sold in ${variant.price.currency}, this order is in ${currency}`);
    }
    lines.push({
      sku,
      units,
      unitPrice: variant.price,
      taxRatePercent: variant.taxRatePercent,
      storage: variant.storage,
    });
  }
  return ok(lines);
};

export const lineTotal = ({ unitPrice, units }: OrderLine): Money => times(unitPrice, units);
/** The tax inside a line's total, so that a line is taxed as the invoice says, not unit by unit. */
export const lineTax = (line: OrderLine): Money => taxIncluded(lineTotal(line), line.taxRatePercent);

const currencyOf = (lines: readonly OrderLine[]): string => lines[0]!.unitPrice.currency;
export const totalOf = (lines: readonly OrderLine[]): Money => sum(lines.map(lineTotal), currencyOf(lines));
export const taxOf = (lines: readonly OrderLine[]): Money => sum(lines.map(lineTax), currencyOf(lines));

/** Nothing is charged that the customer did not see. */
export const asShown = (total: Money, expected: Money | undefined): Result<void, 'price-changed'> =>
  expected === undefined || (expected.amountMinor === total.amountMinor && expected.currency === total.currency)
    ? ok(undefined)
    : refuse(
        'price-changed',
        `the total is ${total.amountMinor} ${total.currency} now, not ${expected.amountMinor} ${expected.currency}`,
        '/expectedTotal',
      );

/** How a part ended. That another one replaces it is known from the other one, whichever is heard of first. */
export const outcomeOf = (
  { fulfilmentOrderId, outcome }: OrderFulfilment,
  all: readonly OrderFulfilment[],
): 'FULFILLED' | 'CANCELLED' | 'REPLACED' | undefined =>
  outcome ?? (all.some(({ replaces }) => replaces === fulfilmentOrderId) ? 'REPLACED' : undefined);

/** The order as a whole is there when its last part is: the latest promise of those still under way or done. */
export const promiseOf = ({
  choice,
  fulfilments,
}: Pick<OrderSnapshot, 'choice' | 'fulfilments'>): { deliverBy?: string; readyBy?: string; text: string } => {
  const promises = fulfilments
    .filter((part) => ['FULFILLED', undefined].includes(outcomeOf(part, fulfilments)))
    .flatMap(({ promise }) => (promise === undefined ? [] : [promise]));
  const last = promises.reduce<{ by: string; text: string } | undefined>(
    (latest, next) => (latest === undefined || next.by > latest.by ? next : latest),
    undefined,
  );
  if (last === undefined) return { text: '' };
  return choice === 'PICKUP' ? { readyBy: last.by, text: last.text } : { deliverBy: last.by, text: last.text };
};

/** What fulfilment says of a part of an order. It may come twice, late, and in any order. */
export interface News {
  fulfilmentOrderId: string;
  nodeId: string;
  /** Absent where nothing is said of units. */
  lines?: readonly UnitsOfSku[];
  reason?: string;
  promise?: { by: string; text: string };
  /** The fulfilment order whose node did not supply these lines. */
  replaces?: string | undefined;
  fact: 'ALLOCATED' | 'ACCEPTED' | 'FULFILLED' | 'CANCELLED';
}

const plain = (lines: readonly UnitsOfSku[]): UnitsOfSku[] => lines.map(({ sku, units }) => ({ sku, units }));

/** Enters the news; how a fulfilment ended is said once, and what is said later does not change it. */
const enter = (fulfilments: readonly OrderFulfilment[], news: News): OrderFulfilment[] => {
  const { fulfilmentOrderId, nodeId, reason, promise, replaces, fact } = news;
  if (news.lines === undefined) return [...fulfilments];
  const lines = plain(news.lines);
  const old = fulfilments.find((known) => known.fulfilmentOrderId === fulfilmentOrderId);
  const isEnd = old?.outcome === undefined && (fact === 'FULFILLED' || fact === 'CANCELLED');
  const entered: OrderFulfilment = {
    ...(old ?? { fulfilmentOrderId, nodeId, lines, reason: '' }),
    ...(isEnd ? { lines, outcome: fact } : {}),
    // A delivery that was heard of before its allocation left these empty.
    ...(old?.promise === undefined && promise !== undefined ? { reason: reason ?? '', promise } : {}),
    ...(replaces === undefined ? {} : { replaces }),
  };
  return [...fulfilments.filter((known) => known !== old), entered].sort((a, b) => ordinal(a) - ordinal(b));
};

const ordinal = ({ fulfilmentOrderId }: OrderFulfilment): number =>
  Number(fulfilmentOrderId.slice(fulfilmentOrderId.lastIndexOf('-') + 1));

const unitsWith = (fulfilments: readonly OrderFulfilment[], outcome: 'FULFILLED' | 'CANCELLED', sku: string): number =>
  fulfilments
    .filter((fulfilment) => fulfilment.outcome === outcome)
    .flatMap(({ lines }) => lines)
    .reduce((total, line) => (line.sku === sku ? total + line.units : total), 0);

/** Units of a line that reached the customer; never more than were bought, whatever is reported. */
const fulfilledUnits = (fulfilments: readonly OrderFulfilment[], { sku, units }: OrderLine): number =>
  Math.min(units, unitsWith(fulfilments, 'FULFILLED', sku));

/** Price of the units that reached the customer. Whole units at their fixed price: parts always add up to the total. */
export const fulfilledAmount = ({ lines, fulfilments }: Pick<OrderSnapshot, 'lines' | 'fulfilments'>): Money =>
  totalOf(lines.map((line) => ({ ...line, units: fulfilledUnits(fulfilments, line) })));

const ENDED: ReadonlySet<OrderStatus> = new Set(['COMPLETED', 'CANCELLED', 'EXPIRED']);

/**
 * The status follows from how the parts ended, not from which event came last: so duplicates, late events and gaps
 * (delivered before accepted, delivered before allocated) lead to the same order.
 */
const statusAfter = (
  { status, lines }: OrderSnapshot,
  fulfilments: readonly OrderFulfilment[],
  fact: News['fact'],
): OrderStatus => {
  if (ENDED.has(status)) return status;
  const fulfilled = lines.reduce((total, line) => total + fulfilledUnits(fulfilments, line), 0);
  const isSettled = lines.every(
    (line) =>
      unitsWith(fulfilments, 'FULFILLED', line.sku) + unitsWith(fulfilments, 'CANCELLED', line.sku) >= line.units,
  );
  if (isSettled) return fulfilled > 0 ? 'COMPLETED' : 'CANCELLED';
  return fulfilled > 0 || fact === 'ACCEPTED' ? 'PROCESSING' : status;
};

/** The order after the news; undefined where it says nothing new. */
export const hear = (order: OrderSnapshot, news: News): OrderSnapshot | undefined => {
  const fulfilments = enter(order.fulfilments, news);
  const status = statusAfter(order, fulfilments, news.fact);
  const isNew = status !== order.status || JSON.stringify(fulfilments) !== JSON.stringify(order.fulfilments);
  return isNew ? { ...order, fulfilments, status, version: order.version + 1 } : undefined;
};

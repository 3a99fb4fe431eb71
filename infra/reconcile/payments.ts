import { type Finding, finding, type Item, numberIn, textIn } from './finding.ts';
import { fulfilledMinor, type OrderRecord, totalMinor } from './orders.ts';

export interface PaymentRecord {
  orderId: string;
  attempt: number;
  status: string;
  amountMinor: number;
  /** 0 where nothing was captured. */
  capturedMinor: number;
}

/** What the provider has on its own record for one attempt. Only the simulated provider's can be read here. */
export interface Charge {
  orderId: string;
  attempt: number;
  state: string;
  capturedMinor: number;
}

const minorIn = (item: Item, attribute: string): number => {
  const money = item[attribute] as { amountMinor?: number } | undefined;
  return money?.amountMinor ?? 0;
};

export const paymentOf = (item: Item): PaymentRecord | undefined =>
  item.pk.startsWith('ORDER#') && item.sk.startsWith('PAYMENT#')
    ? {
        orderId: textIn(item, 'orderId'),
        attempt: numberIn(item, 'attempt'),
        status: textIn(item, 'status'),
        amountMinor: minorIn(item, 'amount'),
        capturedMinor: minorIn(item, 'captured'),
      }
    : undefined;

export const chargeOf = (item: Item): Charge | undefined => {
  const [kind, orderId, attempt] = item.pk.split('#');
  if (kind !== 'PROVIDER' || orderId === undefined || item.sk !== 'CHARGE') return undefined;
  return { orderId, attempt: Number(attempt), state: textIn(item, 'state'), capturedMinor: minorIn(item, 'captured') };
};

const LIVE = ['AUTHORIZED', 'PARTIALLY_CAPTURED', 'CAPTURED'];
const UNSETTLED = ['INITIATED', 'REQUIRES_ACTION', 'UNKNOWN'];

const isLive = ({ status }: PaymentRecord): boolean => LIVE.includes(status);

/** What an order in each state must have been paid. Returns what is wrong with it. */
const wrongWith = (
  order: OrderRecord,
  live: PaymentRecord | undefined,
  attempts: readonly PaymentRecord[],
): string[] => {
  const unsettled = attempts.find(({ status }) => UNSETTLED.includes(status));
  switch (order.status) {
    case 'PENDING_PAYMENT':
      return live === undefined ? [] : [`attempt ${live.attempt} is ${live.status}, the order still waits for payment`];
    case 'PLACED':
    case 'PROCESSING':
      if (live === undefined) return [`is ${order.status} and not paid`];
      return live.amountMinor === totalMinor(order)
        ? []
        : [`${live.amountMinor} is authorised for an order of ${totalMinor(order)}`];
    case 'COMPLETED': {
      const fulfilled = fulfilledMinor(order);
      return (live?.capturedMinor ?? 0) === fulfilled
        ? []
        : [`${fulfilled} was fulfilled, ${live?.capturedMinor ?? 0} captured (${live?.status ?? 'not paid'})`];
    }
    case 'CANCELLED':
    case 'EXPIRED':
      if (live !== undefined) return [`is ${order.status}, yet attempt ${live.attempt} is ${live.status}`];
      return unsettled === undefined
        ? []
        : [`is ${order.status}, yet attempt ${unsettled.attempt} is ${unsettled.status}`];
  }
};

const LIVE_CHARGE: Record<string, readonly string[]> = {
  APPROVED: ['AUTHORIZED', ...UNSETTLED],
  CAPTURED: ['AUTHORIZED', 'CAPTURED', 'PARTIALLY_CAPTURED'],
};

/** What the provider holds, we know of; at most one charge an order (I6). */
const chargeDrift = (charges: readonly Charge[], payments: readonly PaymentRecord[]): Finding[] => {
  const live = charges.filter(({ state }) => state in LIVE_CHARGE);
  const known = new Map(payments.map((payment) => [`${payment.orderId}#${payment.attempt}`, payment]));
  return [
    ...[...Map.groupBy(live, ({ orderId }) => orderId)]
      .filter(([, ofOrder]) => ofOrder.length > 1)
      .map(([orderId, ofOrder]) => finding('payments', orderId, `the provider holds ${ofOrder.length} live charges`)),
    ...live.flatMap(({ orderId, attempt, state, capturedMinor }) => {
      const payment = known.get(`${orderId}#${attempt}`);
      if (payment === undefined || !LIVE_CHARGE[state]!.includes(payment.status)) {
        const ours = payment?.status ?? 'nothing';
        return [finding('payments', orderId, `attempt ${attempt} is ${state} at the provider, ${ours} here`)];
      }
      return payment.capturedMinor > 0 && payment.capturedMinor !== capturedMinor
        ? [finding('payments', orderId, `the provider took ${capturedMinor}, we know of ${payment.capturedMinor}`)]
        : [];
    }),
  ];
};

export const paymentDrift = (
  orders: readonly OrderRecord[],
  payments: readonly PaymentRecord[],
  charges: readonly Charge[],
): Finding[] => {
  const byOrder = Map.groupBy(payments, ({ orderId }) => orderId);
  const known = new Set(orders.map(({ orderId }) => orderId));
  return [
    ...orders.flatMap((order) => {
      const attempts = byOrder.get(order.orderId) ?? [];
      const live = attempts.filter(isLive);
      if (live.length > 1) return [finding('payments', order.orderId, `is paid ${live.length} times over`)];
      return wrongWith(order, live[0], attempts).map((detail) => finding('payments', order.orderId, detail));
    }),
    ...[...byOrder.keys()]
      .filter((orderId) => !known.has(orderId))
      .map((orderId) => finding('payments', orderId, 'has payments and does not exist')),
    ...chargeDrift(charges, payments),
  ];
};

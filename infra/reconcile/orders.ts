import type { OrderStatus } from '../../functions/orders/contract.ts';
import { type Item, textIn, total } from './finding.ts';

export interface OrderLine {
  sku: string;
  units: number;
  unitPriceMinor: number;
}

export interface OrderPart {
  fulfilmentOrderId: string;
  nodeId: string;
  lines: { sku: string; units: number }[];
  outcome?: string;
}

export interface OrderRecord {
  orderId: string;
  status: OrderStatus;
  currency: string;
  lines: OrderLine[];
  fulfilments: OrderPart[];
}

/** Orders that may still hold stock: nothing has ended them yet. */
const OPEN: readonly OrderStatus[] = ['PENDING_PAYMENT', 'PLACED', 'PROCESSING'];

export const isOpen = ({ status }: OrderRecord): boolean => OPEN.includes(status);

export const orderOf = (item: Item): OrderRecord | undefined => {
  if (!item.pk.startsWith('ORDER#') || item.sk !== 'ORDER') return undefined;
  const orderId = item.pk.slice('ORDER#'.length);
  const parts = item.fulfilments as { n: string; nodeId: string; lines: OrderPart['lines']; outcome?: string }[];
  return {
    orderId,
    status: textIn(item, 'status') as OrderStatus,
    currency: textIn(item, 'currency'),
    lines: item.lines as OrderLine[],
    fulfilments: parts.map(({ n, ...part }) => ({ fulfilmentOrderId: `${orderId}-${n}`, ...part })),
  };
};

export const totalMinor = ({ lines }: OrderRecord): number => total(lines, (line) => line.units * line.unitPriceMinor);

/** Price of the units that reached the customer, never of more than were bought. */
export const fulfilledMinor = ({ lines, fulfilments }: OrderRecord): number => {
  const reached = fulfilments.filter(({ outcome }) => outcome === 'FULFILLED').flatMap((part) => part.lines);
  return total(lines, ({ sku, units, unitPriceMinor }) => {
    const delivered = total(reached, (line) => (line.sku === sku ? line.units : 0));
    return Math.min(units, delivered) * unitPriceMinor;
  });
};

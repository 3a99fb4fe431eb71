import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Instant } from '../../../shared/time.ts';
import { type DeliveredLine, type ExpectedLine, overOf, shortOf, withDelivery } from './receiving.ts';

export type TransferStatus = 'REQUESTED' | 'SHIPPED' | 'RECEIVED' | 'CANCELLED';

/** `expected` at the destination is what was shipped. */
export interface TransferLine extends ExpectedLine {
  requested: number;
}

/** Goods that move from one node to another. */
export interface Transfer {
  transferId: string;
  fromNodeId: string;
  toNodeId: string;
  status: TransferStatus;
  dueAt?: Instant;
  lines: readonly TransferLine[];
  createdAt: Instant;
  updatedAt: Instant;
  version: number;
}

interface Step {
  after: readonly TransferStatus[];
  /** Absent: it stays what it is. */
  status?: TransferStatus;
  /** Which end of the way takes it. */
  by: 'FROM' | 'TO' | 'EITHER';
}

/** Every step that a transfer can take. This table IS its state machine. */
const STEPS = {
  ship: { after: ['REQUESTED'], status: 'SHIPPED', by: 'FROM' },
  // What was taken for lost may arrive after all.
  receive: { after: ['SHIPPED', 'RECEIVED'], by: 'TO' },
  close: { after: ['SHIPPED'], status: 'RECEIVED', by: 'TO' },
  cancel: { after: ['REQUESTED'], status: 'CANCELLED', by: 'EITHER' },
} as const satisfies Record<string, Step>;
type Action = keyof typeof STEPS;

/** The transfer after a step that a node takes; to the other end of the way, the step looks like a missing one. */
const take = (
  transfer: Transfer,
  action: Action,
  nodeId: string,
  at: Instant,
): Result<Transfer, 'wrong-state' | 'not-found'> => {
  const { after, status, by }: Step = STEPS[action];
  const end = nodeId === transfer.fromNodeId ? 'FROM' : 'TO';
  if (by !== 'EITHER' && by !== end) {
    return refuse('not-found', `${nodeId} has no transfer ${transfer.transferId} to ${action}`);
  }
  if (!after.includes(transfer.status)) {
    return refuse('wrong-state', `${action} follows ${after.join(' or ')}, and this is ${transfer.status}`);
  }
  return ok({ ...transfer, status: status ?? transfer.status, updatedAt: at, version: transfer.version + 1 });
};

type Lines = readonly { sku: string; units: number }[];

const sumBySku = (lines: Lines): Map<string, number> => {
  const sums = new Map<string, number>();
  for (const { sku, units } of lines) sums.set(sku, (sums.get(sku) ?? 0) + units);
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
};

export const requested = (
  route: Pick<Transfer, 'transferId' | 'fromNodeId' | 'toNodeId'>,
  lines: Lines,
  at: Instant,
): Transfer => ({
  ...route,
  status: 'REQUESTED',
  lines: [...sumBySku(lines)].map(([sku, units]) => ({ sku, requested: units, expected: 0, good: 0, damaged: 0 })),
  createdAt: at,
  updatedAt: at,
  version: 1,
});

/** What is shipped: as requested unless the sender says otherwise, of goods that nobody requested, too. */
export const shipped = (
  transfer: Transfer,
  nodeId: string,
  { lines, dueAt, now }: { lines: Lines | undefined; dueAt: Instant; now: Instant },
): Result<Transfer, 'wrong-state' | 'not-found'> => {
  const after = take(transfer, 'ship', nodeId, now);
  if (!after.ok) return after;
  const units = sumBySku(lines ?? transfer.lines.map(({ sku, requested: wanted }) => ({ sku, units: wanted })));
  const known = new Set(transfer.lines.map(({ sku }) => sku));
  const others = [...units.keys()].filter((sku) => !known.has(sku)).map((sku) => ({ ...NOTHING, sku }));
  const sent = [...transfer.lines, ...others].map((line) => ({ ...line, expected: units.get(line.sku) ?? 0 }));
  return ok({ ...after.value, dueAt, lines: sent });
};

const NOTHING = { requested: 0, expected: 0, good: 0, damaged: 0 };

/** The transfer after a delivery: it is received once nothing of it is in transit any more. */
export const received = (
  transfer: Transfer,
  nodeId: string,
  delivered: readonly DeliveredLine[],
  linesMax: number,
  now: Instant,
): Result<Transfer, 'wrong-state' | 'not-found'> => {
  const after = take(transfer, 'receive', nodeId, now);
  if (!after.ok) return after;
  const lines = withDelivery(transfer.lines, delivered, (sku) => ({ ...NOTHING, sku }));
  if (lines.length > linesMax) return refuse('wrong-state', `a transfer has ${linesMax} lines at most; book a receipt`);
  const status = lines.every((line) => shortOf(line) === 0) ? 'RECEIVED' : after.value.status;
  return ok({ ...after.value, status, lines });
};

export const closed = (transfer: Transfer, nodeId: string, now: Instant) => take(transfer, 'close', nodeId, now);
export const cancelled = (transfer: Transfer, nodeId: string, now: Instant) => take(transfer, 'cancel', nodeId, now);

/**
 * Where the units of each line are: shipped + over = good + damaged + in transit + lost, in every state. Nothing is
 * lost before somebody says that no more will come.
 */
export const balanceOf = ({ status, lines }: Transfer) =>
  lines.map((line) => ({
    ...{ sku: line.sku, requested: line.requested, shipped: line.expected, good: line.good, damaged: line.damaged },
    inTransit: status === 'SHIPPED' ? shortOf(line) : 0,
    over: overOf(line),
    lost: status === 'RECEIVED' ? shortOf(line) : 0,
  }));

/** Nothing is left to do for anybody. */
export const isOver = ({ status }: Transfer): boolean => status === 'RECEIVED' || status === 'CANCELLED';

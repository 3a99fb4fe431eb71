import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Instant } from '../../../shared/time.ts';
import { type DeliveredLine, type ExpectedLine, withDelivery } from './receiving.ts';

export type AdviceStatus = 'ANNOUNCED' | 'RECEIVING' | 'CLOSED';

/** Goods that somebody said would come to a node. */
export interface Advice {
  adviceId: string;
  nodeId: string;
  supplier?: string;
  status: AdviceStatus;
  dueAt: Instant;
  lines: readonly ExpectedLine[];
  createdAt: Instant;
  updatedAt: Instant;
  version: number;
}

/** Every step of an advice. Goods that stand on the ramp are received even after somebody had closed it. */
const STEPS = {
  announce: { after: ['ANNOUNCED'], becomes: { ANNOUNCED: 'ANNOUNCED' } },
  receive: {
    after: ['ANNOUNCED', 'RECEIVING', 'CLOSED'],
    becomes: { ANNOUNCED: 'RECEIVING', RECEIVING: 'RECEIVING', CLOSED: 'CLOSED' },
  },
  close: { after: ['ANNOUNCED', 'RECEIVING'], becomes: { ANNOUNCED: 'CLOSED', RECEIVING: 'CLOSED' } },
} as const satisfies Record<
  string,
  { after: readonly AdviceStatus[]; becomes: Partial<Record<AdviceStatus, AdviceStatus>> }
>;

const moved = (advice: Advice, step: keyof typeof STEPS, at: Instant): Result<Advice, 'wrong-state'> => {
  const becomes: Partial<Record<AdviceStatus, AdviceStatus>> = STEPS[step].becomes;
  const status = becomes[advice.status];
  if (status === undefined) {
    return refuse('wrong-state', `${step} follows ${STEPS[step].after.join(' or ')}, and this is ${advice.status}`);
  }
  return ok({ ...advice, status, updatedAt: at, version: advice.version + 1 });
};

export interface Announcement extends Pick<Advice, 'adviceId' | 'nodeId' | 'dueAt'> {
  supplier?: string | undefined;
  lines: readonly { sku: string; units: number }[];
}

/** The advice as it is announced, for the first time or anew. */
export const announced = (
  { supplier, lines, ...rest }: Announcement,
  earlier: Advice | undefined,
  at: Instant,
): Result<Advice, 'wrong-state'> => {
  const sums = [...Map.groupBy(lines, ({ sku }) => sku)].map(([sku, same]) => ({
    ...{ sku, good: 0, damaged: 0 },
    expected: same.reduce((sum, { units }) => sum + units, 0),
  }));
  const said = { ...rest, lines: sums, ...(supplier === undefined ? {} : { supplier }) };
  if (earlier === undefined) {
    return ok({ ...said, status: 'ANNOUNCED', createdAt: at, updatedAt: at, version: 1 });
  }
  const { createdAt, status } = earlier;
  return moved({ ...said, createdAt, status, updatedAt: at, version: earlier.version }, 'announce', at);
};

/** The advice after a delivery. */
export const received = (
  advice: Advice,
  delivered: readonly DeliveredLine[],
  linesMax: number,
  at: Instant,
): Result<Advice, 'wrong-state'> => {
  const after = moved(advice, 'receive', at);
  if (!after.ok) return after;
  const lines = withDelivery(advice.lines, delivered, (sku) => ({ sku, expected: 0, good: 0, damaged: 0 }));
  if (lines.length > linesMax) return refuse('wrong-state', `an advice has ${linesMax} lines at most; book a receipt`);
  return ok({ ...after.value, lines });
};

export const closed = (advice: Advice, at: Instant): Result<Advice, 'wrong-state'> => moved(advice, 'close', at);

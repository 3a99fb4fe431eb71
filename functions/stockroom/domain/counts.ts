import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Instant } from '../../../shared/time.ts';

export type CountStatus = 'OPEN' | 'AWAITING_APPROVAL' | 'POSTED' | 'CANCELLED';

export interface Entry {
  units: number;
  countedAt: Instant;
  /** Who counted. */
  by: string;
}

/** A line against the books of the moment in which it was counted. */
export interface Judgement {
  expected: number;
  counted: number;
  variance: number;
  isWithin: boolean;
  /** A later count was posted meanwhile: this one would put back what that one has found. */
  isSuperseded?: true;
}

export interface CountLine {
  sku: string;
  /** What the books said when the count was opened, and which change of the level was the last. */
  booked: number;
  bookedVersion: number;
  /** By when the shelf was looked at, whenever it was handed in. */
  entries: readonly Entry[];
  judgement?: Judgement;
}

export interface Tolerance {
  units: number;
  percent: number;
}

export interface Count {
  countId: string;
  nodeId: string;
  method: 'MANUAL' | 'RFID';
  because: 'CYCLE' | 'SHORT_PICK';
  status: CountStatus;
  tolerance: Tolerance;
  lines: readonly CountLine[];
  /** Everybody who counted; none of them may approve. */
  counters: readonly string[];
  openedAt: Instant;
  /** Looks at the shelf before this moment do not count: a rejection asks to look again. */
  countsFrom: Instant;
  rejection?: string;
  reference?: string;
  updatedAt: Instant;
  version: number;
}

/** Every step of a count. This table IS its state machine. */
const STEPS = {
  enter: { after: ['OPEN'], status: 'OPEN' },
  post: { after: ['OPEN'], status: 'POSTED' },
  hold: { after: ['OPEN'], status: 'AWAITING_APPROVAL' },
  approve: { after: ['AWAITING_APPROVAL'], status: 'POSTED' },
  reject: { after: ['AWAITING_APPROVAL'], status: 'OPEN' },
  cancel: { after: ['OPEN', 'AWAITING_APPROVAL'], status: 'CANCELLED' },
} as const satisfies Record<string, { after: readonly CountStatus[]; status: CountStatus }>;
export type Action = keyof typeof STEPS;

/** Looks at one shelf that are kept. */
const ENTRIES_MAX = 10;
const COUNTERS_MAX = 50;

export const take = (count: Count, action: Action, at: Instant): Result<Count, 'wrong-state'> => {
  const { after, status }: { after: readonly CountStatus[]; status: CountStatus } = STEPS[action];
  if (!after.includes(count.status)) {
    return refuse('wrong-state', `${action} follows ${after.join(' or ')}, and this is ${count.status}`);
  }
  return ok({ ...count, status, updatedAt: at, version: count.version + 1 });
};

/** What stands of a line: what was counted last. */
export const standing = ({ entries }: Pick<CountLine, 'entries'>): Entry | undefined => entries.at(-1);

/** The count with one more look at a shelf. Entries that are handed in late or twice lead to the same count. */
export const entered = (
  count: Count,
  sku: string,
  entry: Entry,
  now: Instant,
): Result<Count, 'wrong-state' | 'invalid-input' | 'not-found'> => {
  const after = take(count, 'enter', now);
  if (!after.ok) return after;
  const line = count.lines.find((one) => one.sku === sku);
  if (line === undefined) return refuse('not-found', `${sku} is not counted in ${count.countId}`);
  if (entry.countedAt > now) return refuse('invalid-input', 'is in the future', '/countedAt');
  if (entry.countedAt < count.countsFrom) {
    return refuse('invalid-input', `must not be before ${count.countsFrom}: look again`, '/countedAt');
  }
  const isSame = (one: Entry): boolean =>
    one.units === entry.units && one.countedAt === entry.countedAt && one.by === entry.by;
  if (line.entries.some(isSame)) return ok(count);
  const counters = [...new Set([...count.counters, entry.by])];
  if (counters.length > COUNTERS_MAX) return refuse('wrong-state', `${COUNTERS_MAX} people have counted; hand it in`);
  // Of two looks in the same moment one has to stand, whichever was handed in first.
  const order = ({ countedAt, by, units }: Entry): string => `${countedAt} ${by} ${String(units).padStart(7, '0')}`;
  const entries = [...line.entries, entry].sort((a, b) => (order(a) < order(b) ? -1 : 1)).slice(-ENTRIES_MAX);
  const lines = count.lines.map((one) => (one === line ? { ...line, entries } : one));
  return ok({ ...after.value, lines, counters });
};

/** Per cent are of the larger figure: of books that say nothing, whatever is found is all of it. */
const isWithin = (expected: number, counted: number, { units, percent }: Tolerance): boolean => {
  const off = Math.abs(counted - expected);
  return off <= units && off * 100 <= percent * Math.max(expected, counted, off);
};

/** What the books say of the moment in which a line was counted. */
export interface Books {
  onHand: number;
  /** Units came or went while it was being counted, so that nobody can say what was counted of them. */
  isUnsteady?: boolean;
  /** When the last posted count of the SKU was taken. */
  lastCountedAt?: Instant | undefined;
}

/** Every line against the books of its own moment: what moved before or after it is no variance. */
export const judged = (count: Count, books: ReadonlyMap<string, Books>): Count => ({
  ...count,
  lines: count.lines.map((line) => {
    const { units, countedAt } = standing(line)!;
    const { onHand, isUnsteady = false, lastCountedAt = '' } = books.get(line.sku)!;
    const variance = units - onHand;
    const judgement: Judgement = {
      ...{ expected: onHand, counted: units, variance },
      isWithin: !isUnsteady && isWithin(onHand, units, count.tolerance),
      ...(lastCountedAt > countedAt ? { isSuperseded: true } : {}),
    };
    return { ...line, judgement };
  }),
});

/** The count as it is handed in: posted if every line is within the tolerance. Only a whole count is handed in. */
export const submitted = (count: Count, now: Instant): Result<Count, 'wrong-state'> => {
  const isFine = count.lines.every(({ judgement }) => judgement!.isSuperseded === true || judgement!.isWithin);
  return take(count, isFine ? 'post' : 'hold', now);
};

/** The first SKU that nobody has counted yet. */
export const uncounted = ({ lines }: Count): string | undefined =>
  lines.find(({ entries }) => entries.length === 0)?.sku;

/** The count that has to be done again. */
export const rejected = (count: Count, note: string, now: Instant): Result<Count, 'wrong-state'> => {
  const after = take(count, 'reject', now);
  if (!after.ok) return after;
  const lines = count.lines.map(({ judgement: _, ...line }) => ({ ...line, entries: [] }));
  return ok({ ...after.value, lines, counters: [], rejection: note, countsFrom: now });
};

/** Lines that the books are corrected by. */
export const postedLines = ({ lines }: Count): (CountLine & { judgement: Judgement })[] =>
  lines.filter((line): line is CountLine & { judgement: Judgement } => line.judgement?.isSuperseded === undefined);

export const isOver = ({ status }: Count): boolean => status === 'POSTED' || status === 'CANCELLED';

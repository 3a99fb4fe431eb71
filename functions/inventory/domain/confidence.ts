import type { Instant } from '../../../shared/time.ts';

/**
 * How far the books of one SKU at one node can be believed. Doubt is a number that halves the confidence per unit:
 * every failure to find what the books say adds to it, time takes it away, a count settles it.
 */

export const DOUBTS = ['SHORT_PICK', 'REFUSAL'] as const;
export type DoubtKind = (typeof DOUBTS)[number];

/** What is kept of it, with the level. All absent: never doubted, never counted. */
export interface Belief {
  /** Halvings of confidence as of `doubtAt`. */
  doubt?: number;
  doubtAt?: Instant;
  /** Since the last count. */
  shortPicks?: number;
  refusals?: number;
  countedAt?: Instant;
}

export interface Confidence {
  /** 0 to 100 per cent. */
  percent: number;
  /** What it rests on, for a person to read; empty while nothing speaks against the books. */
  because: string[];
}

/** A picker who stood at the shelf and did not find it says most; a node that refuses may have other reasons. */
const WEIGHT: Record<DoubtKind, number> = { SHORT_PICK: 1, REFUSAL: 0.5 };
const COUNTER = { SHORT_PICK: 'shortPicks', REFUSAL: 'refusals' } as const;
const DOUBT_MAX = 6;
/** Half of a doubt is forgotten in a month: shelves are tidied, and somebody would have counted. */
const FORGET_DAYS = 30;
/** A count is fresh for a quarter; each further quarter adds half a halving, up to one. */
const FRESH_DAYS = 90;
const STALE_MAX = 1;
/** What a count that found everything different leaves behind: the next one may be wrong, too. */
const VARIANCE_WEIGHT = 0.5;
/** From this confidence on, the books are believed without a reserve. */
const BELIEVED_PERCENT = 90;

const daysBetween = (from: Instant, to: Instant): number =>
  Math.max(0, (Date.parse(to) - Date.parse(from)) / 86_400_000);

const doubtNow = ({ doubt = 0, doubtAt }: Belief, now: Instant): number =>
  doubtAt === undefined ? 0 : doubt * 2 ** (-daysBetween(doubtAt, now) / FORGET_DAYS);

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** The belief after somebody did not find what the books say. */
export const doubted = (belief: Belief, kind: DoubtKind, at: Instant): Belief => ({
  ...belief,
  doubt: round(Math.min(DOUBT_MAX, doubtNow(belief, at) + WEIGHT[kind])),
  doubtAt: at,
  [COUNTER[kind]]: (belief[COUNTER[kind]] ?? 0) + 1,
});

/** The belief after a count: it restores confidence, the less so the more it had to correct. */
export const counted = (booked: number, found: number, at: Instant): Belief => {
  const variance = Math.min(1, Math.abs(found - booked) / Math.max(1, booked, found));
  return { countedAt: at, doubt: round(variance * VARIANCE_WEIGHT), doubtAt: at, shortPicks: 0, refusals: 0 };
};

const times = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const SURE: Confidence = { percent: 100, because: [] };

export const confidenceOf = (belief: Belief, now: Instant): Confidence => {
  if (belief.doubtAt === undefined && belief.countedAt === undefined) return SURE;
  const { shortPicks = 0, refusals = 0, countedAt } = belief;
  const ageDays = countedAt === undefined ? 0 : daysBetween(countedAt, now);
  const stale = Math.min(STALE_MAX, (Math.max(0, ageDays - FRESH_DAYS) / FRESH_DAYS) * 0.5);
  const doubt = doubtNow(belief, now);
  const percent = Math.round(100 * 2 ** -(doubt + stale));
  const because = [
    ...(shortPicks > 0 ? [times(shortPicks, 'short pick', 'short picks')] : []),
    ...(refusals > 0 ? [times(refusals, 'refusal', 'refusals')] : []),
    ...(shortPicks + refusals === 0 && doubt > 0.01 ? ['the last count had to correct the books'] : []),
    ...(stale > 0 ? [`last counted ${Math.floor(ageDays)} days ago`] : []),
  ];
  return { percent, because };
};

/** Units that are not promised online, because they may not be there. */
export const disbelieved = (available: number, { percent }: Confidence): number =>
  percent >= BELIEVED_PERCENT || available <= 0 ? 0 : Math.ceil((available * (100 - percent)) / 100);

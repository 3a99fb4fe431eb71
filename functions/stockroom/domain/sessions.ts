import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Instant } from '../../../shared/time.ts';
import type { Count, Tolerance } from './counts.ts';
import { groupsOf, type ReadSet, sorted } from './tags.ts';

/** SKUs of one count that a session leads to: as many as one transaction can post. */
const GROUP = 15;
/** Unknown GTINs that are named; the rest is a number. */
const UNKNOWN_MAX = 50;

/** A count by radio: many readers, many SKUs, and in the end as many counts as it takes. */
export interface Session {
  sessionId: string;
  nodeId: string;
  status: 'OPEN' | 'CLOSED';
  tolerance: Tolerance;
  /** With what the books said when the session was opened. */
  lines: readonly { sku: string; booked: number; bookedVersion: number }[];
  openedAt: Instant;
  /** What was read, from when it is closed. */
  found?: {
    units: Record<string, number>;
    readers: string[];
    from: Instant;
    until: Instant;
  };
  result?: {
    tags: number;
    reads: number;
    strays: number;
    unknownGtins: { gtin14: string; tags: number }[];
    countIds: string[];
  };
  updatedAt: Instant;
  version: number;
}

const skusOf = ({ lines }: Session): string[] => lines.map(({ sku }) => sku);

/** Whether tags may be read into the session at this moment. */
export const readable = (
  session: Session,
  readAt: Instant,
  now: Instant,
): Result<void, 'wrong-state' | 'invalid-input'> => {
  if (session.status !== 'OPEN') return refuse('wrong-state', `the session is ${session.status}`);
  if (readAt > now) return refuse('invalid-input', 'is in the future', '/readAt');
  if (readAt < session.openedAt) return refuse('invalid-input', `must not be before ${session.openedAt}`, '/readAt');
  return ok(undefined);
};

/** The session with all that was read. */
export const sealed = (
  session: Session,
  set: ReadSet,
  skuOf: ReadonlyMap<string, string>,
  now: Instant,
): Result<Session, 'wrong-state'> => {
  const { firstAt, lastAt } = set;
  if (firstAt === undefined || lastAt === undefined) {
    return refuse('wrong-state', 'nothing was read: that is no count, not even of nothing');
  }
  const skus = skusOf(session);
  const { unitsBySku, strays, unknownGtins } = sorted(set.tagsByGtin, skuOf, skus);
  const tags = [...set.tagsByGtin.values()].reduce((sum, one) => sum + one, 0);
  const countIds = groupsOf(skus, GROUP).map((_, n) => `${session.sessionId}-${n + 1}`);
  return ok({
    ...session,
    status: 'CLOSED',
    found: { units: Object.fromEntries(unitsBySku), readers: set.readers, from: firstAt, until: lastAt },
    result: { tags, reads: set.reads, strays, unknownGtins: unknownGtins.slice(0, UNKNOWN_MAX), countIds },
    updatedAt: now,
    version: session.version + 1,
  });
};

/** The counts that a closed session leads to. Every tag was there when the last one was read, as far as anybody knows. */
export const countsOf = (session: Session, now: Instant): Count[] => {
  const { sessionId, nodeId, tolerance, openedAt, found, result } = session;
  const { units, readers, until } = found!;
  const lineOf = new Map(session.lines.map((line) => [line.sku, line]));
  return groupsOf(skusOf(session), GROUP).map((skus, n) => ({
    ...{ countId: result!.countIds[n]!, nodeId, method: 'RFID', because: 'CYCLE', status: 'OPEN', tolerance },
    ...{ openedAt, countsFrom: openedAt, reference: sessionId, updatedAt: now, version: 0, counters: readers },
    lines: skus.map((sku) => ({
      ...lineOf.get(sku)!,
      entries: [{ units: units[sku]!, countedAt: until, by: readers[0]! }],
    })),
  }));
};

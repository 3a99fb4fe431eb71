import { type Change, change, fact } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Instant } from '../../../shared/time.ts';
import { type AsOf, booksAsOf, booksOf, happened } from '../../inventory/parts.ts';
import { type Books, type Count, type CountLine, judged, postedLines, standing, uncounted } from '../domain/counts.ts';
import { emits } from '../emits.ts';
import { countParts, type LastCount, lastCountPart, lastCountsOf } from '../store/counts.ts';
import { fitting } from './bounds.ts';

/** An index that lags follows within a moment; who waits longer than this is asked to come again. */
const LOOKS_MAX = 6;
const LOOK_BASE_MS = 50;
/** What an index still does not show by the last look was under way when the count was opened. */
const UNDER_WAY_SECONDS = 10;

/** A count whose lines stand against the books, and which counts were the last to correct those. */
export interface Judged {
  count: Count;
  lastCounts: ReadonlyMap<string, LastCount>;
}

/** Lines of a new count, with what the books say now. */
export const freshLines = async (
  { tables }: Runtime,
  nodeId: string,
  skus: readonly string[],
): Promise<CountLine[]> => {
  const books = await booksOf(
    tables,
    [...new Set(skus)].sort().map((sku) => ({ sku, nodeId })),
  );
  return books.map(({ sku, onHand, version }) => ({ sku, booked: onHand, bookedVersion: version, entries: [] }));
};

const booksOfLine = async (
  { tables, sleep }: Runtime,
  { nodeId, openedAt }: Count,
  line: CountLine,
  readingFrom: Instant | undefined,
): Promise<AsOf | undefined> => {
  const { countedAt } = standing(line)!;
  const anchor = { version: line.bookedVersion, at: openedAt };
  const looking = { at: countedAt, from: readingFrom ?? countedAt, anchor };
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if (look > 0) await sleep(LOOK_BASE_MS * 2 ** look);
    const underWaySeconds = look === LOOKS_MAX - 1 ? UNDER_WAY_SECONDS : 0;
    const asOf = await booksAsOf(tables, { sku: line.sku, nodeId }, { ...looking, underWaySeconds });
    if (asOf !== undefined) return asOf;
  }
  return undefined;
};

/**
 * Compares each line with the books as of its own moment of counting. `readingFrom`: counting took from then until that
 * moment, and a SKU that moved in between is not certain.
 */
export const judge = async (
  runtime: Runtime,
  count: Count,
  readingFrom?: Instant,
): Promise<Result<Judged, 'wrong-state' | 'too-busy'>> => {
  const missing = uncounted(count);
  if (missing !== undefined) return refuse('wrong-state', `${missing} is not counted yet`);
  const skus = count.lines.map(({ sku }) => sku);
  // Read first: whatever is posted after this makes the guard of its register fail.
  const lastCounts = await lastCountsOf(runtime.tables, count.nodeId, skus);
  const found = await Promise.all(count.lines.map((line) => booksOfLine(runtime, count, line, readingFrom)));
  const late = found.indexOf(undefined);
  if (late >= 0) return refuse('too-busy', `the ledger of ${skus[late]} is still being written; ask again`);
  const books = new Map<string, Books>(
    found.map((asOf, index) => [
      skus[index]!,
      {
        onHand: asOf!.onHand,
        isUnsteady: asOf!.moved > 0,
        lastCountedAt: lastCounts.get(skus[index]!)?.countedAt,
      },
    ]),
  );
  return ok({ count: judged(count, books), lastCounts });
};

const variancesOf = (lines: readonly CountLine[]) =>
  lines.map(({ sku, judgement }) => {
    const { expected, counted, variance } = judgement!;
    return { sku, expected, counted, variance };
  });

/** What a judged count writes and says, in the state that it came to. */
export const settled = async (
  { tables }: Runtime,
  { count, lastCounts }: Judged,
  before: Count | undefined,
  cause: Cause,
): Promise<Result<Change<'changed-meanwhile'>[], 'wrong-state'>> => {
  const { countId, nodeId, version, status } = count;
  const subject = `count/${countId}`;
  const parts = countParts(count, before);
  if (status !== 'POSTED') {
    const data = { nodeId, countId, lines: variancesOf(count.lines) };
    return ok([change(parts, [fact(emits.CountHeld, subject, version, data)])]);
  }
  const posted = postedLines(count);
  const movementId = `${countId}#POSTED`;
  const happenings = posted.map(({ sku, judgement, ...line }) => ({
    ...{ kind: 'COUNT' as const, sku, nodeId, units: judgement.variance, movementId, reference: countId },
    occurredAt: standing(line)!.countedAt,
  }));
  const registers = posted.map((line) =>
    lastCountPart(nodeId, line.sku, { countId, countedAt: standing(line)!.countedAt }, lastCounts.get(line.sku)),
  );
  return fitting(
    change(
      [...parts, ...registers],
      [fact(emits.CountPosted, subject, version, { nodeId, countId, lines: variancesOf(posted) })],
    ),
    await happened(tables, happenings, cause, { subject: `movement/${movementId}`, version: 1 }),
  );
};

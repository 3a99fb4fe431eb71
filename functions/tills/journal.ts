import { type Change, change, fact } from '../../shared/change.ts';
import type { Request } from '../../shared/http.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { bookSale } from './booking.ts';
import tills, { type Entry, GAPS_MAX, type Outcome } from './contract.ts';
import { judge, type KeptEntry, type Till, type Verdict } from './domain.ts';
import { hashOf, isSignedBy } from './signature.ts';
import { conflictPart, settlingParts, surroundingsOf } from './store.ts';

type Asking = Pick<Request, 'cause' | 'commit'>;
type Settled = Pick<Outcome, 'outcome' | 'because' | 'detail'>;

/** Decisions on one entry: others sell the same goods, or the same batch was sent twice and both are under way. */
const DECISIONS_MAX = 5;
const REDECIDE_BASE_MS = 10;

/** Puts a contradiction on record, the first time that it is seen. */
const accused = (till: Till, kept: KeptEntry, { conflict }: Verdict, now: string): Change<'changed-meanwhile'> => {
  const { tillId, nodeId } = till;
  const { sequence, saleId, hash } = kept;
  const because = conflict!;
  return change(
    [conflictPart(tillId, { ...kept, because }, now)],
    [
      fact(tills.emits.EntryConflicted, `till/${tillId}/conflict/${hash}`, 1, {
        ...{ tillId, nodeId, sequence, saleId, because },
      }),
    ],
  );
};

interface Judged {
  kept: KeptEntry;
  verdict: Verdict;
  isConflictKnown: boolean;
}

/** What has to be written for a verdict: all of it in one transaction, or nothing. */
const changesFor = async (
  { tables }: Runtime,
  till: Till,
  { kept, verdict, isConflictKnown }: Judged,
  { cause }: Asking,
): Promise<Result<Change<'changed-meanwhile'>[], 'too-busy'>> => {
  const { now } = cause;
  const conflict = verdict.conflict === undefined || isConflictKnown ? [] : [accused(till, kept, verdict, now)];
  if (!verdict.settles) return ok(conflict);
  const { conflict: because } = verdict;
  const place = change(settlingParts(till, because === undefined ? kept : { ...kept, because }));
  if (verdict.outcome !== 'APPLIED') return ok([place, ...conflict]);
  const { saleId, kind, lines, occurredAt } = kept;
  const { tillId, nodeId } = till;
  const sale = { tillId, nodeId, saleId, kind, lines, occurredAt, bookedAt: now };
  const booked = await bookSale(tables, sale, cause);
  return booked.ok ? ok([place, booked.value]) : booked;
};

/** Nothing of it is booked, and nothing is wrong with it. */
const tooBusy = (detail: string): Settled => ({ outcome: 'REFUSED', because: 'TOO_BUSY', detail });

/** Judges one entry by what is on record and makes it so; judges anew where somebody else was faster. */
const takeIn = async (
  runtime: Runtime,
  tillId: string,
  entry: Entry,
  asking: Asking,
): Promise<Result<Settled, 'wrong-state'>> => {
  const hash = hashOf(tillId, entry);
  const kept: KeptEntry = { ...entry, hash };
  for (let decision = 1; decision <= DECISIONS_MAX; decision += 1) {
    const { till, isConflictKnown, ...seen } = await surroundingsOf(runtime.tables, tillId, kept);
    if (till?.status !== 'ACTIVE') return refuse('wrong-state', `${tillId} is retired`);
    const isSigned = isSignedBy(till.keys, tillId, entry);
    const verdict = judge({ entry, hash, isSigned, cursor: till, ...seen }, GAPS_MAX);
    const changes = await changesFor(runtime, till, { kept, verdict, isConflictKnown }, asking);
    if (!changes.ok) return ok(tooBusy(changes.refusal.detail));
    const committed = await asking.commit(...changes.value);
    const { outcome, because, detail } = verdict;
    if (committed.ok) return ok({ outcome, ...(because === undefined ? {} : { because, detail }) });
    if (committed.refusal.problem === 'too-busy') break;
    await runtime.sleep(runtime.random() * REDECIDE_BASE_MS * 2 ** decision);
  }
  return ok(tooBusy('others write the same items, send it again'));
};

/**
 * Takes in a batch, entry by entry in the order of the journal, each in a transaction of its own. Whatever ends it half
 * way, sending it again goes on where it ended. What is answered stands in the order of the batch.
 */
export const takeInBatch = async (
  runtime: Runtime,
  tillId: string,
  entries: readonly Entry[],
  asking: Asking,
): Promise<Result<Outcome[], 'wrong-state'>> => {
  const outcomes: Outcome[] = [];
  const inOrder = [...entries.entries()].sort(([, a], [, b]) => a.sequence - b.sequence);
  for (const [index, entry] of inOrder) {
    const settled = await takeIn(runtime, tillId, entry, asking);
    if (!settled.ok) return settled;
    outcomes.push({ index, sequence: entry.sequence, ...settled.value });
  }
  return ok(outcomes.sort((a, b) => a.index - b.index));
};

import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Conflict, Entry, Outcome, Registration, Sale } from './contract.ts';

/** Sequences that have not arrived, both ends included. */
export interface Gap {
  from: number;
  to: number;
}

/** How far a journal has arrived: everything up to `highest` but for the gaps, which are in order. */
export interface Cursor {
  highest: number;
  missing: Gap[];
}

/** A till as head office registered it, with the cursor of its journal. */
export interface Till extends Registration, Cursor {
  version: number;
  /** Number of entries that have settled; each settles on the number before (`store.ts`). */
  settled: number;
}

/** The till as it is from now on. It never moves: its entries are booked where they happened, however late. */
export const maintain = (wanted: Registration, earlier: Till | undefined): Result<Till, 'wrong-state'> => {
  if (earlier !== undefined && earlier.nodeId !== wanted.nodeId) {
    return refuse(
      'wrong-state',
      `stands at ${earlier.nodeId}; a till that moves is registered under a new id`,
      '/nodeId',
    );
  }
  const cursor = earlier ?? { highest: 0, missing: [], settled: 0, version: 0 };
  return ok({ ...cursor, ...wanted, version: cursor.version + 1 });
};

/** The cursor once this sequence, which has not arrived yet, has. */
export const arrived = ({ highest, missing }: Cursor, sequence: number): Cursor => {
  if (sequence > highest) {
    const skipped = sequence > highest + 1 ? [{ from: highest + 1, to: sequence - 1 }] : [];
    return { highest: sequence, missing: [...missing, ...skipped] };
  }
  const left = missing.flatMap((gap) =>
    sequence < gap.from || sequence > gap.to
      ? [gap]
      : [
          { from: gap.from, to: sequence - 1 },
          { from: sequence + 1, to: gap.to },
        ].filter(({ from, to }) => from <= to),
  );
  return { highest, missing: left };
};

type Lines = Sale['lines'];

/** One line a SKU, by SKU: no level is written twice (rule 3), and equal baskets are equal. */
export const sumBySku = (lines: Lines): Lines => {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return [...units].map(([sku, total]) => ({ sku, units: total })).sort((a, b) => (a.sku < b.sku ? -1 : 1));
};

/** Whether both say that the same goods went the same way. Clocks are left out: a till may have put its own right. */
export const isSameSale = (one: Pick<Sale, 'kind' | 'lines'>, other: Pick<Sale, 'kind' | 'lines'>): boolean => {
  const told = ({ kind, lines }: Pick<Sale, 'kind' | 'lines'>): string => JSON.stringify([kind, sumBySku(lines)]);
  return told(one) === told(other);
};

/** `previous` of the first entry of a journal: 32 zeros in base64url. */
const BEFORE_THE_FIRST = 'A'.repeat(43);

/** An entry as it was kept. */
export interface KeptEntry extends Entry {
  hash: string;
  /** Why it was not booked, although it has its place in the journal. */
  because?: Conflict;
}

/** All that an entry is judged by, as it stood at one moment. */
export interface Evidence {
  entry: Entry;
  /** Of its canonical form. */
  hash: string;
  isSigned: boolean;
  cursor: Cursor;
  /** What is on record at this sequence and at its neighbours. */
  before: KeptEntry | undefined;
  same: KeptEntry | undefined;
  after: KeptEntry | undefined;
  /** What was booked under this saleId: online, or by another entry. */
  sale: Sale | undefined;
}

/** What becomes of an entry. Whoever `settles` takes its place in the journal. */
export interface Verdict extends Pick<Outcome, 'outcome' | 'because' | 'detail'> {
  settles: boolean;
  /** Contradicts the journal, with the till's own signature. */
  conflict?: Conflict;
}

const refusedFor = (because: NonNullable<Outcome['because']>, detail: string): Verdict => ({
  ...{ outcome: 'REFUSED', settles: false, because, detail },
});

const conflictOf = (conflict: Conflict, detail: string, settles = false): Verdict => ({
  ...{ ...refusedFor(conflict, detail), settles, conflict },
});

/** Whether the hashes lead from the entry before to this one and on to the next, as far as these have arrived. */
const isLinked = ({ entry, hash, before, after }: Evidence): boolean => {
  const expected = entry.sequence === 1 ? BEFORE_THE_FIRST : before?.hash;
  return (expected === undefined || expected === entry.previous) && (after === undefined || after.previous === hash);
};

/**
 * Judges an entry on its own: what is missing before it does not keep it from being booked, because what leaves and
 * comes to a shelf adds up in any order. A till's clock has no say.
 */
export const judge = (evidence: Evidence, gapsMax: number): Verdict => {
  const { entry, hash, isSigned, cursor, same, sale } = evidence;
  const { sequence, saleId } = entry;
  if (!isSigned) return refusedFor('BAD_SIGNATURE', 'is not signed by a key of this till');
  if (same !== undefined && same.hash !== hash) {
    return conflictOf('FORKED', `another entry has sequence ${sequence}: the journal forks`);
  }
  if (same?.because !== undefined) return conflictOf(same.because, `saleId ${saleId} was used for other goods before`);
  if (same !== undefined) return { outcome: 'REPEATED', settles: false };
  if (!isLinked(evidence)) {
    return conflictOf(
      'CHAIN_BROKEN',
      `does not follow the entry before ${sequence}, or is not what the next one follows`,
    );
  }
  if (arrived(cursor, sequence).missing.length > gapsMax) {
    return refusedFor('TOO_MANY_GAPS', 'send what is missing first');
  }
  if (sale === undefined) return { outcome: 'APPLIED', settles: true };
  if (isSameSale(sale, entry)) return { outcome: 'REPEATED', settles: true };
  return conflictOf('SALE_ID_TAKEN', `saleId ${saleId} was used for other goods before`, true);
};

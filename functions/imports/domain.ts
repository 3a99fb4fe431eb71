import { harmIn } from '../../shared/input.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import { type Meaning, ROWS, type Row } from './contract.ts';

/** What became of a line of the file. */
export type Outcome = 'LOADED' | 'UNCHANGED' | 'QUARANTINED' | 'FIXED';

export interface Fault {
  /** The column; `row` for the row as a whole. */
  field: string;
  reason: string;
}

/** What a row says by column, or why that cannot be told. */
export type Said = { values: Readonly<Record<string, unknown>> } | { fault: Fault };

/** One row as it stands in the file. */
export interface Reading {
  line: number;
  text: string;
  said: Said;
}

/** A row that may be booked, and from which line. */
export interface ReadyRow extends Row {
  line: number;
}

export interface FaultyRow extends Fault {
  line: number;
  text: string;
}

/**
 * Lines that one record of the import covers. With two writes a row, the record and the outbox they fill a transaction
 * of 100. Which lines belong together depends on the line alone: however the file is cut into chunks, and in whatever
 * order they come, the same record says what was done.
 */
export const BLOCK_LINES = 48;

/** What became of each line of a block: one letter a line. */
export interface Block {
  number: number;
  outcomes: string;
  version: number;
}

const LETTERS: Record<Outcome, string> = { LOADED: 'L', UNCHANGED: 'U', QUARANTINED: 'Q', FIXED: 'F' };
const NOTHING_YET = '.';

export const blockOf = (line: number): number => Math.floor(line / BLOCK_LINES);

export const emptyBlock = (number: number): Block => ({
  number,
  outcomes: NOTHING_YET.repeat(BLOCK_LINES),
  version: 0,
});

export const outcomeAt = ({ outcomes }: Block, line: number): Outcome | undefined => {
  const letter = outcomes[line % BLOCK_LINES];
  return (Object.keys(LETTERS) as Outcome[]).find((outcome) => LETTERS[outcome] === letter);
};

/** The block as it is once these lines have come to that. */
export const settled = (block: Block, results: ReadonlyMap<number, Outcome>): Block => {
  const letters = [...block.outcomes];
  for (const [line, outcome] of results) letters[line % BLOCK_LINES] = LETTERS[outcome];
  return { ...block, outcomes: letters.join(''), version: block.version + 1 };
};

export type Counts = Record<'loaded' | 'unchanged' | 'quarantined' | 'fixed', number>;

export const countsOf = (blocks: Iterable<Pick<Block, 'outcomes'>>): Counts => {
  const counts: Record<string, number> = {};
  for (const { outcomes } of blocks) for (const letter of outcomes) counts[letter] = (counts[letter] ?? 0) + 1;
  const of = (outcome: Outcome): number => counts[LETTERS[outcome]] ?? 0;
  return { loaded: of('LOADED'), unchanged: of('UNCHANGED'), quarantined: of('QUARANTINED'), fixed: of('FIXED') };
};

const UNITS = { ON_HAND: 'onHand', CHANGES: 'unitsDelta' } as const;

/** Columns that a file has to have. */
export const columnsNeeded = (meaning: Meaning): string[] => ['sku', 'nodeId', UNITS[meaning]];

/** Cells hold text: digits are a number, nothing is nothing, and a line break within a reason is a space. */
const plain = (name: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (name === 'reason') return value.replaceAll(/\s+/g, ' ').trim() || undefined;
  const text = value.trim();
  if (/^[+-]?\d{1,15}$/.test(text) && (name === UNITS.ON_HAND || name === UNITS.CHANGES)) return Number(text);
  return text === '' ? undefined : text;
};

/** What a row says as something that can be booked, or which of its fields cannot. */
export const rowFrom = (said: Said, meaning: Meaning): { row: Row } | { fault: Fault } => {
  if ('fault' in said) return said;
  const harm = harmIn(said.values);
  if (harm !== undefined) return { fault: { field: harm.field.split('/')[1] || 'row', reason: harm.detail } };
  const names = [...columnsNeeded(meaning), 'reason'];
  const values = Object.fromEntries(names.map((name) => [name, plain(name, said.values[name])]));
  const missing = columnsNeeded(meaning).find((name) => values[name] === undefined || values[name] === null);
  if (missing !== undefined) return { fault: { field: missing, reason: 'is missing' } };
  const parsed = ROWS[meaning].safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: { field: String(issue!.path[0]), reason: issue!.message } };
  }
  const { sku, nodeId, reason, ...rest } = parsed.data;
  const units = 'onHand' in rest ? rest.onHand : rest.unitsDelta;
  return { row: { sku, nodeId, units, ...(reason === undefined ? {} : { reason }) } };
};

/** What is known of the shop: where stock may be, and of what. */
export interface Known {
  skus: ReadonlySet<string>;
  nodeIds: ReadonlySet<string>;
}

/** Why a row cannot be booked although it is well written; undefined: it can. */
export const strangeness = ({ sku, nodeId }: Row, known: Known): Fault | undefined => {
  if (!known.skus.has(sku)) return { field: 'sku', reason: `the catalog knows no ${sku}` };
  return known.nodeIds.has(nodeId) ? undefined : { field: 'nodeId', reason: `there is no node ${nodeId}` };
};

const placeOf = ({ sku, nodeId }: Row): string => `${sku} at ${nodeId}`;

export const saidBefore = (line: number): Fault => ({
  field: 'row',
  reason: `line ${line} says how many of this SKU are at this node; the file may say it once`,
});

/** Rows that are wrong because an earlier one of the same rows speaks of the same place. */
export const contradictions = (rows: readonly ReadyRow[]): Map<number, Fault> => {
  const first = new Map<string, number>();
  const found = new Map<number, Fault>();
  for (const row of rows) {
    const before = first.get(placeOf(row));
    if (before === undefined) first.set(placeOf(row), row.line);
    else found.set(row.line, saidBefore(before));
  }
  return found;
};

/** A row that somebody has put right, in the terms of its file. */
export const fixedRow = (
  given: Omit<Row, 'units'> & { onHand?: number | undefined; unitsDelta?: number | undefined },
  meaning: Meaning,
): Result<Row, 'invalid-input'> => {
  const other = UNITS[meaning === 'ON_HAND' ? 'CHANGES' : 'ON_HAND'];
  const { sku, nodeId, reason } = given;
  const units = given[UNITS[meaning]];
  if (units === undefined) return refuse('invalid-input', 'is what this file is about', `/${UNITS[meaning]}`);
  if (given[other] !== undefined) return refuse('invalid-input', 'is not what this file is about', `/${other}`);
  return ok({ sku, nodeId, units, ...(reason === undefined ? {} : { reason }) });
};

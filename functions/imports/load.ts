import { type Change, change } from '../../shared/change.ts';
import type { Request } from '../../shared/http.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { correctTo, happened, referencesBooked } from '../inventory/parts.ts';
import {
  BLOCK_LINES,
  type Block,
  blockOf,
  type Counts,
  contradictions,
  countsOf,
  type Fault,
  type FaultyRow,
  type Outcome,
  outcomeAt,
  type ReadyRow,
  saidBefore,
  settled,
} from './domain.ts';
import { blockAt, blockPart, type ImportRecord, quarantinePart } from './store.ts';

/** Writes of one transaction, one of them for the outbox. */
const WRITES_MAX = 99;
/** Blocks under way at a time, each a transaction of its own. */
const BLOCKS_AT_ONCE = 4;
const DECISIONS_MAX = 8;
const REDECIDE_BASE_MS = 10;

/** A row with its line: to be booked, or to be put aside. */
export type Judged = ReadyRow | FaultyRow;
const isFaulty = (row: Judged): row is FaultyRow => 'field' in row;

export interface Loaded extends Counts {
  /** Rows that were dealt with before. */
  repeated: number;
}

const addTo = <T extends Partial<Loaded>>(sum: Loaded, more: T): void => {
  for (const name of Object.keys(more) as (keyof Loaded)[]) sum[name] += more[name] ?? 0;
};

/** The movement of a line. Of an absolute file a place has one: that a second line speaks of it shows in its ledger. */
const movementOf = ({ importId, meaning }: ImportRecord, line: number): string =>
  meaning === 'ON_HAND' ? `import#${importId}` : `import#${importId}#${line}`;
const referenceOf = ({ importId }: ImportRecord, line: number): string => `import#${importId}#${line}`;
const lineIn = (reference: string): number => Number(reference.split('#').at(-1));

/** Books rows as one change with the block's own version; says which of them the books agreed with already. */
export const bookRows = async (
  { tables }: Pick<Runtime, 'tables'>,
  record: ImportRecord,
  rows: readonly ReadyRow[],
  version: { block: Block; request: Request },
): Promise<Result<{ booked: Change<'changed-meanwhile'>; unchanged: Set<number> }, 'changed-meanwhile'>> => {
  const { block, request } = version;
  const whole = { subject: `import/${record.importId}.${block.number}`, version: block.version + 1 };
  const common = rows.map(({ line, sku, nodeId, reason }) => ({
    ...{ sku, nodeId, movementId: movementOf(record, line), reference: referenceOf(record, line) },
    ...(reason === undefined ? {} : { reason }),
  }));
  if (record.meaning === 'ON_HAND') {
    const statements = common.map((row, at) => ({ ...row, onHand: rows[at]!.units, asOf: record.asOf }));
    const corrected = await correctTo(tables, statements, request.cause, whole);
    if (!corrected.ok) return corrected;
    const unchanged = new Set(corrected.value.unchanged.map(({ reference }) => lineIn(reference)));
    return ok({ booked: corrected.value.change, unchanged });
  }
  const happenings = common.map((row, at) => ({
    ...{ ...row, kind: 'CORRECTION' as const, units: rows[at]!.units, occurredAt: record.asOf },
  }));
  return ok({ booked: await happened(tables, happenings, request.cause, whole), unchanged: new Set<number>() });
};

/** Rows of an absolute file about places that another line of it has spoken of before, by line. */
export const spokenOf = async (
  { tables }: Pick<Runtime, 'tables'>,
  record: ImportRecord,
  rows: readonly ReadyRow[],
): Promise<Map<number, Fault>> => {
  if (record.meaning === 'CHANGES') return new Map();
  const moves = rows.map(({ sku, nodeId, line }) => ({ sku, nodeId, movementId: movementOf(record, line) }));
  const references = await referencesBooked(tables, moves);
  return new Map(
    rows.flatMap(({ line }, at) => {
      const reference = references[at];
      return reference === undefined ? [] : [[line, saidBefore(lineIn(reference))] as const];
    }),
  );
};

/** Rows of one block, decided on a block as it was read. */
const decideBlock = async (
  runtime: Runtime,
  record: ImportRecord,
  rows: readonly Judged[],
  { block, request, isAgain }: { block: Block; request: Request; isAgain: boolean },
): Promise<Result<{ change: Change<'changed-meanwhile'>; next: Block }, 'changed-meanwhile'>> => {
  const ready = rows.filter((row): row is ReadyRow => !isFaulty(row));
  const faults = record.meaning === 'ON_HAND' ? contradictions(ready) : new Map<number, Fault>();
  // Nobody looks for it in advance: where a place is spoken of twice, the second write of its movement is refused.
  if (isAgain) for (const [line, fault] of await spokenOf(runtime, record, ready)) faults.set(line, fault);
  const good = ready.filter(({ line }) => !faults.has(line));
  const bad: FaultyRow[] = [
    ...rows.filter(isFaulty),
    ...[...faults].map(([line, fault]) => {
      const { sku, nodeId, units } = ready.find((row) => row.line === line)!;
      return { line, text: `${sku}, ${nodeId}, ${units}`, ...fault };
    }),
  ];
  const rowsBooked = await bookRows(runtime, record, good, { block, request });
  if (!rowsBooked.ok) return rowsBooked;
  const { booked, unchanged } = rowsBooked.value;
  const results = new Map<number, Outcome>([
    ...good.map(({ line }) => [line, unchanged.has(line) ? 'UNCHANGED' : 'LOADED'] as const),
    ...bad.map(({ line }) => [line, 'QUARANTINED'] as const),
  ]);
  const next = settled(block, results);
  const parts = [
    blockPart(record.importId, next),
    ...bad.map((row) => quarantinePart(record.importId, row)),
    ...booked.parts,
  ];
  return ok({ change: change(parts, booked.facts), next });
};

/** What has become of these lines, by a block that was just written. */
const countsIn = (block: Block, rows: readonly Judged[]): Counts =>
  countsOf([{ outcomes: rows.map(({ line }) => block.outcomes[line % BLOCK_LINES]).join('') }]);

/**
 * Deals with the rows of one block that nothing has become of yet. The record of the block is written in the
 * transaction that books its rows, on the version that was read: a chunk that comes twice, in two pieces, or at the same
 * time as itself, finds what was done, and a crash leaves no row half done.
 */
const loadBlock = async (
  runtime: Runtime,
  record: ImportRecord,
  number: number,
  { rows, request }: { rows: readonly Judged[]; request: Request },
): Promise<Result<Loaded, 'too-busy'>> => {
  const loaded: Loaded = { ...countsOf([]), repeated: 0 };
  let pending = rows;
  let size = rows.length;
  let failures = 0;
  while (pending.length > 0) {
    const block = await blockAt(runtime.tables, record.importId, number);
    const open = pending.filter(({ line }) => outcomeAt(block, line) === undefined);
    loaded.repeated += pending.length - open.length;
    pending = open;
    const taken = open.slice(0, size);
    if (taken.length === 0) break;
    const decided = await decideBlock(runtime, record, taken, { block, request, isAgain: failures > 0 });
    if (decided.ok && decided.value.change.parts.length > WRITES_MAX && taken.length > 1) {
      // What is hot or runs short takes more writes than two a row.
      size = Math.ceil(taken.length / 2);
      continue;
    }
    const committed = decided.ok ? await request.commit(decided.value.change) : decided;
    if (decided.ok && committed.ok) {
      addTo(loaded, countsIn(decided.value.next, taken));
      pending = open.slice(taken.length);
      failures = 0;
      continue;
    }
    failures += 1;
    const { problem, detail } = (committed as Exclude<typeof committed, { ok: true }>).refusal;
    if (problem === 'too-busy' || failures >= DECISIONS_MAX) return refuse('too-busy', detail);
    await runtime.sleep(runtime.random() * REDECIDE_BASE_MS * 2 ** failures);
  }
  return ok(loaded);
};

/** Deals with rows, some blocks at a time. Refused where others are in the way; what was done until then stays done. */
export const loadRows = async (
  runtime: Runtime,
  record: ImportRecord,
  rows: readonly Judged[],
  request: Request,
): Promise<Result<Loaded, 'too-busy'>> => {
  // One iterator for all lanes: each takes the next block.
  const blocks = Map.groupBy(rows, ({ line }) => blockOf(line)).entries();
  const sum: Loaded = { ...countsOf([]), repeated: 0 };
  let refused: Result<Loaded, 'too-busy'> | undefined;
  const lane = async (): Promise<void> => {
    for (const [number, ofBlock] of blocks) {
      if (refused !== undefined) return;
      const done = await loadBlock(runtime, record, number, { rows: ofBlock, request });
      if (!done.ok) {
        refused = done;
        return;
      }
      addTo(sum, done.value);
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_AT_ONCE }, lane));
  return refused ?? ok(sum);
};

/** Lines of these rows that nothing has become of yet. */
export const openLines = async (
  { tables }: Pick<Runtime, 'tables'>,
  { importId }: ImportRecord,
  lines: readonly number[],
): Promise<number[]> => {
  const numbers = [...new Set(lines.map(blockOf))];
  const blocks = new Map(
    await Promise.all(numbers.map(async (number) => [number, await blockAt(tables, importId, number)] as const)),
  );
  return lines.filter((line) => outcomeAt(blocks.get(blockOf(line))!, line) === undefined);
};

import { change } from '../../shared/change.ts';
import { type OperationHandlers, type Request, reply } from '../../shared/http.ts';
import { earlierAnswer } from '../../shared/idempotency.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import type imports from './contract.ts';
import { CHUNK_ROWS_MAX, type Row, type StockImport } from './contract.ts';
import {
  blockOf,
  columnsNeeded,
  fixedRow,
  outcomeAt,
  type Reading,
  type ReadyRow,
  rowFrom,
  settled,
  strangeness,
} from './domain.ts';
import { exportPage } from './exported.ts';
import { knownOf } from './known.ts';
import { bookRows, type Judged, loadRows, openLines, spokenOf } from './load.ts';
import {
  blockAt,
  blockPart,
  countsSoFar,
  type FixedRow,
  fixedAt,
  fixedParts,
  type ImportRecord,
  importOf,
  importPart,
  quarantineOf,
} from './store.ts';
import { readHeader, readRows } from './text/read.ts';
import { asCsv, asJsonLines } from './text/write.ts';

type Handlers = OperationHandlers<typeof imports>;

const viewOf = async (tables: Tables, record: ImportRecord): Promise<StockImport> => ({
  ...record,
  columns: [...record.columns],
  ...(await countsSoFar(tables, record.importId)),
});

const found = async (tables: Tables, importId: string): Promise<Result<ImportRecord, 'not-found'>> => {
  const record = await importOf(tables, importId);
  return record === undefined ? refuse('not-found', `there is no import ${importId}`) : ok(record);
};

/** An import that was opened before is gone on with, if it means the same file. */
const isSame = (a: ImportRecord, b: ImportRecord): boolean =>
  a.format === b.format && a.meaning === b.meaning && a.delimiter === b.delimiter && `${a.columns}` === `${b.columns}`;

const opened = (
  { importId, format, meaning, header, asOf }: Parameters<Handlers['open']>[0],
  { now, cause }: Request,
): Result<ImportRecord, 'invalid-input'> => {
  if (asOf !== undefined && asOf > now) return refuse('invalid-input', 'is not over yet', '/asOf');
  if (format === 'jsonl' && header !== undefined) return refuse('invalid-input', 'is for CSV alone', '/header');
  const needed = columnsNeeded(meaning);
  const written = format === 'jsonl' ? { columns: [], delimiter: '' } : readHeader(header ?? '', needed);
  if (written === undefined) return refuse('invalid-input', `must name once each ${needed.join(', ')}`, '/header');
  return ok({
    ...{ importId, format, meaning, ...written, asOf: asOf ?? now },
    ...{ status: 'OPEN', openedAt: now, openedBy: cause.actor, version: 1 },
  });
};

/** Rows with what is wrong with them: in themselves, or for this shop. */
const judge = async (tables: Tables, readings: readonly Reading[], { meaning }: ImportRecord): Promise<Judged[]> => {
  const read = readings.map(({ line, text, said }) => ({ line, text, ...rowFrom(said, meaning) }));
  const shop = await knownOf(
    tables,
    read.flatMap((one) => ('row' in one ? [one.row.sku] : [])),
  );
  return read.map(({ line, text, ...one }) => {
    const fault = 'fault' in one ? one.fault : strangeness(one.row, shop);
    return fault !== undefined ? { line, text, ...fault } : { line, ...(one as { row: Row }).row };
  });
};

const fileHandlers = ({
  tables,
}: Runtime): Pick<Handlers, 'open' | 'progress' | 'quarantine' | 'close' | 'exported'> => ({
  open: async (wanted, request) => {
    const record = opened(wanted, request);
    if (!record.ok) return record;
    const there = await importOf(tables, wanted.importId);
    if (there === undefined) return reply(await viewOf(tables, record.value), change([importPart(record.value)]));
    const isAnother = wanted.asOf !== undefined && wanted.asOf !== there.asOf;
    if (isAnother || !isSame(there, record.value)) {
      return refuse('already-exists', `${wanted.importId} is the import of another file`);
    }
    return reply(await viewOf(tables, there));
  },

  progress: async ({ importId }) => {
    const record = await found(tables, importId);
    return record.ok ? reply(await viewOf(tables, record.value)) : record;
  },

  quarantine: async ({ importId, limit, cursor }) => {
    const record = await found(tables, importId);
    return record.ok ? reply(await quarantineOf(tables, importId, { limit, cursor })) : record;
  },

  close: async ({ importId, rows }, { now }) => {
    const record = await found(tables, importId);
    if (!record.ok) return record;
    const view = await viewOf(tables, record.value);
    const done = view.loaded + view.unchanged + view.fixed + view.quarantined;
    if (done !== rows) return refuse('wrong-state', `${done} of ${rows} rows have come`, '/rows');
    if (view.status === 'CLOSED') return reply(view);
    const closed = { ...record.value, status: 'CLOSED' as const, closedAt: now, version: record.value.version + 1 };
    return reply({ ...view, ...closed, columns: view.columns }, change([importPart(closed)]));
  },

  exported: async ({ format, nodeId, bom, limit, cursor }) => {
    const { rows, ...rest } = await exportPage(tables, { nodeId, limit, cursor });
    const isFirst = cursor === undefined;
    const csv = { header: isFirst, bom: isFirst && bom === 'true' };
    return reply({ text: format === 'csv' ? asCsv(rows, csv) : asJsonLines(rows), rows: rows.length, ...rest });
  },
});

export const handlers = (runtime: Runtime): Handlers => {
  const { tables } = runtime;

  /** The answer of a row that was put right before, if it was so. */
  const fixedBefore = ({ importId, line }: { importId: string; line: number }, row: Row, before: FixedRow) => {
    const { sku, nodeId, units } = before;
    const isSameRow = sku === row.sku && nodeId === row.nodeId && units === row.units;
    if (!isSameRow) return refuse('wrong-state', `line ${line} was put right before, as ${sku} at ${nodeId}: ${units}`);
    return reply({ importId, line, sku, nodeId, units });
  };

  const load: Handlers['load'] = async ({ importId, firstLine, text }, request) => {
    const record = await found(tables, importId);
    if (!record.ok) return record;
    const { readings, lastLine } = readRows(text, firstLine, record.value);
    if (readings.length > CHUNK_ROWS_MAX) {
      return refuse('invalid-input', `holds more than ${CHUNK_ROWS_MAX} rows`, '/text');
    }
    // What this does is on record before its answer is: a key that stands for something else is refused first.
    const earlier = request.command === undefined ? undefined : await earlierAnswer(tables, request.command);
    if (earlier !== undefined && 'refusal' in earlier) return earlier.refusal as never;
    if (record.value.status === 'CLOSED') {
      const open = await openLines(
        runtime,
        record.value,
        readings.map(({ line }) => line),
      );
      if (open.length > 0) return refuse('wrong-state', `${importId} is closed, and line ${open[0]} is new to it`);
    }
    const loaded = await loadRows(runtime, record.value, await judge(tables, readings, record.value), request);
    if (!loaded.ok) return loaded;
    return reply({ importId, firstLine, lastLine, rows: readings.length, ...loaded.value });
  };

  const fix: Handlers['fix'] = async ({ importId, line, ...given }, request) => {
    const record = await found(tables, importId);
    if (!record.ok) return record;
    const row = fixedRow(given, record.value.meaning);
    if (!row.ok) return row;
    const [block, before, shop] = await Promise.all([
      blockAt(tables, importId, blockOf(line)),
      fixedAt(tables, importId, line),
      knownOf(tables, [given.sku]),
    ]);
    if (before !== undefined) return fixedBefore({ importId, line }, row.value, before);
    if (outcomeAt(block, line) !== 'QUARANTINED') {
      return refuse('not-found', `line ${line} of ${importId} is not in quarantine`);
    }
    const ready: ReadyRow = { ...row.value, line };
    const [spoken] = (await spokenOf(runtime, record.value, [ready])).values();
    const fault = strangeness(row.value, shop) ?? spoken;
    if (fault !== undefined) {
      return refuse('invalid-input', fault.reason, fault.field === 'row' ? '/sku' : `/${fault.field}`);
    }
    const rows = await bookRows(runtime, record.value, [ready], { block, request });
    if (!rows.ok) return rows;
    const fixed: FixedRow = { ...ready, fixedBy: request.cause.actor, fixedAt: request.now };
    const { sku, nodeId, units } = ready;
    return reply(
      { importId, line, sku, nodeId, units },
      change([blockPart(importId, settled(block, new Map([[line, 'FIXED']]))), ...fixedParts(importId, fixed)]),
      rows.value.booked,
    );
  };

  return { ...fileHandlers(runtime), load, fix };
};

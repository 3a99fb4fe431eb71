import { changedMeanwhile, put, remove } from '../../shared/change.ts';
import { withoutCardNumbers } from '../../shared/input.ts';
import type { Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import type { Meaning, QuarantinedRow, Row } from './contract.ts';
import { type Block, type Counts, countsOf, emptyBlock, type FaultyRow } from './domain.ts';
import type { Writing } from './text/read.ts';

const TABLE = 'imports';

/** An import as it was opened; what became of its lines stands in its blocks. */
export interface ImportRecord extends Writing {
  importId: string;
  meaning: Meaning;
  asOf: Instant;
  status: 'OPEN' | 'CLOSED';
  openedAt: Instant;
  openedBy: string;
  closedAt?: Instant;
  version: number;
}

/** A row as somebody has put it right. */
export interface FixedRow extends Row {
  line: number;
  fixedBy: string;
  fixedAt: Instant;
}

const digits = (number: number, length: number): string => String(number).padStart(length, '0');
const pkOf = (importId: string): string => `IMPORT#${importId}`;
const importKey = (importId: string): Key => ({ pk: pkOf(importId), sk: 'IMPORT' });
const blockKey = (importId: string, number: number): Key => ({ pk: pkOf(importId), sk: `BLOCK#${digits(number, 6)}` });
const lineKey = (kind: 'QUARANTINE' | 'FIXED', importId: string, line: number): Key => ({
  pk: pkOf(importId),
  sk: `${kind}#${digits(line, 7)}`,
});

const follows = (version: number): Guard[] => [
  version === 1 ? { guard: 'absent' } : { guard: 'version', version: version - 1 },
];

export const importOf = (tables: Tables, importId: string): Promise<ImportRecord | undefined> =>
  tables.get(TABLE, importKey(importId));

export const importPart = (record: ImportRecord): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...importKey(record.importId), ...record },
    follows(record.version),
    changedMeanwhile(`import ${record.importId}`),
  );

/** What is known of a block of lines; nothing has become of them where nobody wrote it. */
export const blockAt = async (tables: Tables, importId: string, number: number): Promise<Block> =>
  (await tables.get<Block>(TABLE, blockKey(importId, number))) ?? emptyBlock(number);

export const blockPart = (importId: string, block: Block): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...blockKey(importId, block.number), ...block },
    follows(block.version),
    changedMeanwhile(`block ${block.number} of import ${importId}`),
  );

const BLOCKS_AT_ONCE = 1_000;

/** What became of all lines so far, as it stands. */
export const countsSoFar = async (tables: Tables, importId: string): Promise<Counts> => {
  const sum = countsOf([]);
  let cursor: string | undefined;
  do {
    const page = await tables.query<Block>(TABLE, {
      ...{ pk: pkOf(importId), startsWith: 'BLOCK#', limit: BLOCKS_AT_ONCE, cursor, consistent: true },
    });
    const counts = countsOf(page.items);
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
    cursor = page.cursor;
  } while (cursor !== undefined);
  return sum;
};

const TEXT_MAX = 300;

/** The beginning of a row for a person to recognise it: one line, and no card number that somebody pasted (rule 24). */
const recognisable = (text: string): string =>
  withoutCardNumbers(text.toWellFormed().replaceAll(/[\p{Cc}]+/gu, ' '))
    .slice(0, TEXT_MAX)
    .toWellFormed();

export const quarantinePart = (importId: string, { line, field, reason, text }: FaultyRow): Part<never> =>
  put(
    TABLE,
    {
      ...lineKey('QUARANTINE', importId, line),
      ...{ line, field: recognisable(field).slice(0, 64), reason: recognisable(reason), text: recognisable(text) },
    },
    [],
    undefined as never,
  );

export const quarantineOf = (
  tables: Tables,
  importId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<QuarantinedRow>> => tables.query(TABLE, { pk: pkOf(importId), startsWith: 'QUARANTINE#', ...page });

export const fixedAt = (tables: Tables, importId: string, line: number): Promise<FixedRow | undefined> =>
  tables.get(TABLE, lineKey('FIXED', importId, line));

/** A row leaves the quarantine; who put it right, and how, stays on record. */
export const fixedParts = (importId: string, fixed: FixedRow): Part<'changed-meanwhile'>[] => {
  const refusal = changedMeanwhile(`line ${fixed.line} of import ${importId}`);
  return [
    remove(TABLE, lineKey('QUARANTINE', importId, fixed.line), [{ guard: 'exists' }], refusal),
    put(TABLE, { ...lineKey('FIXED', importId, fixed.line), ...fixed }, [{ guard: 'once' }], refusal),
  ];
};

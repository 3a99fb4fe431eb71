import * as z from 'zod';
import { scope } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';
import { freeText, Id, NodeId, pageOf, paging, Sentence, Sku } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

/** Lines of one file. */
export const LINES_MAX = 1_000_000;
/** Rows of one chunk: with 256 KB of a body, about a second's work. */
export const CHUNK_ROWS_MAX = 2_000;
/** Characters of one row; a longer one is no row. */
export const ROW_LENGTH_MAX = 4_000;
/** Columns of a CSV file. */
export const COLUMNS_MAX = 64;
/** Rows of one page of an export. */
const EXPORT_ROWS_MAX = 1_000;

const wholeNumber = z.int({ error: 'must be a whole number' });
const OnHand = wholeNumber.min(0).max(1_000_000_000).meta({ description: 'Units that were there' });
const UnitsDelta = wholeNumber
  .min(-1_000_000)
  .max(1_000_000)
  .refine((units) => units !== 0, { error: 'must not be 0' })
  .meta({ description: 'Units that come to it, negative: that go' });

const reason = freeText(200).optional();
/** What a row has to say, by what its file means. */
export const ROWS = {
  ON_HAND: z.object({ sku: Sku, nodeId: NodeId, onHand: OnHand, reason }),
  CHANGES: z.object({ sku: Sku, nodeId: NodeId, unitsDelta: UnitsDelta, reason }),
} as const;
export type Meaning = keyof typeof ROWS;

/** A row that can be booked. `units`: on hand, or by how much it changes, as the file means it. */
export interface Row {
  sku: string;
  nodeId: string;
  units: number;
  reason?: string | undefined;
}

const ofFile = { description: 'Line of the file, from 1' };
const count = (description: string) => z.int().meta({ description });
const counts = {
  loaded: count('Rows that were booked as they came'),
  unchanged: count('Rows that say what the books say'),
  fixed: count('Rows that were booked after somebody had put them right'),
  quarantined: count('Rows that wait for somebody to put them right'),
};

/** Text of somebody's file, of which nothing is said but how long it may be. */
const anyText = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[\s\S]*$/);

export const StockImport = z
  .object({
    importId: Id,
    format: z.enum(['csv', 'jsonl']),
    meaning: z.enum(['ON_HAND', 'CHANGES']),
    columns: z.array(anyText(1_000)).max(COLUMNS_MAX).meta({ description: 'Of a CSV file, in their order' }),
    asOf: InstantSchema.meta({ description: 'When the file was true' }),
    status: z.enum(['OPEN', 'CLOSED']),
    ...counts,
    openedAt: InstantSchema,
    openedBy: Sentence,
    closedAt: InstantSchema.optional(),
  })
  .meta({ id: 'StockImport' });
export type StockImport = z.infer<typeof StockImport>;

export const QuarantinedRow = z
  .object({
    line: z.int(),
    field: Sentence.meta({ description: 'The column that is wrong; `row` where it is the row as a whole' }),
    reason: Sentence,
    text: Sentence.meta({ description: 'What the line begins with' }),
  })
  .meta({ id: 'QuarantinedRow' });
export type QuarantinedRow = z.infer<typeof QuarantinedRow>;

const isShortEnough = (text: string): boolean => !new RegExp(`[^\\r\\n]{${ROW_LENGTH_MAX + 1}}`).test(text);
const Rows = z
  .string()
  .min(1)
  .max(256 * 1024)
  .regex(/\S/, 'holds no row')
  .refine(isShortEnough, { error: `holds a line of more than ${ROW_LENGTH_MAX} characters` })
  .meta({ description: 'Whole rows as they stand in the file, with the line breaks between them' });

const importId = { importId: Id.meta({ description: 'Of your choice; a hash of the file makes a repeat harmless' }) };

export default capability({
  name: 'imports',
  summary: 'Stock as files: CSV and JSON lines in, row by row and exactly once, and out again.',
  table: { indexes: {} },
  operations: {
    open: operation({
      route: 'PUT /v1/stock-imports/{importId}',
      access: scope('inventory:write'),
      summary: 'Begin to import a file, or go on where it stopped.',
      input: z.object({
        ...importId,
        format: z.enum(['csv', 'jsonl']),
        meaning: z
          .enum(['ON_HAND', 'CHANGES'])
          .meta({ description: 'ON_HAND: how many are there, in `onHand`; CHANGES: by how many, in `unitsDelta`' }),
        header: z
          .string()
          .min(1)
          .max(1_000)
          .regex(/^[^\p{Cc}]*(?:\t[^\p{Cc}]*)*$/u, 'must be one line')
          .optional()
          .meta({ description: 'First line of a CSV file: sku, nodeId, onHand or unitsDelta, reason if you like' }),
        asOf: InstantSchema.optional().meta({
          description: 'When the file was true: what moved since stays moved. Now, if absent',
        }),
      }),
      output: StockImport,
      problems: ['already-exists'],
    }),
    load: operation({
      route: 'POST /v1/stock-imports/{importId}/chunks',
      access: scope('inventory:write'),
      summary: 'Some rows of the file, in any order of chunks. Rows that were loaded before are left alone.',
      input: z.object({ ...importId, firstLine: z.int().min(1).max(LINES_MAX).meta(ofFile), text: Rows }),
      output: z.object({
        importId: Id,
        firstLine: z.int(),
        lastLine: z.int(),
        rows: count('Rows of this chunk'),
        ...counts,
        repeated: count('Of these rows: those that were dealt with before'),
      }),
      problems: ['not-found', 'wrong-state'],
    }),
    progress: operation({
      route: 'GET /v1/stock-imports/{importId}',
      access: scope('inventory:write'),
      summary: 'How far an import has come.',
      input: z.object(importId),
      output: StockImport,
      problems: ['not-found'],
    }),
    quarantine: operation({
      route: 'GET /v1/stock-imports/{importId}/quarantine',
      access: scope('inventory:write'),
      summary: 'Rows that could not be booked: line, field and reason.',
      input: z.object({ ...importId, ...paging }),
      output: pageOf(QuarantinedRow),
      problems: ['not-found'],
    }),
    fix: operation({
      route: 'PUT /v1/stock-imports/{importId}/rows/{line}',
      access: scope('inventory:write'),
      summary: 'Put a quarantined row right; it is booked.',
      input: z.object({
        ...importId,
        line: z.coerce.number().int().min(1).max(LINES_MAX).meta(ofFile),
        sku: Sku,
        nodeId: NodeId,
        onHand: OnHand.optional(),
        unitsDelta: UnitsDelta.optional(),
        reason,
      }),
      output: z.object({ importId: Id, line: z.int(), sku: Sku, nodeId: NodeId, units: z.int() }),
      problems: ['not-found', 'wrong-state'],
    }),
    close: operation({
      route: 'POST /v1/stock-imports/{importId}/closure',
      access: scope('inventory:write'),
      summary: 'End an import whose rows have all come; says what it did. Quarantined rows may still be put right.',
      input: z.object({ ...importId, rows: z.int().min(0).max(LINES_MAX).meta({ description: 'Rows of the file' }) }),
      output: StockImport,
      problems: ['not-found', 'wrong-state'],
    }),
    exported: operation({
      route: 'GET /v1/stock-exports',
      access: scope('inventory:read'),
      summary: 'What nodes hold, as text of a file: one page, that goes on where the page before ended.',
      input: z.object({
        format: z.enum(['csv', 'jsonl']).default('csv').meta({ description: 'How rows are written' }),
        nodeId: NodeId.optional().meta({ description: 'Absent: every node of the network' }),
        bom: z
          .enum(['true', 'false'])
          .default('false')
          .meta({ description: 'For spreadsheets, at the very beginning' }),
        limit: z.coerce.number().int().min(1).max(EXPORT_ROWS_MAX).default(500).meta({ description: 'Rows at most' }),
        cursor: paging.cursor,
      }),
      output: z.object({
        text: anyText(1_000_000),
        rows: z.int(),
        cursor: paging.cursor.meta({ description: 'For the next page; absent on the last' }),
      }),
      problems: [],
    }),
  },
  grants: {
    api: {
      tables: {
        imports: ['GetItem', 'Query', 'PutItem', 'DeleteItem'],
        inventory: [
          ...(['GetItem', 'Query:byTime', 'Query:byNode'] as const),
          ...(['PutItem', 'UpdateItem', 'ConditionCheckItem'] as const),
        ],
        catalog: ['GetItem'],
        network: ['Query'],
        outbox: ['PutItem'],
      },
    },
  },
});

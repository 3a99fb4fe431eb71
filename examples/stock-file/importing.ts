import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import imports, { type QuarantinedRow, type StockImport } from '../../functions/imports/contract.ts';
import { type Client, ProblemError } from '../../shared/client.ts';
import { everyPage } from '../loading.ts';
import { type Chunk, chunksOf, linesOf } from './rows.ts';

export interface ImportOptions {
  client: Client;
  file: string;
  format: 'csv' | 'jsonl';
  /** By what the file's first line names, unless given. */
  meaning?: 'ON_HAND' | 'CHANGES' | undefined;
  asOf?: string | undefined;
  /** A hash of the content unless given: the same file is the same import. */
  importId?: string | undefined;
  /** Told after each chunk. */
  progress?: (done: { rows: number; bytes: number }) => void;
}

/** Chunks under way at a time. The file is read only as fast as they are taken. */
const CONCURRENCY = 3;
const ATTEMPTS_MAX = 6;
const RETRY_BASE_MS = 200;

export const hashOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('base64url');
};

/** Busy, throttled or without an answer: the same command again, under the same key, does it once. */
const mayBeRepeated = (error: unknown): boolean =>
  !(error instanceof ProblemError) || error.status === 429 || error.status >= 500;

const patiently = async <T>(call: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !mayBeRepeated(error)) throw error;
      await setTimeout(Math.random() * RETRY_BASE_MS * 2 ** attempt);
    }
  }
};

/** Imports a file and says what became of it. Run again, it goes on where it stopped, and done, it adds nothing. */
export const importFile = async (options: ImportOptions): Promise<StockImport> => {
  const { client, file, format, asOf, progress = () => {} } = options;
  const importId = options.importId ?? (await hashOf(file));
  const lines = linesOf(file);
  const first = (await lines.next()).value ?? '';
  const meaning = options.meaning ?? (first.includes('unitsDelta') ? 'CHANGES' : 'ON_HAND');
  const isCsv = format === 'csv';
  const { open, load, close } = imports.operations;
  const opening = { importId, format, meaning, ...(asOf === undefined ? {} : { asOf }) };
  await patiently(() => client(open, { ...opening, ...(isCsv ? { header: first } : {}) }));

  async function* rest(): AsyncGenerator<string> {
    if (!isCsv) yield first;
    yield* lines;
  }
  const chunks = chunksOf(rest(), isCsv ? 2 : 1, isCsv);
  const done = { rows: 0, bytes: 0 };
  const send = async ({ firstLine, text }: Chunk): Promise<void> => {
    const idempotencyKey = crypto.randomUUID();
    const { rows } = await patiently(() => client(load, { importId, firstLine, text }, { idempotencyKey }));
    done.rows += rows;
    done.bytes += Buffer.byteLength(text);
    progress(done);
  };
  const lane = async (): Promise<void> => {
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) await send(next.value);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return patiently(() => client(close, { importId, rows: done.rows }));
};

/** Rows that wait for somebody to put them right. */
export const quarantineOf = (client: Client, importId: string): AsyncGenerator<QuarantinedRow> =>
  everyPage((page) => client(imports.operations.quarantine, { importId, ...page }));

/** Rows put right, from JSON lines with `line` and the row's fields; says which were refused, and why. */
export const retryRows = async (
  client: Client,
  importId: string,
  file: string,
): Promise<{ fixed: number; refused: string[] }> => {
  const refused: string[] = [];
  let fixed = 0;
  for await (const text of linesOf(file)) {
    if (text.trim() === '') continue;
    const row = JSON.parse(text);
    try {
      await patiently(() => client(imports.operations.fix, { ...row, importId }));
      fixed += 1;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      refused.push(`line ${row.line}: ${error.problem.detail}`);
    }
  }
  return { fixed, refused };
};

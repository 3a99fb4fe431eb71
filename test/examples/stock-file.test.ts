import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importFile, quarantineOf, retryRows } from '../../examples/stock-file/importing.ts';
import { type Chunk, chunksOf, linesOf } from '../../examples/stock-file/rows.ts';
import imports from '../../functions/imports/contract.ts';
import { type Client, ProblemError } from '../../shared/client.ts';
import { requestOf } from '../hostile/mutants.ts';
import { type ImportShop, OFFICE, openShop } from '../imports/shop.ts';

let shop: ImportShop;
let folder: string;
let busy = 0;

beforeAll(async () => {
  shop = await openShop({ skus: ['TEE', 'CAP'], nodeIds: ['dc-1', 'store-1'] });
  folder = mkdtempSync(join(tmpdir(), 'ieum-stock-file-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await shop.end();
});

const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
async function* given(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** The API without HTTP between; `busy` calls are turned away first. */
const client = (async (operation, input, options = {}) => {
  const [name] = Object.entries(imports.operations).find(([, one]) => (one as unknown) === operation)!;
  const { idempotencyKey } = options;
  if (busy > 0) {
    busy -= 1;
    throw new ProblemError(name, 503, { type: '', title: 'busy', status: 503, detail: '' });
  }
  const call = { ...requestOf(operation, input as Record<string, unknown>), as: OFFICE };
  const answer = await shop.call(name as keyof typeof imports.operations, {
    ...call,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
  if (answer.status >= 400) throw new ProblemError(name, answer.status, answer.body);
  return answer.body;
}) as Client;

describe('a file that is read piece by piece', () => {
  it.each([
    ['a line break at its end', 'a\nb\n', ['a', 'b']],
    ['none', 'a\nb', ['a', 'b']],
    ['Windows and old Apple line breaks', 'a\r\nb\rc\r', ['a', 'b', 'c']],
    ['an empty line', 'a\n\nb', ['a', '', 'b']],
    ['Korean over the edge of what is read at once', `${'가'.repeat(30_000)}\n나`, ['가'.repeat(30_000), '나']],
  ])('with %s has its lines', async (_, text, lines) => {
    expect(await all(linesOf(fileOf('lines', text)))).toEqual(lines);
  });

  it('is cut between rows, never within quotes, and every line keeps its number', async () => {
    const rows = Array.from({ length: 2_500 }, (_, at) => (at % 7 === 0 ? `${at},"two\nlines"` : `${at},one`));
    const lines = rows.join('\n').split('\n');
    const chunks: Chunk[] = await all(chunksOf(given(lines), 2, true));
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.map(({ text }) => text).join('\n')).toBe(lines.join('\n'));
    expect(chunks.reduce((sum, one) => sum + one.rows, 0)).toBe(rows.length);
    for (const { firstLine, text } of chunks) {
      expect(lines[firstLine - 2]).toBe(text.split('\n')[0]);
      expect(text.split('"').length % 2).toBe(1);
    }
  });
});

describe('a stock file', () => {
  it('is imported while the API is busy now and then, and once', async () => {
    const rows = ['TEE,dc-1,3,"재고 조사,\r\n둘째 줄"', 'TEE,store-1,4,', '', 'CAP,dc-1,5,', 'CAPP,dc-1,6,'];
    const file = fileOf('stock.csv', `\uFEFFsku,nodeId,onHand,reason\r\n${rows.join('\r\n')}\r\n`);
    busy = 2;
    const done = await importFile({ client, file, format: 'csv' });
    expect(done).toMatchObject({ status: 'CLOSED', meaning: 'ON_HAND', loaded: 3, quarantined: 1 });
    expect(await importFile({ client, file, format: 'csv' })).toEqual(done);
    expect(await all(quarantineOf(client, done.importId))).toMatchObject([{ line: 7, field: 'sku' }]);
    const retry = fileOf(
      'retry.jsonl',
      '{"line":7,"sku":"CAP","nodeId":"store-1","onHand":6}\n{"line":9,"sku":"CAP","nodeId":"dc-1","onHand":6}\n',
    );
    expect(await retryRows(client, done.importId, retry)).toEqual({
      fixed: 1,
      refused: [expect.stringContaining('line 9')],
    });
    expect(await shop.onHand('CAP')).toEqual({ 'dc-1': 5, 'store-1': 6 });
  });

  it('of JSON lines with changes is known by its first row', async () => {
    const file = fileOf('changes.jsonl', '{"sku":"TEE","nodeId":"dc-1","unitsDelta":-1}\n');
    expect(await importFile({ client, file, format: 'jsonl' })).toMatchObject({ meaning: 'CHANGES', loaded: 1 });
    expect((await shop.onHand('TEE'))['dc-1']).toBe(2);
  });
});

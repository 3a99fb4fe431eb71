import { createWriteStream, renameSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import imports from '../../functions/imports/contract.ts';
import type { Client } from '../../shared/client.ts';
import { ACCESS_OPTIONS, ACCESS_USAGE, clientOf } from './access.ts';

const USAGE = `npm run stock:export -- FILE [options]

Writes what nodes hold as CSV, or as JSON lines where the file is called *.jsonl.
  --node ID         one node (default: all)
  --bom             with a byte order mark, for spreadsheets
${ACCESS_USAGE}`;

/** Rows of a page: a request's work. */
const LIMIT = 1_000;

/** The text of an export, read as fast as it is written away. */
async function* pagesOf(
  client: Client,
  query: { format: 'csv' | 'jsonl'; bom: 'true' | 'false'; nodeId?: string },
  count: (rows: number) => void,
): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await client(imports.operations.exported, {
      ...{ ...query, limit: LIMIT },
      ...(cursor === undefined ? {} : { cursor }),
    });
    count(page.rows);
    yield page.text;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...ACCESS_OPTIONS,
      node: { type: 'string' },
      bom: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (values.help || file === undefined) return console.log(USAGE);
  const format = file.endsWith('.jsonl') ? 'jsonl' : 'csv';
  const node = values.node === undefined ? {} : { nodeId: values.node };
  let rows = 0;
  const pages = pagesOf(clientOf(values), { format, bom: values.bom ? 'true' : 'false', ...node }, (more) => {
    rows += more;
  });
  // Whoever finds the file finds it whole.
  await pipeline(Readable.from(pages), createWriteStream(`${file}.part`));
  renameSync(`${file}.part`, file);
  console.log(`${rows} rows in ${file}`);
};

try {
  await main();
} catch (error) {
  console.error(`The export stopped: ${(error as Error).message}`);
  process.exit(2);
}

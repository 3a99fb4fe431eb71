import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ACCESS_OPTIONS, ACCESS_USAGE, clientOf } from './access.ts';
import { hashOf, importFile, quarantineOf, retryRows } from './importing.ts';
import { showProgress } from './progress.ts';

const USAGE = `npm run stock:import -- FILE [options]

Imports stock from CSV (sku, nodeId, onHand or unitsDelta, reason) or JSON lines (*.jsonl) with the same fields.
  --as-of INSTANT   when the file was true, e.g. 2026-11-21T09:00:00.000Z (default: now): what moved since stays moved
  --import-id ID    name of the import (default: a hash of the file); under one name every line is booked once
  --retry FILE      put rows of the quarantine right: JSON lines such as {"line":7,"sku":"TEE","nodeId":"dc-1","onHand":3}
${ACCESS_USAGE}
Exits with 1 while rows are in quarantine. Stopped, it goes on where it was; done, it adds nothing.`;

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...ACCESS_OPTIONS,
      'as-of': { type: 'string' },
      'import-id': { type: 'string' },
      retry: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (values.help || file === undefined) return console.log(USAGE);
  const client = clientOf(values);
  const importId = values['import-id'] ?? (await hashOf(file));
  if (values.retry === undefined) {
    const progress = showProgress(statSync(file).size);
    const format = file.endsWith('.jsonl') ? 'jsonl' : 'csv';
    const startedMs = performance.now();
    const done = await importFile({
      ...{ client, file, format, importId, asOf: values['as-of'], progress: progress.update },
    }).finally(progress.stop);
    const { loaded, unchanged, fixed, quarantined } = done;
    const rows = loaded + unchanged + fixed + quarantined;
    const seconds = (performance.now() - startedMs) / 1000;
    console.log(`${importId}: ${rows} rows, ${Math.round(rows / seconds)} a second`);
    console.log(`${loaded} loaded, ${unchanged} unchanged, ${fixed} put right, ${quarantined} in quarantine`);
  } else {
    const { fixed, refused } = await retryRows(client, importId, values.retry);
    console.log([`${fixed} rows put right`, ...refused].join('\n'));
  }
  for await (const { line, field, reason, text } of quarantineOf(client, importId)) {
    console.log(`line ${line}, ${field}: ${reason} | ${text}`);
    process.exitCode = 1;
  }
};

try {
  await main();
} catch (error) {
  console.error(`The import stopped: ${(error as Error).message}`);
  process.exit(2);
}

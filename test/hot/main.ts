import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf, pageOf, plotOf, SHORT_SALE } from './page.ts';
import { measureSales, type SaleResult } from './sale.ts';

const USAGE = `npm run hot -- [--shards 1,4,16,64] [--buyers 10000] [--units 1000] [--seed 1] [--json FILE] [--docs]

A flash sale of one SKU on the product's own way to an order, on virtual time, behind a model of DynamoDB's limits: once
for each number of shards, and once more from one shard on while inventory's own task tends them. Exit code 1 if a unit
is sold twice, stranded, or refused while it was there.
  --first-look S  seconds after the start at which the schedule tends the shards for the first time (default 2)
  --json FILE     writes the figures
  --docs          writes docs/hot-skus.md and its plot`;

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '1,4,16,64' },
    buyers: { type: 'string', default: '10000' },
    units: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    'first-look': { type: 'string', default: '2' },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const show = (name: string, result: SaleResult): void => {
  const text = Object.entries(figuresOf(result)).map(([figure, value]) => `${figure} ${value}`);
  console.log(`${name.padEnd(10)} ${text.join('  ')}`);
};

const figures = await measureSales(
  {
    shards: values.shards.split(',').map(Number),
    buyers: Number(values.buyers),
    units: Number(values.units),
    seed: Number(values.seed),
    firstLookSeconds: Number(values['first-look']),
  },
  show,
);
const { fixed, tended, units, buyers } = figures;
for (const { atSeconds, shards } of tended.opened) console.log(`           ${shards} shards after ${atSeconds} s`);

if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
if (values.docs) {
  const docs = join(import.meta.dirname, '..', '..', 'docs');
  writeFileSync(join(docs, 'hot-skus.svg'), await plotOf(figures));
  writeFileSync(join(docs, 'hot-skus.md'), pageOf(figures, await measureSales(SHORT_SALE)));
}
const isExact = ({ sold, stranded, wronglyRefused }: SaleResult): boolean =>
  sold === Math.min(units, buyers) && stranded === units - sold && wronglyRefused === 0;
process.exitCode = [...fixed, tended].every(isExact) ? 0 : 1;

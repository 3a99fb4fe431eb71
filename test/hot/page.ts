import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { BURST, RATE_PER_SECOND } from '../../shared/limits.ts';
import { LIMITS } from './limits.ts';
import type { HotFigures, SaleResult } from './sale.ts';

/** Orders per second against the number of shards, as SVG. */
export const plotOf = async ({ fixed, units, buyers }: HotFigures): Promise<string> => {
  const { spec } = vegaLite.compile({
    title: `${units} units to ${buyers} buyers: orders per virtual second`,
    width: 480,
    height: 280,
    data: { values: fixed.map(({ shards, ordersPerSecond }) => ({ shards: String(shards), ordersPerSecond })) },
    encoding: {
      x: { field: 'shards', type: 'ordinal', sort: null, title: 'shards', axis: { labelAngle: 0 } },
      y: { field: 'ordersPerSecond', type: 'quantitative', title: 'orders per second' },
    },
    layer: [
      { mark: { type: 'line', point: true } },
      { mark: { type: 'text', dy: -10 }, encoding: { text: { field: 'ordersPerSecond', type: 'quantitative' } } },
    ],
  });
  return `${await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG()}\n`;
};

/** What is shown of a sale, in the order of the columns. */
export const figuresOf = (result: SaleResult): Record<string, number> => {
  const { ordersPerSecond, seconds, sold, soldOut, stranded, conflicts, throttled, redecided, askedAgain, turnedAway } =
    result;
  return {
    ...{ ordersPerSecond, seconds, sold, soldOut, stranded },
    ...{ conflicts, throttled, redecided, askedAgain, turnedAway },
  };
};

const rowOf = (name: string, result: SaleResult): string =>
  `| ${name} | ${Object.values(figuresOf(result)).join(' | ')} |`;

const TABLE_HEAD = [
  '| shards | orders/s | seconds to the last unit | sold | told sold out | stranded | conflicts | throttled | decided anew | asked again | turned away |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
];

/** The page's table of figures; a test compares it with a run of its own. */
export const tableOf = ({ fixed, tended }: HotFigures): string =>
  [...TABLE_HEAD, ...fixed.map((result) => rowOf(String(result.shards), result)), rowOf(`1, then tended`, tended)].join(
    '\n',
  );

/** The short sale whose figures a test repeats. */
export const SHORT_SALE = { shards: [1, 4], buyers: 600, units: 300, seed: 1, firstLookSeconds: 0.3 };

const range = ({ min, max }: { min: number; max: number }): string => `${min} to ${max} ms`;

/** Shards that open by themselves have helped where the sale was over sooner by a tenth than with one. */
const wasInTime = ({ fixed, tended }: HotFigures): boolean => tended.seconds < 0.9 * fixed[0]!.seconds;

export const pageOf = (figures: HotFigures, short: HotFigures): string => {
  const { buyers, units, seed, firstLookSeconds, tended } = figures;
  const opened = tended.opened.map(({ shards, atSeconds }) => `${shards} shards after ${atSeconds} s`).join(', ');
  return `# Hot SKUs

Written by \`npm run hot -- --shards ${figures.fixed.map(({ shards }) => shards).join(',')} --docs\`: a flash sale of ${units} units of one SKU at one node to ${buyers} buyers who all
come within a second (seed ${seed}), on the product's own way to an order (\`stockOf\`, \`stockToTheLast\`, \`allocate\`, one
commit with order, ledger and outbox), on virtual time behind a model of DynamoDB's limits.

![Orders per second against shards](hot-skus.svg)

${tableOf(figures)}

*Conflicts*: transactions, and reads of one moment, that met a transaction under way. *Throttled*: calls beyond what a
partition gives. *Decided anew*: orders whose guard failed because the units had gone. *Asked again*: answers 503, or a
race lost five times, after which the buyer's client waits 1 to 2 s, and twice as long the next time. *Turned away*:
requests beyond what API Gateway lets in (429), which wait likewise. *Stranded*: units that are left over. Nobody was
told that it is sold out while a unit was there: the run checks it at every such answer, and ends with exit code 1.

## What the model assumes

- Each partition key has a partition of its own: ${LIMITS.writeUnitsPerSecond} write units and ${LIMITS.readUnitsPerSecond} read units a second, a second's worth saved
  up, no burst beyond it. A write or read of a transaction costs twice. Items are below 1 KB (written) and 4 KB (read).
- A transaction holds its items for ${range(LIMITS.transactionMs)}. Another one, a single write or a read of one moment that meets a held
  item is refused at once with TransactionConflict. A call refused for a conflict costs nothing; AWS may charge it.
- API Gateway lets in ${RATE_PER_SECOND} requests a second and ${BURST} at once, as the stack says: no number of shards sells faster.
- The network takes ${range(LIMITS.networkMs)} each way. Plain reads do not lag behind, and Lambda scales without delay.

## Shards that are turned on

By hand, before a sale (\`PUT /v1/stock/{sku}/nodes/{nodeId}/shards\`), or by observed contention: conflicts on a level
are counted, one in eight for all, and \`inventory.tendShards\` multiplies the shards by four where buyers queue. It first
opens empty shards, with one write of what buyers queue for, and then moves units in small steps, each from one shard and
guarded by nothing but that they are still there. It meets the buyers on the very item that they queue for, and tries
more often than they do. A schedule knows whole minutes, which is too long for a flash sale: while buyers queue, a run of
the task looks again every 5 s. Here it looked first ${firstLookSeconds} s after the start: ${opened === '' ? 'nothing was opened' : opened}; the
last unit was sold after ${tended.seconds} s. ${wasInTime(figures) ? '' : 'That was too late. '}A sale that is planned is spread before it begins.

## The short sale

${short.units} units to ${short.buyers} buyers, seed ${short.seed}, first look after ${short.firstLookSeconds} s, which was ${wasInTime(short) ? 'in time' : 'too late to help'}; \`test/hot/sale.test.ts\` repeats it and compares.

${tableOf(short)}
`;
};

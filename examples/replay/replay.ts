import { join } from 'node:path';
import { clientOfAnyone, clientOfChannel, clientOfPerson, ensureAccount } from '../access.ts';
import { inParallel, loadNodes, loadOpeningStock, loadProducts, nodesToLoad, productsToLoad } from '../loading.ts';
import { Channel } from './channel.ts';
import type { Deployment } from './deployment.ts';
import { Journal } from './journal.ts';
import { US_NODES } from './network.ts';
import type { Standing } from './progress.ts';
import type { Run } from './report.ts';
import { Robot } from './robot.ts';
import { Scenario } from './scenario.ts';
import { readSuperstore, type Superstore, type SuperstoreOrder } from './superstore.ts';

const ROBOT = {
  username: 'replay-robot',
  email: 'replay-robot@demo.example',
  password: 'Ieum-replay-2026',
  group: 'head-office',
} as const;

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

export interface ReplayOptions {
  deployment: Deployment;
  /** So many orders, the oldest first. */
  count: number;
  /** Calls under way at a time, for the channel and for the nodes each. */
  concurrency: number;
  say(line: string): void;
  /** Shows how far it is, as often as it likes, until it is stopped. */
  show(total: number, standing: () => Standing): { stop(): void };
}

/** Sends the orders through the API until each has ended, and fulfils them. What an earlier run did is not done again. */
export const replay = async ({ deployment, count, concurrency, say, show }: ReplayOptions): Promise<Run> => {
  const superstore = readSuperstore();
  const orders = superstore.orders.slice(0, count);
  const scenario = new Scenario(superstore);
  const { access, dataDir } = deployment;
  const loaded = await loadCatalogue(deployment, superstore, scenario, orders);
  say(`${access.apiUrl}: loaded ${loaded.nodes} nodes and ${loaded.products} products; ${orders.length} orders`);

  const journal = new Journal(join(dataDir, 'replay.jsonl'));
  const channel = new Channel({ client: clientOfChannel(access), scenario, journal });
  const robot = new Robot({
    client: clientOfPerson(access, ROBOT.username, ROBOT.password),
    nodeIds: US_NODES.map(({ nodeId }) => nodeId),
    concurrency,
    isOurs: (orderId) => journal.referenceOf(orderId) !== undefined,
    refuses: (nodeId, orderId) => scenario.refuses(nodeId, journal.referenceOf(orderId)!),
    handedOver: (orderId) => channel.handedOver(orderId),
  });
  const progressOf = () => orders.flatMap(({ reference }) => journal.of(reference) ?? []);
  const ended = (): number => progressOf().filter(({ status, refused }) => status ?? refused).length;
  const endedBefore = ended();
  const progress = show(orders.length, () => ({ ended: ended(), underWay: channel.underWay }));
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
  const endedNow = ended() - endedBefore;
  return { progress: progressOf(), placingMs: channel.placingMs, seconds, endedNow, reconciled };
};

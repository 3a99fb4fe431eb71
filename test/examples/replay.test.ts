import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment } from '../../examples/replay/deployment.ts';
import { Journal } from '../../examples/replay/journal.ts';
import { distanceKm, locationOf, US_NODES } from '../../examples/replay/network.ts';
import { replay } from '../../examples/replay/replay.ts';
import { describeRun, percentile } from '../../examples/replay/report.ts';
import { Scenario } from '../../examples/replay/scenario.ts';
import { readSuperstore } from '../../examples/replay/superstore.ts';
import catalog from '../../functions/catalog/contract.ts';
import network from '../../functions/network/contract.ts';
import orders from '../../functions/orders/contract.ts';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';

const superstore = readSuperstore();
const scenario = new Scenario(superstore);

describe('the data of the replay', () => {
  it('is all 5009 orders of the file, oldest first, with the products that they ask for', () => {
    expect(superstore.orders).toHaveLength(5009);
    expect(superstore.products.size).toBe(1862);
    expect(superstore.orders[0]!.reference).toBe('CA-2014-103800');
    const unknown = superstore.orders.flatMap(({ lines }) => lines).filter(({ sku }) => !superstore.products.has(sku));
    expect(unknown).toEqual([]);
  });

  it('prices a product before the discount of its first sale, in cents', () => {
    // First row: 261.96 for 2 without a discount. Fourth: 957.5775 for 5 at 45 % off.
    const price = (sku: string) => superstore.products.get(sku)!.variants[0]!.price;
    expect(price('FUR-BO-10001798')).toEqual({ amountMinor: 13_098, currency: 'USD' });
    expect(price('FUR-TA-10000577')).toEqual({ amountMinor: 34_821, currency: 'USD' });
  });

  it('is what the API takes, every order and every product of it', () => {
    for (const product of superstore.products.values()) catalog.operations.publish.input.strict().parse(product);
    for (const node of US_NODES) network.operations.maintain.input.strict().parse(node);
    for (const order of superstore.orders) {
      orders.operations.placeForChannel.input.strict().parse(scenario.channelOrder(order));
    }
  });

  it('knows where every postal code is, those with a zero in front too', () => {
    const farthestKm = Math.max(
      ...superstore.orders.map(({ postalCode }) => distanceKm(locationOf(postalCode), locationOf('66952'))),
    );
    // From the middle of the country nothing of the 48 states is farther.
    expect(farthestKm).toBeLessThan(3000);
  });

  it('uses every way of fulfilment, and is the same every time', () => {
    const again = new Scenario(readSuperstore());
    const choices = superstore.orders.map((order) => scenario.channelOrder(order).delivery.choice);
    expect(new Set(choices)).toEqual(new Set(['HOME_DELIVERY', 'SAME_DAY', 'PICKUP']));
    expect(superstore.orders.map((order) => again.channelOrder(order).delivery.choice)).toEqual(choices);
  });

  it('collects only in a store of the city that carries everything', () => {
    const nodes = new Map(US_NODES.map((node) => [node.nodeId, node]));
    const collected = superstore.orders.flatMap((order) => {
      const { delivery } = scenario.channelOrder(order);
      return delivery.choice === 'PICKUP' ? [{ order, nodeId: delivery.nodeId }] : [];
    });
    expect(collected.length).toBeGreaterThan(100);
    for (const { order, nodeId } of collected) {
      const km = distanceKm(nodes.get(nodeId)!.location, locationOf(order.postalCode));
      expect(km, `${order.reference} at ${nodeId}`).toBeLessThan(60);
      for (const { sku, units } of order.lines) {
        expect(scenario.openingStock(sku).get(nodeId) ?? 0).toBeGreaterThanOrEqual(units);
      }
    }
  });

  it('has too little of some products, and enough of most', () => {
    const ordered = new Map<string, number>();
    for (const { sku, units } of superstore.orders.flatMap(({ lines }) => lines)) {
      ordered.set(sku, (ordered.get(sku) ?? 0) + units);
    }
    const scarce = [...ordered].filter(
      ([sku, units]) => [...scenario.openingStock(sku).values()].reduce((sum, next) => sum + next, 0) < units,
    );
    expect(scarce.length).toBeGreaterThan(40);
    expect(scarce.length).toBeLessThan(200);
  });
});

describe('the journal of the replay', () => {
  it('leaves out the half line of a process that was killed, and goes on after it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ieum-journal-'));
    const file = join(dir, 'replay.jsonl');
    writeFileSync(file, '{"reference":"A","orderId":"ord_1"}\n{"reference":"B","ref');
    const journal = new Journal(file);
    expect([journal.of('A')?.orderId, journal.of('B')]).toEqual(['ord_1', undefined]);
    journal.add({ reference: 'B', refused: 'sold-out' });
    journal.add({ reference: 'A', status: 'COMPLETED' });
    const reopened = new Journal(file);
    expect(reopened.of('A')).toEqual({ reference: 'A', orderId: 'ord_1', status: 'COMPLETED' });
    expect(reopened.of('B')).toEqual({ reference: 'B', refused: 'sold-out' });
    expect(reopened.referenceOf('ord_1')).toBe('A');
    rmSync(dir, { recursive: true });
  });
});

describe('the report of the replay', () => {
  it.each([
    [50, 2],
    [99, 4],
    [100, 4],
    [1, 1],
  ])('gives percentile %i of four values by nearest rank', (percent, expected) => {
    expect(percentile([4, 1, 3, 2], percent)).toBe(expected);
  });
});

describe('a replay through the API', () => {
  const COUNT = 12;
  let test: TestCloud;
  let deployment: Deployment;
  const dataDir = mkdtempSync(join(tmpdir(), 'ieum-replay-'));
  const run = () =>
    replay({ deployment, count: COUNT, concurrency: 4, say: () => {}, show: () => ({ stop: () => {} }) });

  beforeAll(async () => {
    test = await startTestCloud();
    const reconcile = async () => ({ compared: {} as never, findings: await test.drift(), drifts: [] });
    deployment = { access: test.access, dataDir, reconcile, close: async () => {} };
  });
  afterAll(async () => {
    await test.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('brings every order to its end, and everything adds up', async () => {
    const { progress, reconciled, endedNow } = await run();
    expect(progress).toHaveLength(COUNT);
    expect(endedNow).toBe(COUNT);
    for (const { status, refused } of progress) expect(status ?? refused).toMatch(/^(COMPLETED|sold-out)$/);
    expect(progress.filter(({ status }) => status === 'COMPLETED').length).toBeGreaterThan(COUNT / 2);
    expect(reconciled.findings).toEqual([]);
  });

  it('adds nothing when it runs again, and says so', async () => {
    const before = readFileSync(join(dataDir, 'replay.jsonl'), 'utf8');
    const again = await run();
    expect(again.placingMs).toEqual([]);
    expect(describeRun(again).join('\n')).toContain('placed nothing: everything was there');
    expect(readFileSync(join(dataDir, 'replay.jsonl'), 'utf8')).toBe(before);
  });

  it('places no order twice when its journal is lost', async () => {
    const file = join(dataDir, 'replay.jsonl');
    const idsIn = (): string[] => [...new Set(readFileSync(file, 'utf8').match(/ord_\w+/g))].sort();
    const before = idsIn();
    rmSync(file);
    await run();
    expect(idsIn()).toEqual(before);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { startCloud } from '../../infra/local/cloud.ts';
import { ASSEMBLY } from '../../infra/local/synth.ts';
import { load } from './http.ts';
import { Shop } from './shop.ts';

const HOLDS = 1_000;
const HOLDERS = 8;

/** Reserve → release round trips of one unit each, eight at a time, over 20 SKUs. */
export const measureHolds = async (shop: Shop): Promise<Record<string, number>> => {
  const skus = Array.from({ length: 20 }, (_, index) => `HELD-${index}`);
  await shop.receive(
    'dc-1',
    skus.map((sku) => ({ sku, units: 1_000 })),
  );
  const tokens: string[] = [];
  for (let index = 0; index < HOLDERS; index += 1) tokens.push(await shop.person(`holder-${index}`, 'customer'));
  const roundTrip = async (index: number): Promise<void> => {
    const token = tokens[index % HOLDERS]!;
    const lines = [{ sku: skus[index % skus.length]!, nodeId: 'dc-1', units: 1 }];
    const { holdId } = await shop.done('POST', '/v1/holds', token, { lines, holdSeconds: 600 });
    await shop.done('DELETE', `/v1/holds/${holdId}`, token);
  };
  await load(100, HOLDERS, roundTrip);
  const { perSecond, p99Ms } = await load(HOLDS, HOLDERS, roundTrip);
  return { hold_release_rps: perSecond, hold_release_p99_ms: p99Ms };
};

const EVENTS = 300;
const percentile = (values: number[], share: number): number =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

/** How long after a request was sent its event is on the bus: reserved, adjusted, and the low-stock that follows. */
export const measureEvents = async (): Promise<Record<string, number>> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ieum-events-'));
  const cloud = await startCloud({ assemblyDir: ASSEMBLY, dataDir, port: 0 });
  try {
    const { url, awsUrl, dynamodbEndpoint, template } = cloud;
    const shop = new Shop({ url, awsUrl, dynamodbEndpoint, outputs: template.outputs, pid: process.pid });
    const sentMs = new Map<string, number>();
    const latencies = { adjusted: [] as number[], reserved: [] as number[], low: [] as number[] };
    const types = {
      'inventory.stock-adjusted.v1': 'adjusted',
      'inventory.stock-reserved.v1': 'reserved',
      'inventory.stock-low.v1': 'low',
    } as const;
    const putEvents = cloud.bus.putEvents.bind(cloud.bus);
    cloud.bus.putEvents = (entries) => {
      for (const { DetailType, Detail } of entries) {
        const kind = types[DetailType as keyof typeof types];
        const [sku] = /LOW-\d+/.exec(Detail ?? '') ?? [];
        const since = kind === undefined ? undefined : sentMs.get(`${kind === 'adjusted' ? 'in' : 'out'} ${sku}`);
        if (since !== undefined) latencies[kind!].push(performance.now() - since);
      }
      return putEvents(entries);
    };
    const headOffice = await shop.headOffice();
    const token = await shop.person('watcher', 'customer');
    await load(EVENTS, 4, async (index) => {
      const sku = `LOW-${index}`;
      sentMs.set(`in ${sku}`, performance.now());
      await shop.receive('dc-1', [{ sku, units: 2 }]);
      const settings = { safetyStock: 0, lowAt: 1 };
      await shop.done('PUT', `/v1/stock/${sku}/nodes/dc-1/settings`, headOffice, settings);
      sentMs.set(`out ${sku}`, performance.now());
      const lines = [{ sku, nodeId: 'dc-1', units: 1 }];
      await shop.done('POST', '/v1/holds', token, { lines, holdSeconds: 600 });
    });
    await cloud.whenIdle();
    return Object.fromEntries(
      Object.entries(latencies).flatMap(([name, values]) => [
        [`event_${name}_count`, values.length],
        [`event_${name}_p99_ms`, percentile(values, 0.99)],
      ]),
    );
  } finally {
    await cloud.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
};

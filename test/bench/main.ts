import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costPerThousandOrders, REGIONS } from '../../docs/cost.ts';
import { synthesize } from '../../infra/local/synth.ts';
import { measureAvailabilityUnits } from './availability.ts';
import { openBare } from './bare.ts';
import { measureBundles } from './bundles.ts';
import { closeConnections } from './http.ts';
import { measureAvailability, measureCheckouts, measureDoubleSubmits, measureHotSku } from './measures.ts';
import { measureOrder } from './order-cost.ts';
import { Shop } from './shop.ts';
import { measureEvents, measureHolds } from './stock.ts';
import { measureImport } from './stock-file.ts';
import { startSystem } from './system.ts';

/**
 * `npm run bench [-- --json FILE]`: one table of what the system does on this machine, with everything that follows.
 * With `--stock-file` only what importing 100,000 rows takes, on a cloud that has done nothing else.
 */
const { values } = parseArgs({
  options: { json: { type: 'string' }, 'stock-file': { type: 'boolean', default: false } },
});
/** What the page about the cost of an order is generated from. */
const ORDER_UNITS = join(import.meta.dirname, '..', '..', 'docs', 'measured', 'order-units.json');
const dataDir = mkdtempSync(join(tmpdir(), 'ieum-bench-'));
const results: Record<string, number> = {};

const record = (measured: Record<string, number>): void => {
  for (const [name, value] of Object.entries(measured)) {
    results[name] = Math.round(value * 100) / 100;
    console.log(`${name.padEnd(28)} ${String(results[name]).padStart(10)}`);
  }
};

const stockFile = async (): Promise<void> => {
  const system = await startSystem(dataDir);
  record(await measureImport(new Shop(system.running), system, dataDir));
  await system.end();
};

const everything = async (): Promise<void> => {
  const first = await startSystem(dataDir);
  await first.end();
  // The second start is the usual one: nothing changed, tables are there.
  const system = await startSystem(dataDir);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  record({ boot_ms: system.bootMs, idle_mb: system.residentMb() });
  const shop = new Shop(system.running);
  record(await measureAvailability(shop));
  const bare = await openBare();
  record(await measureCheckouts(shop, system, bare));
  await bare.close();
  record(await measureHotSku(shop));
  record(await measureDoubleSubmits(shop));
  record(await measureHolds(shop));
  await system.end();
  record(await measureEvents());
  record(await measureAvailabilityUnits());
  const units = await measureOrder();
  writeFileSync(ORDER_UNITS, `${JSON.stringify(units, null, 2)}\n`);
  record({
    place_write_units: units.placeWriteUnits,
    order_write_units: units.writeUnits,
    order_read_units: units.readUnits,
    order_events: units.events,
    order_lambda_calls: units.lambdaRequests,
    home_delivery_transitions: units.transitions,
  });
  for (const region of REGIONS) {
    record({ [`cost_per_1000_orders_usd_${region}`]: costPerThousandOrders(units, region) });
  }
  record(measureBundles());
};

try {
  await synthesize();
  await (values['stock-file'] ? stockFile() : everything());
  closeConnections();
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

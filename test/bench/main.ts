import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synthesize } from '../../infra/local/synth.ts';
import { closeConnections } from './http.ts';
import { measureAvailability, measureCheckouts, measureDoubleSubmits, measureHotSku } from './measures.ts';
import { Shop } from './shop.ts';
import { startSystem } from './system.ts';

/** `npm run bench [-- --json FILE]`: one table of what the system does on this machine, with everything that follows. */
const { values } = parseArgs({ options: { json: { type: 'string' } } });
const dataDir = mkdtempSync(join(tmpdir(), 'ieum-bench-'));
const results: Record<string, number> = {};

const record = (measured: Record<string, number>): void => {
  for (const [name, value] of Object.entries(measured)) {
    results[name] = Math.round(value * 100) / 100;
    console.log(`${name.padEnd(28)} ${String(results[name]).padStart(10)}`);
  }
};

try {
  await synthesize();
  const first = await startSystem(dataDir);
  await first.end();
  // The second start is the usual one: nothing changed, tables are there.
  const system = await startSystem(dataDir);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  record({ boot_ms: system.bootMs, idle_mb: system.residentMb() });
  const shop = new Shop(system.running);
  record(await measureAvailability(shop));
  record(await measureCheckouts(shop, system));
  record(await measureHotSku(shop));
  record(await measureDoubleSubmits(shop));
  closeConnections();
  await system.end();
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

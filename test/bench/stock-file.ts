import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { load } from './http.ts';
import type { Shop } from './shop.ts';
import type { System } from './system.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODES = 10;
const VARIANTS = 40;
const SAMPLE_EVERY_MS = 250;

const skuOf = (at: number): string => `FILE-${at}`;

/** A file with every SKU at every node, so many rows in all, written as it is thought of. */
const writeFile = (file: string, rows: number, nodes: string): void => {
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, 'sku,nodeId,onHand,reason\n');
  for (let at = 0; at < rows; at += 1) {
    const nodeId = `${nodes}-${at % NODES}`;
    writeSync(descriptor, `${skuOf(Math.floor(at / NODES))},${nodeId},${1 + (at % 97)},"재고 조사, ${at}"\n`);
  }
  closeSync(descriptor);
};

const peakMbOf = ({ pid }: ChildProcess): number => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

interface Run {
  seconds: number;
  clientMb: number;
  systemMb: number;
}

/** Runs a command line client, and watches its memory and the system's: the most that either had. */
const runClient = (system: System, dataDir: string, script: string, file: string): Promise<Run> =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const who = ['--running', dataDir, '--user', 'head-office', '--password', 'Bench-2026-bench'];
    const child = spawn(process.execPath, [`examples/stock-file/${script}.ts`, file, ...who], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const most = { clientMb: 0, systemMb: 0 };
    const timer = setInterval(() => {
      most.clientMb = Math.max(most.clientMb, peakMbOf(child));
      most.systemMb = Math.max(most.systemMb, system.residentMb());
    }, SAMPLE_EVERY_MS);
    child.once('exit', (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ ...most, seconds: (performance.now() - startedMs) / 1000 });
      else reject(new Error(`the ${script} ended with ${code}`));
    });
  });

const publish = async (shop: Shop, products: number): Promise<void> => {
  const headOffice = await shop.headOffice();
  const price = { amountMinor: 12_900, currency: 'KRW' };
  await load(products, 8, async (index) => {
    const skus = Array.from({ length: VARIANTS }, (_, at) => skuOf(index * VARIANTS + at));
    await shop.done('PUT', `/v1/products/prd-file-${index}`, headOffice, {
      ...{ name: { ko: `파일 ${index}` }, category: 'bench', storage: 'AMBIENT' },
      variants: skus.map((sku) => ({ sku, price, taxRatePercent: 10 })),
    });
  });
};

/** Rows a second into an empty stock, the same again, and out; and memory at 10,000 rows and at `rows`. */
export const measureImport = async (
  shop: Shop,
  system: System,
  dataDir: string,
  rows = 100_000,
): Promise<Record<string, number>> => {
  const folder = mkdtempSync(join(tmpdir(), 'ieum-stock-file-'));
  const few = Math.min(10_000, rows);
  try {
    await publish(shop, Math.ceil(rows / NODES / VARIANTS));
    for (const nodes of ['small', 'large']) {
      for (let at = 0; at < NODES; at += 1) await shop.node(`${nodes}-${at}`, 37.5, 127);
    }
    const [small, large] = [join(folder, 'small.csv'), join(folder, 'large.csv')];
    writeFile(small, few, 'small');
    writeFile(large, rows, 'large');
    const first = await runClient(system, dataDir, 'import', small);
    const again = await runClient(system, dataDir, 'import', small);
    const out = await runClient(system, dataDir, 'export', join(folder, 'out.csv'));
    const whole = await runClient(system, dataDir, 'import', large);
    return {
      import_10k_rps: few / first.seconds,
      import_100k_rps: rows / whole.seconds,
      import_again_rps: few / again.seconds,
      export_rps: few / out.seconds,
      import_10k_client_mb: first.clientMb,
      import_100k_client_mb: whole.clientMb,
      import_10k_system_mb: first.systemMb,
      import_100k_system_mb: whole.systemMb,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

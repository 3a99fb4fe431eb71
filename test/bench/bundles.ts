import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleDirectory } from '../../infra/build.ts';

const RUNS = 11;

/** Time that a fresh process needs to load a bundle: what a cold start adds to starting Node. */
const initMs = (bundle: string): number => {
  const script = `const t = performance.now(); await import(${JSON.stringify(bundle)}); console.log(performance.now() - t)`;
  const env = {
    ...process.env,
    ...{ AWS_REGION: 'ap-northeast-2', STAGE: 'bench', BUS_NAME: 'bench', WORKFLOW_ARN: 'bench' },
    ...{ AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
  };
  const times = Array.from({ length: RUNS }, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${bundle} does not load: ${stderr}`);
    return Number(stdout);
  }).sort((a, b) => a - b);
  return times[Math.floor(RUNS / 2)]!;
};

/** The largest bundle, and the longest time to load one (median of 11). */
export const measureBundles = (): Record<string, number> => {
  const bundles = readdirSync(bundleDirectory('')).map((folder) => join(bundleDirectory(folder), 'index.mjs'));
  return {
    bundle_kb_max: Math.max(...bundles.map((bundle) => statSync(bundle).size)) / 1000,
    init_ms_max: Math.max(...bundles.map(initMs)),
  };
};

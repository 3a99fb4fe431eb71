import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Where the CDK app writes templates and assets; `cdk deploy` reads the same folder. */
export const ASSEMBLY = join(ROOT, 'cdk.out');
const STAMP = join(ASSEMBLY, '.sources');
/** What the templates are made from. The local cloud itself is not part of what is deployed. */
const SOURCES = ['functions', 'shared', 'infra', 'package-lock.json', 'cdk.json'];

/** Changes when any source file does: names, sizes and times of change, which takes milliseconds. */
const fingerprint = (): string => {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    if (path === join(ROOT, 'infra', 'local')) return;
    const stat = statSync(path);
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(`${relative(ROOT, path)} ${stat.size} ${stat.mtimeMs}\n`);
  };
  for (const source of SOURCES) visit(join(ROOT, source));
  return hash.digest('hex');
};

/**
 * Synthesizes the CDK app to `cdk.out`, offline. Skipped when nothing changed since the last time.
 * `full` always does it, with the checks that are left out of the inner loop (cdk-nag, template validation).
 */
export const synthesize = async ({ full = false }: { full?: boolean } = {}): Promise<'made' | 'unchanged'> => {
  const sources = fingerprint();
  if (!full && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources) return 'unchanged';
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'infra', 'app.ts')], {
      cwd: ROOT,
      env: { ...process.env, CDK_OUTDIR: ASSEMBLY, ...(full ? {} : { CDK_VALIDATION: 'false' }) },
      stdio: ['ignore', full ? 'inherit' : 'ignore', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`synthesizing the stacks failed (${code})`))));
  });
  writeFileSync(STAMP, sources);
  return 'made';
};

if (import.meta.main) {
  await synthesize({ full: process.argv.includes('--full') });
  console.log(`Templates and assets are in ${relative(process.cwd(), ASSEMBLY)}/`);
}

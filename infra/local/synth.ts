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
 * `validate` runs cdk-nag and the template validation too, which the inner loop leaves out.
 */
export const synthesize = async ({ validate = false }: { validate?: boolean } = {}): Promise<'made' | 'unchanged'> => {
  const sources = fingerprint();
  const known = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (known === `${sources} validated` || (known === sources && !validate)) return 'unchanged';
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'infra', 'app.ts')], {
      cwd: ROOT,
      env: { ...process.env, CDK_OUTDIR: ASSEMBLY, ...(validate ? {} : { CDK_VALIDATION: 'false' }) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`synthesizing the stacks failed (${code})`)),
    );
  });
  writeFileSync(STAMP, validate ? `${sources} validated` : sources);
  return 'made';
};

if (import.meta.main) {
  await synthesize({ validate: true });
  console.log(`Templates and assets are in ${relative(process.cwd(), ASSEMBLY)}/`);
}

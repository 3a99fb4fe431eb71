import { spawnSync } from 'node:child_process';
import { styleText } from 'node:util';

/** `npm run check`: everything about the code that can be said without running it. Stops at nothing, fails at the end. */
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['format and lint', ['biome', 'ci', '--error-on-warnings', '.']],
  ['types of the product', ['tsc', '-p', 'tsconfig.json']],
  ['types of the stacks', ['tsc', '-p', 'infra/tsconfig.json']],
  ['import rules, sizes, links of the pages', ['vitest', 'run', 'test/architecture']],
  ['generated docs are up to date', ['node', 'docs/generate.ts', '--check']],
  ['API and events pass Spectral, OWASP and AsyncAPI', ['node', 'docs/lint.ts']],
  ['no dead code', ['knip']],
  ['stacks synthesize, cdk-nag is content', ['node', 'infra/local/synth.ts']],
];

const failed = STEPS.filter(([what, [command, ...args]]) => {
  const { status, stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8', shell: false });
  const ok = status === 0;
  console.log(`${ok ? styleText('green', '✓') : styleText('red', '✗')} ${what}`);
  if (!ok) console.log(`${stdout}${stderr}`);
  return !ok;
});
if (failed.length > 0) {
  console.error(`${failed.length} of ${STEPS.length} checks failed: ${failed.map(([what]) => what).join(', ')}`);
  process.exit(1);
}

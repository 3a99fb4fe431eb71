import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
/** Where each function folder's bundle lies: `.build/<folder>/index.mjs`, one asset a folder. */
export const bundleDirectory = (folder: string): string => join(ROOT, '.build', folder);

const foldersWithLambda = (): string[] =>
  readdirSync(join(ROOT, 'functions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** Bundles every `functions/<folder>/lambda.ts` in one esbuild call, about a second for all of them. */
export const bundleFunctions = async (): Promise<void> => {
  rmSync(join(ROOT, '.build'), { recursive: true, force: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(
      foldersWithLambda().map((folder) => [`${folder}/index`, `functions/${folder}/lambda.ts`]),
    ),
    outdir: '.build',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    // Some dependencies are CommonJS inside an ES module bundle and call require for Node's own modules.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    logLevel: 'warning',
  });
};

import { describe, expect, it } from 'vitest';
import { type SourceFile, sourceFiles } from './source.ts';

const functions = sourceFiles('functions');
const shared = sourceFiles('shared');
const infra = sourceFiles('infra');
const everything = [...functions, ...shared, ...infra, ...sourceFiles('test', 'examples', 'docs')];

const capabilityOf = (path: string): string | undefined => /^functions\/([^/]+)\//.exec(path)?.[1];
const nameOf = (path: string): string => path.split('/')[2] ?? '';
const offences = (
  files: readonly SourceFile[],
  bad: (file: SourceFile, target: string, typeOnly: boolean) => boolean,
) =>
  files.flatMap((file) =>
    file.imports
      .filter(({ target, typeOnly }) => bad(file, target, typeOnly))
      .map(({ target }) => `${file.path} → ${target}`),
  );

describe('who may import whom', () => {
  it('reads real files and real imports', () => {
    expect(functions.length).toBeGreaterThan(50);
    expect(shared.length).toBeGreaterThan(12);
    expect(functions.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
    const api = functions.find(({ path }) => path === 'functions/inventory/api.ts');
    expect(api?.imports.map(({ target }) => target)).toContain('functions/inventory/contract.ts');
  });

  it('reaches another capability only through its contract, its emits or its parts', () => {
    const foreign = offences(functions, ({ path }, target) => {
      const owner = capabilityOf(target);
      if (owner === undefined || capabilityOf(path) === undefined || owner === capabilityOf(path)) return false;
      return !['contract.ts', 'parts.ts', 'emits.ts'].includes(nameOf(target));
    });
    expect(foreign).toEqual([]);
  });

  it('keeps decisions pure: domain code imports results, money, time and shapes, never clients or tables', () => {
    const allowed = /^shared\/(result|money|time|zone|input|problem|geography)\.ts$/;
    const domain = functions.filter(({ path }) => /\/domain\.ts$|\/sourcing\/|\/domain\//.test(path));
    expect(domain.length).toBeGreaterThan(5);
    const impure = offences(domain, ({ path }, target, typeOnly) => {
      if (target.startsWith('shared/')) return !allowed.test(target) && !(typeOnly || target === 'shared/auth.ts');
      if (target.startsWith('functions/')) return !typeOnly && capabilityOf(target) !== capabilityOf(path);
      return true;
    });
    expect(impure).toEqual([]);
  });

  it('has a contract that knows shapes only', () => {
    const contracts = functions.filter(({ path }) => /\/(contract|emits)\.ts$|\/contract\//.test(path));
    expect(contracts.length).toBeGreaterThan(9);
    const allowed =
      /^(zod|shared\/(auth|contract|input|money|time)\.ts|functions\/[^/]+\/(contract|emits)\.ts|functions\/[^/]+\/contract\/\w+\.ts)$/;
    expect(offences(contracts, (_, target, typeOnly) => !typeOnly && !allowed.test(target))).toEqual([]);
  });

  it('never lets shared know a capability', () => {
    expect(
      offences(shared, (_, target) => !target.startsWith('shared/') && /^(functions|infra|test)\//.test(target)),
    ).toEqual([]);
  });

  it('builds the stacks from contracts, not from handlers', () => {
    const allowed = /^functions\/(capabilities\.ts|fulfilment\/workflow\.ts|[^/]+\/contract\.ts)$/;
    expect(offences(infra, (_, target) => target.startsWith('functions/') && !allowed.test(target))).toEqual([]);
  });

  it('takes environment, clock, chance and clients in lambda.ts only', () => {
    const outside = /process\.env|Date\.now\(|new Date\(\)|randomUUID\(|Math\.random\(|new \w+Client\(/;
    const offenders = [...functions, ...shared]
      .filter(({ path }) => !path.endsWith('/lambda.ts') && path !== 'shared/runtime.ts')
      .filter(({ text }) => outside.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')))
      .map(({ path }) => path);
    // shared/client.ts runs at the caller's, where a new key is the caller's chance.
    expect(offenders).toEqual(['shared/client.ts']);
  });

  it('asks AWS for nothing outside the files that are there for it', () => {
    const offenders = offences(
      [...functions, ...shared],
      ({ path }, target, typeOnly) =>
        target.startsWith('@aws-sdk/') && !typeOnly && !/\/lambda\.ts$|shared\/expression\.ts$/.test(path),
    );
    expect(offenders).toEqual([]);
  });
});

describe('sizes', () => {
  // A table of cases may be long; code that decides may not.
  it.each([
    ['functions and shared', 300, [...functions, ...shared]],
    ['everything else that runs', 330, [...infra, ...sourceFiles('examples', 'docs')]],
    ['tests', 500, sourceFiles('test')],
  ])('%s: no file is over %i lines', (_, linesMax, files) => {
    expect(files.filter(({ text }) => text.split('\n').length > linesMax).map(({ path }) => path)).toEqual([]);
  });

  it('has no folder that is named after nothing', () => {
    expect(
      everything.filter(({ path }) => /\/(utils?|helpers?|misc|common)\//.test(path)).map(({ path }) => path),
    ).toEqual([]);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crash, pairsOf, singlePoints } from '../crash/crashes.ts';
import { FLOWS } from '../crash/flows.ts';
import { embeddedEngine, memoryEngine } from './engines.ts';
import { type Hunted, huntFor } from './hunt.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { type SimulationReport, simulate } from './simulation.ts';
import { INVARIANTS } from './witness.ts';

const USAGE = `npm run simulate -- [--seed N] [--seeds K] [--operations M] [--engine memory|embedded] [--json FILE] [--trace]
npm run simulate -- --bugs [--seeds K] [--operations M] [--json FILE]

Many people at once on the real functions, with everything going wrong that can; exit code 1 if an invariant breaks.
  --seed N        first seed (default 1); the same seed gives the same trace
  --seeds K       how many seeds, one after the other (default 1; with --bugs: at most so many each, default 60)
  --operations M  what people do before the trouble ends (default 2000; with --bugs 800)
  --engine E      memory: a double of DynamoDB, fast (default); embedded: the engine of "npm start", compared with it
                  at every call
  --bugs          plants each known mistake, counts the seeds until it is caught, writes docs/planted-bugs.md
  --crash-pairs   all pairs of crash points of every flow (test/crash), which takes minutes
  --trace         prints everything that happens
  --json FILE     writes the figures`;

const BUGS_FILE = join(import.meta.dirname, '..', '..', 'docs', 'planted-bugs.md');

const table = (rows: readonly Hunted[], operations: number): string =>
  [
    '# Planted bugs',
    '',
    `Written by \`npm run simulate -- --bugs\`: each mistake is put between the product's parts while they run, and simulated`,
    `with ${operations} operations a seed, from seed 1 on, until an invariant breaks. I1 … I12 are those of the design rules;`,
    '`kept`: what was acknowledged is there; `works`: nothing fails once the trouble is over.',
    '',
    '| mistake | caught by seed | by |',
    '|---|---|---|',
    ...rows.map(({ name, seed, invariants }) => `| ${name} | ${seed ?? '**not caught**'} | ${invariants.join(', ')} |`),
    '',
  ].join('\n');

const bugs = async (seeds: number, operations: number): Promise<Hunted[]> => {
  const rows: Hunted[] = [];
  for (const bug of PLANTED_BUGS) {
    const row = await huntFor(bug, { seeds, operations });
    rows.push(row);
    console.log(
      `${row.seed === undefined ? 'NOT CAUGHT' : `seed ${row.seed}`}: ${bug.name} (${row.invariants.join(', ')})`,
    );
    if (row.detail !== undefined) console.log(`    ${row.detail}`);
  }
  writeFileSync(BUGS_FILE, table(rows, operations));
  const missed = rows.filter(({ seed }) => seed === undefined).length;
  console.log(`${rows.length - missed} of ${rows.length} planted bugs were caught; see docs/planted-bugs.md`);
  process.exitCode = missed > 0 ? 1 : 0;
  return rows;
};

/** Every pair of deaths in every flow. */
const crashPairs = async () => {
  const rows: { flow: string; pairs: number; deaths: number; wrong: unknown[] }[] = [];
  for (const flow of Object.keys(FLOWS)) {
    const wrong: unknown[] = [];
    let deaths = 0;
    const pairs = pairsOf(await singlePoints(flow));
    for (const points of pairs) {
      const outcome = await crash(flow, points);
      deaths += outcome.deaths;
      if (outcome.problems.length > 0) wrong.push({ points, problems: outcome.problems });
    }
    rows.push({ flow, pairs: pairs.length, deaths, wrong });
    console.log(`${flow}: ${pairs.length} pairs, ${deaths} deaths, ${wrong.length} do not converge`);
    for (const one of wrong.slice(0, 5)) console.log(`    ${JSON.stringify(one)}`);
    if (wrong.length > 0) process.exitCode = 1;
  }
  return rows;
};

const runs = async (first: number, seeds: number, operations: number, engine: string, trace: boolean) => {
  const reports: SimulationReport[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const startMs = performance.now();
    const report = await simulate({
      ...{ seed, operations, engine: engine === 'embedded' ? embeddedEngine : memoryEngine },
      ...(trace ? { reader: (line: string) => void process.stdout.write(line) } : {}),
    });
    reports.push(report);
    const { violations, counts } = report;
    const took = `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
    console.log(
      `seed ${seed}: ${violations.length} violations, ${counts.orders} orders, ${counts['calls out']} calls, ${counts.crashes} crashes, ${counts.zombies} zombies, trace ${report.trace.slice(0, 12)}, ${took}`,
    );
    for (const { invariant, detail } of violations.slice(0, 10)) console.log(`    ${invariant}: ${detail}`);
  }
  return reports;
};

const summary = (reports: readonly SimulationReport[]): void => {
  const total = (name: keyof typeof INVARIANTS): number =>
    reports.reduce((sum, { checked }) => sum + checked[name]!, 0);
  const broken = (name: string): number =>
    reports.reduce((sum, { violations }) => sum + violations.filter(({ invariant }) => invariant === name).length, 0);
  for (const [name, what] of Object.entries(INVARIANTS)) {
    const looked = total(name as keyof typeof INVARIANTS);
    console.log(
      `${name.padEnd(5)} ${String(broken(name)).padStart(4)} broken of ${String(looked).padStart(9)} looked at: ${what}`,
    );
  }
  console.log('I5 is looked at for goods, as there is no journal of money yet; I9 for points.');
  const violations = reports.reduce((sum, report) => sum + report.violations.length, 0);
  console.log(`${violations} violations in ${reports.length} seeds`);
  process.exitCode = violations > 0 ? 1 : 0;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      ...{ seed: { type: 'string', default: '1' }, seeds: { type: 'string' }, operations: { type: 'string' } },
      ...{ engine: { type: 'string', default: 'memory' }, json: { type: 'string' }, bugs: { type: 'boolean' } },
      ...{ trace: { type: 'boolean' }, 'crash-pairs': { type: 'boolean' }, help: { type: 'boolean' } },
    },
  });
  if (values.help === true || !['memory', 'embedded'].includes(values.engine)) return console.log(USAGE);
  const number = (text: string | undefined, otherwise: number): number => {
    const given = text === undefined ? otherwise : Number(text);
    if (!Number.isSafeInteger(given) || given < 1) throw new Error(`${text} is not a number from 1 on`);
    return given;
  };
  const startMs = performance.now();
  const { engine, trace = false, bugs: isHunt = false, 'crash-pairs': isCrash = false } = values;
  const seeds = number(values.seeds, isHunt ? 60 : 1);
  const operations = number(values.operations, isHunt ? 800 : 2_000);
  let reports: unknown[];
  if (isCrash) reports = await crashPairs();
  else if (isHunt) reports = await bugs(seeds, operations);
  else {
    const simulated = await runs(number(values.seed, 1), seeds, operations, engine, trace);
    summary(simulated);
    reports = simulated;
  }
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const used = isCrash || isHunt ? 'memory' : engine;
  console.log(`${seconds} s, engine: ${used}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ operations, engine: used, seconds, reports }, null, 2)}\n`);
  }
};

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});

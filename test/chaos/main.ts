import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { synthesize } from '../../infra/local/synth.ts';
import { freePorts, processesOn, startProcess } from '../journeys/process.ts';
import { startTestCloud, temporaryDirectory } from '../support/cloud.ts';

/**
 * `npm run chaos -- --kills 50 --seed N [--json FILE]`: `kill -9` of the local cloud at random moments of a replay.
 * Afterwards every acknowledged order is there once, everything adds up, and all workflows have ended.
 */

const ROOT = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
/** Enough that the replay is still busy when the last kill comes. */
const ordersPerKill = 30;
/** A payment that was killed on its way is asked for again after a minute, by a schedule of a minute. */
const RUNS_AT_THE_END_MAX = 6;
const UP_MS_MIN = 500;
const UP_MS_SPREAD = 5_000;

/** A number below `size`, the same for the same seed and question. */
const drawn = (question: string, size: number): number =>
  createHash('md5').update(`${seed} ${question}`).digest().readUInt32BE(0) % size;

const data = temporaryDirectory('chaos');
const port = await freePorts();
const count = kills * ordersPerKill;

const startReplay = (): ChildProcess =>
  spawn(
    process.execPath,
    ['examples/replay/main.ts', '--url', `http://127.0.0.1:${port}`, '--running', data.path, '--orders', String(count)],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );

const exitCodeOf = async (child: ChildProcess): Promise<number | null> => {
  child.stdout?.resume();
  child.stderr?.resume();
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
};

/** Orders that the API acknowledged, as the replay wrote them down. */
const acknowledged = (): Map<string, Set<string>> => {
  const orders = new Map<string, Set<string>>();
  for (const line of readFileSync(join(data.path, 'replay.jsonl'), 'utf8').split('\n')) {
    const [, reference] = /"reference":"([^"]+)"/.exec(line) ?? [];
    const [, orderId] = /"orderId":"([^"]+)"/.exec(line) ?? [];
    if (reference !== undefined && orderId !== undefined) {
      orders.set(reference, (orders.get(reference) ?? new Set()).add(orderId));
    }
  }
  return orders;
};

const killAgainAndAgain = async (): Promise<void> => {
  let replay: ChildProcess | undefined;
  for (let kill = 1; kill <= kills; kill += 1) {
    const system = startProcess(data.path, port);
    await system.ready;
    if (replay === undefined || replay.exitCode !== null) replay = startReplay();
    const upMs = UP_MS_MIN + drawn(`kill ${kill}`, UP_MS_SPREAD);
    await setTimeout(upMs);
    system.child.kill('SIGKILL');
    await system.ended;
    console.log(`kill ${kill} of ${kills} after ${upMs} ms`);
    await exitCodeOf(replay);
  }
};

/** Lets the replay finish undisturbed: exit code 0 says that all orders have ended and everything adds up. */
const finish = async (): Promise<boolean> => {
  const system = startProcess(data.path, port);
  await system.ready;
  let code: number | null = null;
  for (let run = 0; run < RUNS_AT_THE_END_MAX && code !== 0; run += 1) code = await exitCodeOf(startReplay());
  system.child.kill('SIGINT');
  await system.ended;
  return code === 0;
};

const examine = async () => {
  const world = await startTestCloud({ path: data.path, remove: () => {} });
  try {
    const orders = acknowledged();
    const missing: string[] = [];
    for (const orderId of [...orders.values()].flatMap((ids) => [...ids])) {
      if ((await world.item('orders', { pk: `ORDER#${orderId}`, sk: 'ORDER' })) === undefined) missing.push(orderId);
    }
    const executions = world.cloud.workflows.list();
    return {
      acknowledged: orders.size,
      missing,
      placedTwice: [...orders].filter(([, ids]) => ids.size > 1).map(([reference]) => reference),
      drift: await world.drift(),
      workflows: executions.length,
      unfinished: executions.filter(({ status }) => status !== 'SUCCEEDED').map(({ name }) => name),
      deadLetters: (await world.cloud.queues.depths()).filter(({ visible }) => visible > 0).length,
    };
  } finally {
    await world.close();
  }
};

try {
  await synthesize();
  const startedMs = performance.now();
  await killAgainAndAgain();
  const isFinished = await finish();
  const found = await examine();
  const leftBehind = processesOn(data.path);
  const report = {
    seed,
    kills,
    isFinished,
    ...found,
    leftBehind,
    seconds: Math.round((performance.now() - startedMs) / 1000),
  };
  const clean =
    isFinished &&
    [found.missing, found.placedTwice, found.drift, found.unfinished, leftBehind].every(({ length }) => length === 0) &&
    found.deadLetters === 0;
  console.log(JSON.stringify(report, null, 2));
  console.log(clean ? `clean: seed ${seed}` : `NOT clean: repeat with --seed ${seed}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...report, clean }, null, 2)}\n`);
  process.exitCode = clean ? 0 : 1;
} finally {
  data.remove();
}

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Running, runningIn } from '../../infra/local/running.ts';
import { send } from './http.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Linux counts CPU time of a process in hundredths of a second. */
const TICKS_PER_SECOND = 100;

export interface System {
  running: Running;
  bootMs: number;
  /** Resident memory of the process and all that it started. */
  residentMb(): number;
  /** CPU that the process and all that it started have used so far. */
  cpuMs(): number;
  end(): Promise<void>;
}

const statOf = (pid: number): { parent: number; cpuTicks: number } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
};

/** CPU that a process has used so far, without those that it started. */
export const cpuMsOf = (pid: number): number => (statOf(pid)?.cpuTicks ?? 0) * (1000 / TICKS_PER_SECOND);

/** The process and all below it. */
const family = (root: number): number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? statOf(pid)?.parent : undefined;
    if (parent !== undefined) parents.set(pid, parent);
  }
  const members = [root];
  for (const member of members) for (const [pid, parent] of parents) if (parent === member) members.push(pid);
  return members;
};

const residentKb = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

const isHealthy = async (dataDir: string, child: ChildProcess): Promise<Running> => {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the local cloud ended with ${child.exitCode}`);
    const running = runningIn(dataDir);
    if (running !== undefined && running.pid === child.pid) {
      const { status } = await send(`${running.url}/health`);
      if (status === 200) return running;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Node's own options and the script of `npm start`. */
const startArguments = (): string[] => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return scripts.start.split(' ').slice(1);
};

/** Starts the local cloud as `npm start` does, without a chain, and waits until it answers. */
export const startSystem = async (dataDir: string): Promise<System> => {
  const startedMs = performance.now();
  const options = [...startArguments(), '--empty', '--port', '0', '--data', dataDir];
  const child = spawn(process.execPath, options, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const running = await isHealthy(dataDir, child);
  const bootMs = performance.now() - startedMs;
  const members = () => family(child.pid!);
  return {
    running,
    bootMs,
    residentMb: () => members().reduce((total, pid) => total + residentKb(pid), 0) / 1024,
    cpuMs: () => members().reduce((total, pid) => total + cpuMsOf(pid), 0),
    end: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGINT');
      }),
  };
};

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** `npm start` in a process of its own. */
export interface StartedProcess {
  child: ChildProcess;
  /** Everything that it has written so far. */
  output(): string;
  /** Resolves once it says that it is ready; rejects with its output where it ends before. */
  ready: Promise<void>;
  /** Exit code and signal. */
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

const START = join(import.meta.dirname, '..', '..', 'infra', 'local', 'start.ts');

/** Starts an empty system. It has a process group of its own, as in a terminal, where Ctrl-C reaches the whole group. */
export const startProcess = (dataDir: string, port = 0): StartedProcess => {
  const child = spawn(process.execPath, [START, '--empty', '--data', dataDir, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    detached: true,
  });
  let text = '';
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  // Only some ask for it.
  ready.catch(() => {});
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('Ieum is ready')) resolve();
    });
  }
  const ended = once(child, 'close') as StartedProcess['ended'];
  void ended.then(([code, signal]) =>
    reject(new Error(`it ended with ${code ?? signal} before it was ready:\n${text}`)),
  );
  return { child, ready, ended, output: () => text };
};

/** Processes that have to do with a data directory, by their command lines. */
export const processesOn = (dataDir: string): string[] =>
  execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(dataDir) && !line.includes('ps -eo'));

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const FIRST_PORT = 20_000;
const PORTS = 10_000;

/** A port that is free, and the next one too; below those that the system hands out by itself. */
export const freePorts = async (): Promise<number> => {
  for (;;) {
    const port = FIRST_PORT + 2 * Math.floor((Math.random() * PORTS) / 2);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
};

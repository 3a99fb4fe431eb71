import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { addStreamIndexes, CHECKED_VERSION, openEngineFile } from './engine-indexes.ts';
import { ensureTables } from './engine-tables.ts';
import { startTimeToLive } from './engine-ttl.ts';
import type { Resource } from './template.ts';

/** A DynamoDB-compatible endpoint with the tables of the template in it. */
export interface Engine {
  endpoint: string;
  /** Process of the embedded engine now; undefined with COMMERCE_DYNAMODB_ENDPOINT. */
  readonly pid: number | undefined;
  /** SQLite file of the embedded engine; undefined with COMMERCE_DYNAMODB_ENDPOINT. */
  file: string | undefined;
  close(): Promise<void>;
}

interface EngineOptions {
  dataDir: string;
  /** AWS::DynamoDB::GlobalTable and AWS::DynamoDB::Table */
  tables: Resource[];
  /** A free one unless given. */
  port?: number;
}

/**
 * Starts the embedded engine on `<dataDir>/tables.sqlite` and makes the tables exist; or uses the endpoint that
 * COMMERCE_DYNAMODB_ENDPOINT names. The directory's lock is the journal's: open that first.
 *
 * @throws Error that says what to do: no engine for this platform, port taken, other keys on disk.
 */
export async function startEngine({ dataDir, tables, port }: EngineOptions): Promise<Engine> {
  const external = process.env.COMMERCE_DYNAMODB_ENDPOINT;
  if (external) {
    await ensureTables(external, tables);
    return { endpoint: external, pid: undefined, file: undefined, close: async () => {} };
  }
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'tables.sqlite');
  const onPort = port ?? (await freePort());
  const endpoint = `http://127.0.0.1:${onPort}`;
  const child = await keepRunning(file, onPort);
  try {
    await ensureTables(endpoint, tables);
    const database = openEngineFile(file);
    addStreamIndexes(database);
    const timeToLive = startTimeToLive({ database, endpoint, tables });
    return {
      endpoint,
      get pid() {
        return child.pid();
      },
      file,
      close: async () => {
        await timeToLive.close();
        if (database.isOpen) database.close();
        await child.close();
      },
    };
  } catch (error) {
    await child.close();
    throw error;
  }
}

/** The engine's binary for this platform. */
export function engineBinary(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@dynoxide/${platform}-${arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dynoxide');
  } catch {
    throw new Error(
      `The embedded DynamoDB engine is not installed for this platform. Run "npm install --no-save ${name}@${CHECKED_VERSION}", ` +
        'or start any DynamoDB-compatible server (for example DynamoDB Local) and name it in COMMERCE_DYNAMODB_ENDPOINT.',
    );
  }
}

/**
 * The shell holds the read end of a pipe whose write end is ours. However this process ends, the pipe closes and the
 * shell kills the engine: no engine outlives its owner. KILL loses nothing, each answered write is on disk.
 */
const WRAPPER = `exec 3<&0
"$0" "$@" </dev/null 3<&- & engine=$!
{ read -r _ <&3; kill -9 $engine; } >/dev/null 2>&1 & watch=$!
echo "pid $engine"
wait $engine; code=$?
kill $watch 2>/dev/null
exit $code`;

interface Child {
  pid: number;
  ended: Promise<void>;
  end(): void;
}

/** Starts the engine, and again on the same port whenever it ends by itself: its callers only see a retry. */
async function keepRunning(file: string, port: number): Promise<{ pid(): number; close(): Promise<void> }> {
  let closing = false;
  let child = await launch(file, port);
  const restart = async (): Promise<void> => {
    for (;;) {
      await child.ended;
      if (closing) return;
      console.error('The DynamoDB engine ended unexpectedly; starting it again.');
      child = await launch(file, port);
    }
  };
  const kept = restart().catch((error: unknown) => console.error('The tables are gone until the next start:', error));
  return {
    pid: () => child.pid,
    close: async () => {
      closing = true;
      child.end();
      await kept;
    },
  };
}

async function launch(file: string, port: number): Promise<Child> {
  const child = spawn('sh', ['-c', WRAPPER, engineBinary(), '--db-path', file, '--port', String(port)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group: Ctrl-C is ours to answer, and the functions still write while they wind down.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said: string[] = [];
  let pid = 0;
  await new Promise<void>((resolve, reject) => {
    const reason = () => said.join(' ') || 'it gave no reason';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`The DynamoDB engine did not start on port ${port}: ${reason()}`)));
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output }).on('line', (line) => {
        if (line.startsWith('pid ')) pid = Number(line.slice(4));
        else if (line.includes('listening on')) resolve();
        else if (said.length < 20) said.push(line);
      });
  });
  child.stdin.on('error', () => {});
  return { pid, ended, end: () => child.stdin.end() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { runningIn } from '../../infra/local/running.ts';
import { temporaryDirectory } from '../support/cloud.ts';
import { processesOn, type StartedProcess, startProcess } from './process.ts';

describe('npm start', { timeout: 60_000 }, () => {
  const started: StartedProcess[] = [];
  const directories: ReturnType<typeof temporaryDirectory>[] = [];
  const start = (dataDir: string, port?: number): StartedProcess => {
    const one = startProcess(dataDir, port);
    started.push(one);
    return one;
  };
  const newDirectory = (): string => {
    const directory = temporaryDirectory('start');
    directories.push(directory);
    return directory.path;
  };
  afterEach(async () => {
    for (const { child, ended } of started.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    for (const directory of directories.splice(0)) directory.remove();
  });

  test('ends on Ctrl-C with everything that it started', async () => {
    const dataDir = newDirectory();
    const { child, ready, ended } = start(dataDir);
    await ready;
    const running = runningIn(dataDir)!;
    expect(running.pid).toBe(child.pid);
    expect((await fetch(`${running.url}/health`)).status).toBe(200);
    expect(processesOn(dataDir).length).toBeGreaterThan(1);
    // A terminal sends it to every process of the group, the engine's too.
    process.kill(-child.pid!, 'SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(processesOn(dataDir)).toEqual([]);
    for (const url of [running.url, running.awsUrl, running.dynamodbEndpoint]) {
      await expect(fetch(url)).rejects.toThrow();
    }
    expect(existsSync(join(dataDir, 'running.json'))).toBe(false);
  });

  test('on a port that is taken says so, and what to do, and ends with 1', async () => {
    const dataDir = newDirectory();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { ended, output } = start(dataDir, port);
    expect(await ended).toEqual([1, null]);
    // AWS is served on the port after it, which a test beside this one may hold.
    expect(output()).toMatch(
      new RegExp(`Ieum could not start: Port (${port}|${port + 1}) of 127\\.0\\.0\\.1 is taken\\.`),
    );
    expect(output()).toMatch('choose another port');
    expect(output()).not.toMatch(/^ +at /m);
    expect(processesOn(dataDir)).toEqual([]);
    other.close();
  });

  test('a second time on the same data says so and ends with 1, and the first one goes on', async () => {
    const dataDir = newDirectory();
    const first = start(dataDir);
    await first.ready;
    const second = start(dataDir);
    expect(await second.ended).toEqual([1, null]);
    expect(second.output()).toMatch(/in use by another local cloud/);
    expect((await fetch(`${runningIn(dataDir)!.url}/health`)).status).toBe(200);
    first.child.kill('SIGTERM');
    expect(await first.ended).toEqual([0, null]);
  });

  test('with a port that is none says so and ends with 1', async () => {
    const { ended, output } = start(newDirectory(), 99_999);
    expect(await ended).toEqual([1, null]);
    expect(output()).toMatch('--port 99999 is not a port number');
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test, vi } from 'vitest';
import {
  answer,
  called,
  calls,
  chain,
  code,
  directory,
  type Fields,
  FULFILMENT,
  host,
  hosts,
  json,
  MACHINE,
  never,
  only,
  outputOf,
  pass,
  start,
  task,
  tokenOf,
} from './fixture.ts';

describe('after a crash', () => {
  test('a waiting execution goes on when its old token is answered, and calls nothing twice', async () => {
    start(host(FULFILMENT));
    await hosts[0]!.idle();
    const revived = host(FULFILMENT);
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['offer']);
    answer(revived, tokenOf('offer'), { answer: 'ACCEPTED' });
    await revived.idle();
    expect(called()).toEqual(['offer', 'fulfil']);
  });

  test('an answer given before executions are taken up is not lost', async () => {
    const arn = start(host(FULFILMENT));
    await hosts[0]!.idle();
    const revived = host(FULFILMENT);
    answer(revived, tokenOf('offer'), { answer: 'REJECTED' });
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['offer', 'resource']);
    expect(revived.describe(arn).status).toBe('SUCCEEDED');
  });

  test('a function that was at work is called again with the same token', async () => {
    start(host(FULFILMENT, never));
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    const revived = host(FULFILMENT);
    revived.resume();
    await revived.idle();
    expect(calls).toHaveLength(2);
    expect(calls[1]).toEqual(calls[0]);
  });

  test('a finished task is not called again by the run that follows', async () => {
    const definition = chain({
      Count: task('count', { ResultPath: '$.counted', End: undefined, Next: 'Ship' }),
      Ship: task('ship'),
    });
    const arn = start(host(definition, ({ task }) => (task === 'ship' ? never() : { lines: 3 })));
    await vi.waitFor(() => expect(called()).toEqual(['count', 'ship']));
    const revived = host(definition, ({ input }) => input.counted);
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['count', 'ship', 'ship']);
    expect(outputOf(revived, arn)).toEqual({ result: { result: { lines: 3 } } });
  });

  test('a deadline that passed meanwhile counts, and the late answer is refused', async () => {
    start(host(FULFILMENT));
    await hosts[0]!.idle();
    await hosts[0]!.close();
    vi.setSystemTime(Date.now() + 1_801_000);
    const revived = host(FULFILMENT);
    expect(code(() => answer(revived, tokenOf('offer'), { answer: 'ACCEPTED' }))).toBe('TaskTimedOut');
    revived.resume();
    await revived.idle();
    await pass(revived, 0.001);
    expect(called()).toEqual(['offer', 'resource']);
  });

  test('an execution ends by the definition it began with', async () => {
    const arn = start(host(FULFILMENT));
    await hosts[0]!.idle();
    const revived = host(only(task('something-new')));
    revived.resume();
    answer(revived, tokenOf('offer'), { answer: 'REJECTED' });
    await revived.idle();
    expect(called()).toEqual(['offer', 'resource']);
    expect(revived.describe(arn).status).toBe('SUCCEEDED');
  });
});

describe('a killed process', () => {
  /** Runs one until it waits, and returns all it said by then. */
  async function run(): Promise<{ said: Fields[]; child: ChildProcess; next(): Promise<Fields> }> {
    const script = join(import.meta.dirname, 'process.ts');
    const child = spawn(process.execPath, [script, directory, MACHINE, json(FULFILMENT)], { stdio: 'pipe' });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? 'null') as Fields;
    const said: Fields[] = [];
    do said.push(await next());
    while (!said.at(-1)?.waiting);
    return { said, child, next };
  }
  const killed = (child: ChildProcess) => new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));

  test('keeps a token good, and an answer it had acknowledged takes effect in the next process', async () => {
    vi.useRealTimers();
    const first = await run();
    expect(first.said).toMatchObject([{ task: 'offer' }, { waiting: 'RUNNING' }]);
    const firstEnd = killed(first.child);
    first.child.kill('SIGKILL');
    expect(await firstEnd).toBe('SIGKILL');

    const second = await run();
    expect(second.said).toEqual([{ waiting: 'RUNNING' }]);
    const secondEnd = killed(second.child);
    second.child.stdin?.write(`${first.said[0]!.token}\n`);
    expect(await second.next()).toEqual({ acknowledged: first.said[0]!.token });
    expect(await secondEnd).toBe('SIGKILL');

    const third = await run();
    expect(third.said).toMatchObject([{ task: 'fulfil', input: { offer: { answer: 'ACCEPTED' } } }, {}]);
    const thirdEnd = killed(third.child);
    third.child.kill('SIGKILL');
    await thirdEnd;
  }, 30_000);
});

import { describe, expect, test, vi } from 'vitest';
import {
  answer,
  callback,
  called,
  calls,
  chain,
  code,
  FULFILMENT,
  host,
  hosts,
  never,
  only,
  outputOf,
  pass,
  start,
  task,
  tokenOf,
} from './fixture.ts';

describe('time', () => {
  test('a Wait longer than a timer can count ends when it should, over a restart too', async () => {
    const thirtyDays = { Type: 'Wait', Seconds: 30 * 86_400, Next: 'Close' };
    const definition = chain({ Pause: thirtyDays, Close: task('close') });
    start(host(definition));
    await hosts[0]!.idle();
    await pass(hosts[0]!, 29 * 86_400);
    await hosts[0]!.close();
    expect(called()).toEqual([]);
    const revived = host(definition);
    revived.resume();
    await revived.idle();
    await pass(revived, 86_399);
    expect(called()).toEqual([]);
    await pass(revived, 2);
    expect(calls).toMatchObject([{ task: 'close', input: { order: 'o-1' } }]);
  });

  test('a Wait until an instant in the input, and one that is already past, are kept', async () => {
    const until = (path: string, Next: string) => ({ Type: 'Wait', TimestampPath: path, Next });
    const definition = chain({ A: until('$.past', 'B'), B: until('$.soon', 'Close'), Close: task('close') });
    const workflows = host(definition);
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    start(workflows, { past: at(-5), soon: at(30) });
    await pass(workflows, 0.001);
    await pass(workflows, 29);
    expect(called()).toEqual([]);
    await pass(workflows, 1);
    expect(called()).toEqual(['close']);
  });

  test('an execution over its time is TIMED_OUT and its tokens are closed', async () => {
    const workflows = host({ ...FULFILMENT, TimeoutSeconds: 900 });
    const arn = start(workflows);
    await workflows.idle();
    await pass(workflows, 901);
    expect(workflows.describe(arn)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(code(() => answer(workflows, tokenOf('offer'), {}))).toBe('TaskTimedOut');
    expect(called()).toEqual(['offer']);
  });

  test('each of several deadlines is kept', async () => {
    const workflows = host(FULFILMENT);
    const first = start(workflows, {}, 'first');
    await workflows.idle();
    await pass(workflows, 600);
    const second = start(workflows, {}, 'second');
    await workflows.idle();
    await pass(workflows, 1201);
    expect([first, second].map((arn) => workflows.describe(arn).status)).toEqual(['SUCCEEDED', 'RUNNING']);
    await pass(workflows, 600);
    expect(workflows.describe(second).status).toBe('SUCCEEDED');
  });

  test('a function that hangs is given up at the task timeout', async () => {
    const workflows = host(only(task('close', { TimeoutSeconds: 30 })), never);
    const arn = start(workflows);
    await vi.waitFor(() => expect(calls).toHaveLength(1));
    await pass(workflows, 31);
    expect(workflows.describe(arn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  test('a task without a timeout waits beyond the minute at which the library would give up', async () => {
    const workflows = host(only(callback('offer')));
    const arn = start(workflows);
    await workflows.idle();
    await pass(workflows, 40 * 86_400);
    answer(workflows, tokenOf('offer'), 'at last');
    await workflows.idle();
    expect(outputOf(workflows, arn)).toBe('at last');
  });

  test('the timeout may come from the input', async () => {
    const workflows = host(only(callback('offer', { TimeoutSecondsPath: '$.acceptSeconds' })));
    const arn = start(workflows, { acceptSeconds: 5 });
    await pass(workflows, 0.001);
    await pass(workflows, 6);
    expect(workflows.describe(arn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(calls[0]!.input).toEqual({ acceptSeconds: 5 });
  });
});

describe('branches', () => {
  const parallel = only({
    Type: 'Parallel',
    Branches: [chain({ Left: callback('left') }), chain({ Right: callback('right') })],
    End: true,
  });

  test('of a Parallel wait side by side, also over a crash', async () => {
    const arn = start(host(parallel));
    await hosts[0]!.idle();
    answer(hosts[0]!, tokenOf('left'), 'l');
    await hosts[0]!.idle();
    const revived = host(parallel);
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['left', 'right']);
    answer(revived, tokenOf('right'), 'r');
    await revived.idle();
    expect(outputOf(revived, arn)).toEqual(['l', 'r']);
  });

  test('of a Parallel that a function had in hand are called again after a crash, though another one waits', async () => {
    start(host(parallel, ({ task }) => (task === 'right' ? never() : null)));
    await vi.waitFor(() => expect(called()).toEqual(['left', 'right']));
    const revived = host(parallel);
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['left', 'right', 'right']);
  });

  test('of a Map keep their own tokens over a crash, whatever the order', async () => {
    const map = only({ Type: 'Map', ItemsPath: '$.lines', Iterator: chain({ Pick: callback('pick') }), End: true });
    const arn = start(host(map), { lines: ['a', 'b', 'c'] });
    await hosts[0]!.idle();
    expect(calls).toHaveLength(3);
    answer(hosts[0]!, tokenOf('pick', 1), 'B');
    await hosts[0]!.idle();
    const revived = host(map);
    revived.resume();
    await revived.idle();
    answer(revived, tokenOf('pick', 2), 'C');
    answer(revived, tokenOf('pick', 0), 'A');
    await revived.idle();
    expect(calls).toHaveLength(3);
    expect(outputOf(revived, arn)).toEqual(['A', 'B', 'C']);
  });

  test('of a Map that overtook one another keep their tokens over a crash', async () => {
    const steps = chain({ Pick: callback('pick', { End: undefined, Next: 'Pack' }), Pack: callback('pack') });
    const map = only({ Type: 'Map', ItemsPath: '$.lines', Iterator: steps, End: true });
    const arn = start(host(map), { lines: ['a', 'b', 'c'] });
    await hosts[0]!.idle();
    for (const line of ['c', 'a']) {
      answer(hosts[0]!, tokenOf('pick', ['a', 'b', 'c'].indexOf(line)), `picked ${line}`);
      await hosts[0]!.idle();
    }
    const revived = host(map);
    revived.resume();
    await revived.idle();
    expect(called()).toEqual(['pick', 'pick', 'pick', 'pack', 'pack']);
    answer(revived, tokenOf('pick', 1), 'picked b');
    await revived.idle();
    for (const { token, input } of calls.slice(3)) answer(revived, token, `packed after ${input}`);
    await revived.idle();
    expect(outputOf(revived, arn)).toEqual(['a', 'b', 'c'].map((line) => `packed after picked ${line}`));
  });

  test('that fail close what their siblings wait for', async () => {
    const workflows = host(parallel);
    const arn = start(workflows);
    await workflows.idle();
    workflows.sendTaskFailure({ taskToken: tokenOf('left'), error: 'Broken' });
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'FAILED', error: 'Broken' });
    expect(code(() => answer(workflows, tokenOf('right'), {}))).toBe('TaskTimedOut');
    expect(vi.getTimerCount()).toBe(0);
  });
});

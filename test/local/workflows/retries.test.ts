import { describe, expect, test, vi } from 'vitest';
import { WorkflowJournal } from '../../../infra/local/workflows/journal.ts';
import {
  answer,
  type Behaviour,
  callback,
  called,
  calls,
  chain,
  code,
  FULFILMENT,
  host,
  MACHINE,
  only,
  openDatabase,
  pass,
  start,
  task,
  tokenOf,
} from './fixture.ts';

test('an execution that goes round in circles is ended', async () => {
  const definition = chain({
    Ask: task('ask', { ResultPath: null, End: undefined, Next: 'Again' }),
    Again: { Type: 'Choice', Choices: [{ Variable: '$.order', StringEquals: 'other', Next: 'End' }], Default: 'Ask' },
    End: { Type: 'Succeed' },
  });
  const workflows = host(definition);
  const arn = start(workflows);
  await workflows.idle();
  expect(workflows.describe(arn)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(calls).toHaveLength(5_000);
}, 30_000);

test('the first outcome of a task stands', () => {
  const journal = new WorkflowJournal(openDatabase(), Date.now());
  const row = { token: 't', execution: 'e', state: 's', kind: 'callback', status: 'WAITING' } as const;
  journal.issue({ ...row, timeout_at: null, heartbeat_seconds: null }, null);
  expect(journal.settle('t', { output: '1' })).toBe(true);
  expect(journal.settle('t', { error: 'Late', cause: '' })).toBe(false);
  expect(journal.task('t')).toMatchObject({ status: 'SUCCEEDED', output: '1', error: null });
});

describe('a retry', () => {
  const busyTwice: Behaviour = ({ task }) => {
    if (task === 'offer' && calls.length <= 2) throw Object.assign(new Error('try later'), { errorType: 'Busy' });
    return null;
  };

  test('waits as the definition says, with a new token, and counts as a transition', async () => {
    const workflows = host(FULFILMENT, busyTwice);
    const arn = start(workflows);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(1));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(called()).toEqual(['offer']);
    await vi.advanceTimersByTimeAsync(200);
    expect(called()).toEqual(['offer', 'offer']);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(called()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_100);
    await workflows.idle();
    expect(called()).toHaveLength(3);
    expect(new Set(calls.map((call) => call.token)).size).toBe(3);
    expect(code(() => answer(workflows, tokenOf('offer', 0), {}))).toBe('TaskTimedOut');
    expect(workflows.describe(arn).transitions).toBe(3);
    answer(workflows, tokenOf('offer', 2), { answer: 'REJECTED' });
    await workflows.idle();
    expect(called()).toEqual(['offer', 'offer', 'offer', 'resource']);
  });

  test('after a refused token also waits', async () => {
    const workflows = host(FULFILMENT);
    start(workflows);
    await workflows.idle();
    workflows.sendTaskFailure({ taskToken: tokenOf('offer'), error: 'Busy' });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(called()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    await workflows.idle();
    expect(called()).toHaveLength(2);
  });

  test('that gives up fails the execution with the function error', async () => {
    const workflows = host(only(task('close')), () => {
      throw Object.assign(new Error('no such order'), { errorType: 'NotFound' });
    });
    const arn = start(workflows);
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'FAILED', error: 'NotFound' });
    expect(JSON.parse(workflows.describe(arn).cause!)).toMatchObject({ errorMessage: 'no such order' });
  });

  test('for States.TaskFailed leaves timeouts alone, as on AWS', async () => {
    const taskFailed = [{ ErrorEquals: ['States.TaskFailed'], Next: 'Ask' }];
    const definition = chain({ Offer: callback('offer', { TimeoutSeconds: 10, Catch: taskFailed }), Ask: task('ask') });
    const workflows = host(definition);
    const late = start(workflows, {}, 'late');
    const refused = start(workflows, {}, 'refused');
    await workflows.idle();
    workflows.sendTaskFailure({ taskToken: tokenOf('offer', 1), error: 'Anything' });
    await pass(workflows, 11);
    expect(workflows.describe(late)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(workflows.describe(refused).status).toBe('SUCCEEDED');
  });
});

describe('starting', () => {
  test('twice with one name and input is one execution', async () => {
    const workflows = host(FULFILMENT);
    expect(start(workflows)).toBe(start(workflows));
    await workflows.idle();
    expect(called()).toEqual(['offer']);
    expect(workflows.list()).toHaveLength(1);
    expect(code(() => start(workflows, { order: 'another' }))).toBe('ExecutionAlreadyExists');
  });

  test('a finished name again is refused', async () => {
    const workflows = host(only(task('close')));
    start(workflows);
    await workflows.idle();
    expect(code(() => start(workflows))).toBe('ExecutionAlreadyExists');
  });

  test.each([
    ['an unknown machine', { stateMachineArn: `${MACHINE}s` }, 'StateMachineDoesNotExist'],
    ['a name AWS would not take', { name: 'order 1' }, 'InvalidName'],
    ['a name that is too long', { name: 'x'.repeat(81) }, 'InvalidName'],
    ['an input that is no JSON', { input: '{' }, 'InvalidExecutionInput'],
  ])('with %s is refused', (_, wrong, expected) => {
    const workflows = host(FULFILMENT);
    expect(code(() => workflows.startExecution({ stateMachineArn: MACHINE, ...wrong }))).toBe(expected);
    expect(workflows.list()).toEqual([]);
  });

  test('an execution nobody started cannot be described', () => {
    expect(code(() => host(FULFILMENT).describe(`${MACHINE}:nothing`))).toBe('ExecutionDoesNotExist');
  });
});

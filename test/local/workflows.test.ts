import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startAwsEndpoint } from '../../infra/local/aws-endpoint.ts';
import { WorkflowJournal } from '../../infra/local/workflows/journal.ts';
import { stepFunctions } from '../../infra/local/workflows/service.ts';
import type { WorkflowHost } from '../../infra/local/workflows.ts';
import { createWorkflows } from '../../infra/local/workflows.ts';

const MACHINE = 'arn:aws:states:ap-northeast-2:000000000000:stateMachine:fulfilment';
const FUNCTION = 'arn:aws:lambda:ap-northeast-2:000000000000:function:tasks';
type Fields = Record<string, unknown>;
interface Event {
  task: string;
  input: Fields;
  token: string;
  state?: string;
}
/** What the function does with an invocation; by default it takes the work and answers nothing. */
type Behaviour = (event: Event) => unknown;

const task = (name: string, more: Fields = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: FUNCTION, Payload: { task: name, 'input.$': '$' } },
  ResultSelector: { 'result.$': '$.Payload' },
  End: true,
  ...more,
});
const callback = (name: string, more: Fields = {}) => {
  const Payload = { task: name, 'input.$': '$', 'token.$': '$$.Task.Token', 'state.$': '$$.State.Name' };
  const { ResultSelector: _, ...plain } = task(name) as Fields;
  return {
    ...plain,
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Parameters: { FunctionName: FUNCTION, Payload },
    ...more,
  };
};
const chain = (States: Fields) => ({ StartAt: Object.keys(States)[0], States });
const only = (state: Fields) => chain({ Only: state });

/** The workflow of one fulfilment order, in small. */
const FULFILMENT = chain({
  Offer: callback('offer', {
    TimeoutSeconds: 1800,
    ResultPath: '$.offer',
    Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 5, MaxAttempts: 2, BackoffRate: 2 }],
    Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.refusal', Next: 'Resource' }],
    End: undefined,
    Next: 'Answered',
  }),
  Answered: {
    Type: 'Choice',
    Choices: [{ Variable: '$.offer.answer', StringEquals: 'ACCEPTED', Next: 'Fulfil' }],
    Default: 'Resource',
  },
  Fulfil: callback('fulfil', { ResultPath: '$.work', End: undefined, Next: 'Close' }),
  Close: task('close', { ResultPath: '$.closed' }),
  Resource: task('resource', { ResultPath: '$.resourced' }),
});

let directory: string;
let calls: Event[];
const hosts: WorkflowHost[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'workflows-'));
  calls = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

/** A host over the test's journal. A second one stands for the process after a crash: the first is not told. */
function host(definition: Fields, behaviour: Behaviour = () => null, properties: Fields = {}): WorkflowHost {
  const machine = { id: 'Fulfilment', arn: MACHINE, properties: { DefinitionString: json(definition), ...properties } };
  const invoke = async (_: string, event: unknown) => {
    calls.push(event as Event);
    return behaviour(event as Event);
  };
  const created = createWorkflows({ journal: openDatabase(), machines: [machine], functions: { invoke } });
  hosts.push(created);
  return created;
}
/** As the local cloud's journal, but open to a second host. */
function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(join(directory, 'journal.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000;');
  return database;
}
const json = (value: unknown) => JSON.stringify(value);
const start = (workflows: WorkflowHost, input: unknown = { order: 'o-1' }, name = 'o-1') =>
  workflows.startExecution({ stateMachineArn: MACHINE, name, input: json(input) }).executionArn;
const called = () => calls.map((call) => call.task);
const tokenOf = (name: string, nth = 0) => calls.filter((call) => call.task === name)[nth]!.token;
const answer = (workflows: WorkflowHost, taskToken: string, output: unknown) =>
  workflows.sendTaskSuccess({ taskToken, output: json(output) });
const code = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).name;
  }
  return 'accepted';
};
const never = () => new Promise(() => {});
const pass = async (workflows: WorkflowHost, seconds: number) => {
  vi.advanceTimersByTime(seconds * 1000);
  await workflows.idle();
};
const outputOf = (workflows: WorkflowHost, arn: string) => JSON.parse(workflows.describe(arn).output ?? 'null');

describe('a fulfilment order', () => {
  test('is offered, fulfilled and closed as the answers come', async () => {
    const workflows = host(FULFILMENT, ({ task }) => (task === 'close' ? { done: true } : null));
    const arn = start(workflows);
    await workflows.idle();
    expect(called()).toEqual(['offer']);
    expect(calls[0]).toMatchObject({ input: { order: 'o-1' }, state: 'Offer' });
    answer(workflows, tokenOf('offer'), { answer: 'ACCEPTED' });
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'RUNNING', transitions: 3, name: 'o-1' });
    answer(workflows, tokenOf('fulfil'), { shipped: 2 });
    await workflows.idle();
    expect(called()).toEqual(['offer', 'fulfil', 'close']);
    expect(workflows.describe(arn)).toMatchObject({ status: 'SUCCEEDED', transitions: 4 });
    expect(outputOf(workflows, arn)).toEqual({
      order: 'o-1',
      offer: { answer: 'ACCEPTED' },
      work: { shipped: 2 },
      closed: { result: { done: true } },
    });
  });

  test('that nobody accepts in time is sourced again, with the timeout as the reason', async () => {
    const workflows = host(FULFILMENT);
    const arn = start(workflows);
    await workflows.idle();
    await pass(workflows, 1799);
    expect(called()).toEqual(['offer']);
    await pass(workflows, 2);
    expect(called()).toEqual(['offer', 'resource']);
    expect(outputOf(workflows, arn).refusal).toMatchObject({ Error: 'States.Timeout' });
    expect(code(() => answer(workflows, tokenOf('offer'), { answer: 'ACCEPTED' }))).toBe('TaskTimedOut');
  });

  test('keeps its history with the instants at which things first happened', async () => {
    const workflows = host(FULFILMENT);
    const arn = start(workflows);
    const startedAt = Date.now();
    await workflows.idle();
    vi.advanceTimersByTime(60_000);
    answer(workflows, tokenOf('offer'), { answer: 'REJECTED' });
    await workflows.idle();
    const entered = workflows.history(arn).filter((event) => event.type === 'StateEntered');
    expect(entered.map((event) => [event.state, event.at - startedAt])).toEqual([
      ['Offer', 0],
      ['Answered', 60_000],
      ['Resource', 60_000],
    ]);
    expect(workflows.history(arn).some((event) => event.type === 'StateFailed')).toBe(false);
  });

  test('may be answered by its own function before that returns', async () => {
    const workflows: WorkflowHost = host(FULFILMENT, ({ task, token }) => {
      if (task === 'offer') answer(workflows, token, { answer: 'REJECTED' });
      return task === 'offer' ? never() : null;
    });
    const arn = start(workflows);
    await vi.waitFor(() => expect(workflows.describe(arn).status).toBe('SUCCEEDED'));
    expect(called()).toEqual(['offer', 'resource']);
  });
});

test('an answer is applied at whatever moment after the function returned it comes', async () => {
  const answered = (workflows: WorkflowHost, token: string, hops: number): unknown =>
    hops === 0
      ? answer(workflows, token, { answer: 'REJECTED' })
      : queueMicrotask(() => answered(workflows, token, hops - 1));
  const workflows: WorkflowHost = host(FULFILMENT, ({ task, token, input }) => {
    if (task === 'offer') answered(workflows, token, input.hops as number);
  });
  for (let hops = 0; hops < 100; hops++) start(workflows, { hops }, `hops-${hops}`);
  await workflows.idle();
  expect(workflows.list().filter((execution) => execution.status !== 'SUCCEEDED')).toEqual([]);
});

describe('a token', () => {
  test('answers once, and says so afterwards', async () => {
    const workflows = host(FULFILMENT);
    start(workflows);
    await workflows.idle();
    const offer = tokenOf('offer');
    answer(workflows, offer, { answer: 'ACCEPTED' });
    expect(code(() => answer(workflows, offer, { answer: 'REJECTED' }))).toBe('TaskTimedOut');
    await workflows.idle();
    answer(workflows, tokenOf('fulfil'), {});
    await workflows.idle();
    expect(called()).toEqual(['offer', 'fulfil', 'close']);
    expect(code(() => workflows.sendTaskHeartbeat({ taskToken: offer }))).toBe('TaskTimedOut');
  });

  test('that nobody issued is refused', () => {
    const workflows = host(FULFILMENT);
    expect(code(() => answer(workflows, 'made up', {}))).toBe('InvalidToken');
    expect(code(() => answer(workflows, 'A'.repeat(43), {}))).toBe('TaskDoesNotExist');
  });

  test('takes only JSON for an answer, and stays open for a better one', async () => {
    const workflows = host(only(callback('offer')));
    const arn = start(workflows);
    await workflows.idle();
    const taskToken = tokenOf('offer');
    expect(code(() => workflows.sendTaskSuccess({ taskToken, output: 'not json' }))).toBe('InvalidOutput');
    expect(code(() => workflows.sendTaskSuccess({ taskToken, output: json('x'.repeat(262_144)) }))).toBe(
      'InvalidOutput',
    );
    answer(workflows, taskToken, { fine: true });
    await workflows.idle();
    expect(outputOf(workflows, arn)).toEqual({ fine: true });
  });

  test('is lost when heartbeats stop, and kept while they come', async () => {
    const state = callback('pick', { HeartbeatSeconds: 60, TimeoutSeconds: 150 });
    const workflows = host(only(state));
    const silent = start(workflows, {}, 'silent');
    const alive = start(workflows, {}, 'alive');
    await workflows.idle();
    await pass(workflows, 50);
    workflows.sendTaskHeartbeat({ taskToken: tokenOf('pick', 1) });
    await pass(workflows, 50);
    expect(workflows.describe(silent)).toMatchObject({ status: 'FAILED', error: 'States.HeartbeatTimeout' });
    workflows.sendTaskHeartbeat({ taskToken: tokenOf('pick', 1) });
    expect(workflows.describe(alive).status).toBe('RUNNING');
    await pass(workflows, 51);
    expect(workflows.describe(alive)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  test('that misses a heartbeat is caught as a timeout too', async () => {
    const caught = [{ ErrorEquals: ['States.Timeout'], Next: 'Ask' }];
    const workflows = host(
      chain({ Pick: callback('pick', { HeartbeatSeconds: 60, Catch: caught }), Ask: task('ask') }),
    );
    start(workflows);
    await workflows.idle();
    await pass(workflows, 61);
    expect(calls[1]).toMatchObject({ task: 'ask', input: { Error: 'States.HeartbeatTimeout' } });
  });

  test('that fails names the error for Catch', async () => {
    const caught = { ErrorEquals: ['OutOfStock'], ResultPath: '$.why', Next: 'Ask' };
    const workflows = host(chain({ Offer: callback('offer', { Catch: [caught] }), Ask: task('ask') }));
    start(workflows);
    await workflows.idle();
    workflows.sendTaskFailure({ taskToken: tokenOf('offer'), error: 'OutOfStock', cause: 'sold at the till' });
    await workflows.idle();
    expect(calls[1]).toMatchObject({
      task: 'ask',
      input: { order: 'o-1', why: { Error: 'OutOfStock', Cause: 'sold at the till' } },
    });
  });
});

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
    const script = join(import.meta.dirname, 'workflow-process.ts');
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

describe('a definition', () => {
  const passing = { Type: 'Pass', End: true };
  test.each([
    ['JSONata', { ...only(passing), QueryLanguage: 'JSONata' }, 'JSONata'],
    ['variables', only({ ...passing, Assign: { a: 1 } }), 'Assign'],
    [
      'a context field that is not kept',
      only({ ...passing, Parameters: { 'a.$': '$$.State.RetryCount' } }),
      'RetryCount',
    ],
    ['what a re-run would draw anew', only({ ...passing, Parameters: { 'a.$': 'States.UUID()' } }), 'States.UUID'],
    ['a service other than Lambda', only({ ...task('x'), Resource: 'arn:aws:states:::sqs:sendMessage' }), 'sqs'],
    ['a transition to nowhere', chain({ A: { Type: 'Pass', Next: 'B' } }), 'invalid'],
  ])('with %s is refused by name', (_, definition, named) => {
    expect(() => host(definition)).toThrow(named);
    expect(() => host(definition)).toThrow('State machine Fulfilment');
  });

  test('of an EXPRESS machine is refused', () => {
    expect(() => host(FULFILMENT, undefined, { StateMachineType: 'EXPRESS' })).toThrow('Fulfilment is EXPRESS');
  });

  test('may ask whether a field is absent, and write a result over everything', async () => {
    const rule = (Variable: string, test: string) => ({ Variable, [test]: false });
    const definition = chain({
      Ask: {
        Type: 'Choice',
        Choices: [{ And: [rule('$.node', 'IsPresent'), { Not: rule('$.order', 'IsNull') }], Next: 'Wrong' }],
        Default: 'Also',
      },
      Also: { Type: 'Choice', Choices: [{ ...rule('$.node', 'IsPresent'), Next: 'Close' }], Default: 'Wrong' },
      Close: task('close', { ResultPath: '$' }),
      Wrong: { Type: 'Fail', Error: 'Wrong', Cause: 'took the wrong turn' },
    });
    const workflows = host(definition, () => 7);
    const arn = start(workflows);
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: json({ result: 7 }) });
    expect(workflows.describe(start(workflows, { node: 's-1' }, 'o-2')).status).toBe('RUNNING');
    await workflows.idle();
    expect(workflows.list()[1]).toMatchObject({ status: 'FAILED', error: 'Wrong', cause: 'took the wrong turn' });
  });

  test('sees the same execution in its context on every run', async () => {
    const seen = (next: Fields) => ({
      Type: 'Pass',
      Parameters: { 'id.$': '$$.Execution.Id', 'name.$': '$$.StateMachine.Name', 'at.$': '$$.Execution.StartTime' },
      ...next,
    });
    const workflows = host(
      chain({ Wait: callback('wait', { End: undefined, Next: 'See' }), See: seen({ End: true }) }),
    );
    const at = new Date().toISOString();
    const arn = start(workflows);
    await workflows.idle();
    vi.advanceTimersByTime(5000);
    answer(workflows, tokenOf('wait'), {});
    await workflows.idle();
    expect(outputOf(workflows, arn)).toEqual({ id: arn, name: 'fulfilment', at });
  });
});

test('the SDK sees it as Step Functions', async () => {
  vi.useRealTimers();
  const workflows = host(FULFILMENT);
  const none = async () => false;
  const services = { AWSStepFunctions: stepFunctions(workflows) };
  const endpoint = await startAwsEndpoint({ services, sqs: async () => '', pages: none });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SFNClient({ endpoint: endpoint.url, region: 'ap-northeast-2', credentials, maxAttempts: 1 });
  try {
    const start = new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'o-1', input: '{"order":"o-1"}' });
    const { executionArn, startDate } = await client.send(start);
    expect(Math.abs(startDate!.getTime() - Date.now())).toBeLessThan(60_000);
    await workflows.idle();
    const output = json({ answer: 'REJECTED' });
    await client.send(new SendTaskHeartbeatCommand({ taskToken: tokenOf('offer') }));
    await client.send(new SendTaskSuccessCommand({ taskToken: tokenOf('offer'), output }));
    await workflows.idle();
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    expect(described).toMatchObject({ status: 'SUCCEEDED', name: 'o-1', stateMachineArn: MACHINE });
    expect(described.stopDate!.getTime()).toBeGreaterThanOrEqual(startDate!.getTime());
    await expect(client.send(start)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const late = new SendTaskFailureCommand({ taskToken: tokenOf('offer'), error: 'Late' });
    await expect(client.send(late)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  } finally {
    client.destroy();
    await endpoint.close();
  }
});

test('thousands of waiting executions hold neither timers nor runs', async () => {
  const workflows = host(FULFILMENT);
  for (let order = 0; order < 1_000; order++) start(workflows, { order }, `o-${order}`);
  await workflows.idle();
  expect(calls).toHaveLength(1_000);
  expect(vi.getTimerCount()).toBe(1);
  for (const call of calls.splice(0)) answer(workflows, call.token, { answer: 'REJECTED' });
  await workflows.idle();
  expect(called().every((name) => name === 'resource')).toBe(true);
  expect(workflows.list().every((execution) => execution.status === 'SUCCEEDED')).toBe(true);
  vi.advanceTimersByTime(1_801_000);
  expect(vi.getTimerCount()).toBe(0);
}, 30_000);

test('no more functions are called at once than the host allows', async () => {
  let atOnce = 0;
  let most = 0;
  const functions = {
    invoke: async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    },
  };
  const machines = [{ id: 'Close', arn: MACHINE, properties: { DefinitionString: json(only(task('close'))) } }];
  const workflows = createWorkflows({ journal: openDatabase(), machines, functions, concurrency: 4 });
  hosts.push(workflows);
  for (let order = 0; order < 50; order++) start(workflows, {}, `o-${order}`);
  await workflows.idle();
  expect(most).toBe(4);
  expect(workflows.list().every((execution) => execution.status === 'SUCCEEDED')).toBe(true);
});

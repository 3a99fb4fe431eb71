/** What the workflow tests share: a small fulfilment workflow, a host over a journal of its own, and a clock to move. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, vi } from 'vitest';
import type { WorkflowHost } from '../../../infra/local/workflows.ts';
import { createWorkflows } from '../../../infra/local/workflows.ts';

export const MACHINE = 'arn:aws:states:ap-northeast-2:000000000000:stateMachine:fulfilment';
export const FUNCTION = 'arn:aws:lambda:ap-northeast-2:000000000000:function:tasks';
export type Fields = Record<string, unknown>;
export interface Event {
  task: string;
  input: Fields;
  token: string;
  state?: string;
}
/** What the function does with an invocation; by default it takes the work and answers nothing. */
export type Behaviour = (event: Event) => unknown;

export const task = (name: string, more: Fields = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: FUNCTION, Payload: { task: name, 'input.$': '$' } },
  ResultSelector: { 'result.$': '$.Payload' },
  End: true,
  ...more,
});
export const callback = (name: string, more: Fields = {}) => {
  const Payload = { task: name, 'input.$': '$', 'token.$': '$$.Task.Token', 'state.$': '$$.State.Name' };
  const { ResultSelector: _, ...plain } = task(name) as Fields;
  return {
    ...plain,
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Parameters: { FunctionName: FUNCTION, Payload },
    ...more,
  };
};
export const chain = (States: Fields) => ({ StartAt: Object.keys(States)[0], States });
export const only = (state: Fields) => chain({ Only: state });

/** The workflow of one fulfilment order, in small. */
export const FULFILMENT = chain({
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

export let directory: string;
export let calls: Event[];
export const hosts: WorkflowHost[] = [];

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
export function host(definition: Fields, behaviour: Behaviour = () => null, properties: Fields = {}): WorkflowHost {
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
export function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(join(directory, 'journal.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000;');
  return database;
}
export const json = (value: unknown) => JSON.stringify(value);
export const start = (workflows: WorkflowHost, input: unknown = { order: 'o-1' }, name = 'o-1') =>
  workflows.startExecution({ stateMachineArn: MACHINE, name, input: json(input) }).executionArn;
export const called = () => calls.map((call) => call.task);
export const tokenOf = (name: string, nth = 0) => calls.filter((call) => call.task === name)[nth]!.token;
export const answer = (workflows: WorkflowHost, taskToken: string, output: unknown) =>
  workflows.sendTaskSuccess({ taskToken, output: json(output) });
export const code = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).name;
  }
  return 'accepted';
};
export const never = () => new Promise(() => {});
export const pass = async (workflows: WorkflowHost, seconds: number) => {
  vi.advanceTimersByTime(seconds * 1000);
  await workflows.idle();
};
export const outputOf = (workflows: WorkflowHost, arn: string) => JSON.parse(workflows.describe(arn).output ?? 'null');

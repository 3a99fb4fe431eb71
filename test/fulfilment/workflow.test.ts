import { createRequire } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type StepFunctions, workflowOn } from '../../functions/fulfilment/step-functions.ts';
import {
  COLLECT_WITHIN_SECONDS,
  fulfilmentWorkflow,
  SHIP_WITHIN_SECONDS,
  type WorkflowInput,
} from '../../functions/fulfilment/workflow.ts';
import { createWorkflows, type WorkflowHost } from '../../infra/local/workflows.ts';

/** The package's types do not say how it is exported. */
const validate: (definition: object) => { isValid: boolean; errorsText(separator: string): string } = createRequire(
  import.meta.url,
)('asl-validator');

const TASKS = 'arn:aws:lambda:ap-northeast-2:000000000000:function:fulfilment-tasks';
const MACHINE = 'arn:aws:states:ap-northeast-2:000000000000:stateMachine:fulfilment';
const definition = fulfilmentWorkflow(TASKS);

interface Call {
  task: string;
  input: { fulfilmentOrderId: string };
  token?: string;
}

let calls: Call[];
/** What the next run of a task answers; a waiting task answers nothing by itself. */
let answers: Record<string, unknown[]>;
let host: WorkflowHost;
let journal: DatabaseSync;

beforeEach(() => {
  calls = [];
  answers = {};
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  journal = new DatabaseSync(':memory:');
  host = createWorkflows({
    journal,
    machines: [{ id: 'Fulfilment', arn: MACHINE, properties: { DefinitionString: JSON.stringify(definition) } }],
    functions: {
      invoke: async (_, event) => {
        calls.push(event as Call);
        const answer = answers[(event as Call).task]?.shift();
        if (answer instanceof Error) throw answer;
        return answer ?? null;
      },
    },
  });
});
afterEach(async () => {
  await host.close();
  vi.useRealTimers();
  journal.close();
});

const start = async (more: Partial<WorkflowInput> = {}): Promise<string> => {
  const input = { fulfilmentOrderId: 'ord_1-1', method: 'SHIP', answerWithinSeconds: 1800, ...more };
  const { executionArn } = host.startExecution({
    ...{ stateMachineArn: MACHINE, name: input.fulfilmentOrderId, input: JSON.stringify(input) },
  });
  await host.idle();
  return executionArn;
};
const answer = async (task: string, output: string) => {
  const { token } = calls.findLast((call) => call.task === task)!;
  host.sendTaskSuccess({ taskToken: token!, output: JSON.stringify({ answer: output }) });
  await host.idle();
};
const pass = async (seconds: number) => {
  vi.advanceTimersByTime(seconds * 1000);
  await host.idle();
};
const tasks = () => calls.map(({ task }) => task);

describe('the definition', () => {
  it('is valid Amazon States Language', () => {
    const { isValid, errorsText } = validate(definition);
    expect(isValid, errorsText('\n')).toBe(true);
    expect(validate({ ...definition, StartAt: 'Nowhere' }).isValid).toBe(false);
  });

  it('gives every waiting task a time-out (rule 17)', () => {
    const waiting = Object.values(definition.States).filter(
      (state) => 'Resource' in state && state.Resource.endsWith('.waitForTaskToken'),
    );
    expect(waiting).toHaveLength(3);
    for (const state of waiting) expect('TimeoutSeconds' in state || 'TimeoutSecondsPath' in state).toBe(true);
  });
});

describe('a fulfilment order', () => {
  it('that is accepted and delivered takes three states', async () => {
    const arn = await start();
    await answer('offer', 'ACCEPTED');
    await answer('awaitDone', 'DONE');
    expect(host.describe(arn)).toMatchObject({ status: 'SUCCEEDED', transitions: 3 });
    expect(calls).toMatchObject([
      { task: 'offer', input: { fulfilmentOrderId: 'ord_1-1' }, token: expect.any(String) },
      { task: 'awaitDone', input: { fulfilmentOrderId: 'ord_1-1' }, token: expect.any(String) },
    ]);
  });

  it('that is rejected is sourced anew, and that is the end of it here', async () => {
    answers.resource = [{ answer: 'RESOLVED' }];
    const arn = await start();
    await answer('offer', 'REJECTED');
    expect(host.describe(arn).status).toBe('SUCCEEDED');
    expect(host.describe(arn).transitions).toBeLessThanOrEqual(6);
    expect(tasks()).toEqual(['offer', 'resource']);
  });

  it('whose node does not answer in its time is sourced anew, and not before', async () => {
    answers.resource = [{ answer: 'RESOLVED' }];
    const arn = await start({ answerWithinSeconds: 600 });
    await pass(599);
    expect(tasks()).toEqual(['offer']);
    await pass(1);
    expect(tasks()).toEqual(['offer', 'resource']);
    expect(host.describe(arn).status).toBe('SUCCEEDED');
  });

  it('that is accepted while its time runs out stays with its node', async () => {
    answers.resource = [{ answer: 'ACCEPTED' }];
    const arn = await start();
    await pass(1800);
    expect(tasks()).toEqual(['offer', 'resource', 'awaitDone']);
    await answer('awaitDone', 'DONE');
    expect(host.describe(arn).status).toBe('SUCCEEDED');
  });

  it('that is over before it was offered ends at once', async () => {
    const arn = await start();
    await answer('offer', 'RESOLVED');
    expect(host.describe(arn).status).toBe('SUCCEEDED');
    expect(tasks()).toEqual(['offer']);
  });

  it('to collect that nobody comes for goes back to stock after a week', async () => {
    const arn = await start({ method: 'COLLECT' });
    await answer('offer', 'ACCEPTED');
    await pass(COLLECT_WITHIN_SECONDS - 1);
    expect(tasks()).toEqual(['offer', 'awaitDone']);
    await pass(1);
    expect(tasks()).toEqual(['offer', 'awaitDone', 'restock']);
    expect(host.describe(arn).status).toBe('SUCCEEDED');
  });

  it('that is never delivered fails loudly, and gives no stock back', async () => {
    const arn = await start();
    await answer('offer', 'ACCEPTED');
    await pass(SHIP_WITHIN_SECONDS);
    expect(host.describe(arn)).toMatchObject({ status: 'FAILED', error: 'DeliveryOverdue' });
    expect(tasks()).toEqual(['offer', 'awaitDone']);
  });

  it('survives a task that fails for a while', async () => {
    answers.resource = [new Error('throttled'), new Error('throttled'), { answer: 'RESOLVED' }];
    const arn = await start();
    const answered = answer('offer', 'REJECTED');
    for (let tries = 0; tries < 5; tries += 1) await vi.advanceTimersByTimeAsync(60_000);
    await answered;
    expect(tasks()).toEqual(['offer', 'resource', 'resource', 'resource']);
    expect(host.describe(arn).status).toBe('SUCCEEDED');
  });
});

describe('calls to Step Functions', () => {
  const failing = (name: string): StepFunctions => {
    const fail = () => Promise.reject(Object.assign(new Error(name), { name }));
    return { startExecution: fail, sendTaskSuccess: fail };
  };
  const input: WorkflowInput = { fulfilmentOrderId: 'ord_1-1', method: 'SHIP', answerWithinSeconds: 1 };

  it('a workflow that was started before is not started again', async () => {
    await expect(workflowOn(failing('ExecutionAlreadyExists')).start(input)).resolves.toBeUndefined();
    await expect(workflowOn(failing('ThrottlingException')).start(input)).rejects.toThrow('ThrottlingException');
  });

  it.each(['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken'])(
    'an answer that comes too late (%s) is logged',
    async (name) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      await workflowOn(failing(name)).answer('token', { answer: 'ACCEPTED' });
      expect(warn).toHaveBeenCalledOnce();
      expect(warn.mock.calls[0]![0]).toContain(name);
      warn.mockRestore();
    },
  );

  it('an answer that could not be given is given again by whoever asked for it', async () => {
    await expect(workflowOn(failing('ThrottlingException')).answer('t', { answer: 'DONE' })).rejects.toThrow();
  });
});

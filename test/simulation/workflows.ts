import type { StepFunctions } from '../../functions/fulfilment/step-functions.ts';
import { fulfilmentWorkflow, type WorkflowInput } from '../../functions/fulfilment/workflow.ts';
import type { Scheduler } from './scheduler.ts';

type Data = Record<string, unknown>;
type Failure = { error: string; cause: string };

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  MaxAttempts: number;
  BackoffRate: number;
  MaxDelaySeconds: number;
}
interface Catcher {
  ErrorEquals: string[];
  ResultPath: string;
  Next: string;
}
interface Rule {
  Variable?: string;
  StringEquals?: string;
  And?: Rule[];
  Next?: string;
}
/** What the definition uses of the States Language, and no more: another field stops the interpreter. */
interface State {
  Type: 'Task' | 'Choice' | 'Succeed' | 'Fail';
  Resource?: string;
  Parameters?: { FunctionName: string; Payload: Data };
  Retry?: Retrier[];
  Catch?: Catcher[];
  TimeoutSeconds?: number;
  TimeoutSecondsPath?: string;
  ResultPath?: string;
  ResultSelector?: Data;
  Choices?: Rule[];
  Default?: string;
  Next?: string;
  End?: boolean;
  Error?: string;
  Cause?: string;
}
const KNOWN = new Set(
  ['Type', 'Resource', 'Parameters', 'Retry', 'Catch', 'TimeoutSeconds', 'TimeoutSecondsPath', 'ResultPath'].concat([
    'ResultSelector',
    'Choices',
    'Default',
    'Next',
    'End',
    'Error',
    'Cause',
  ]),
);

export interface Execution {
  name: string;
  input: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  error?: string;
  state: string;
  transitions: number;
  /** When the state that waits now runs out of time. */
  deadlineMs?: number;
}

interface Running extends Execution {
  data: Data;
  /** Grows with every attempt at a state: what belongs to an earlier one is late. */
  visit: number;
  token?: string | undefined;
}

const at = (data: Data, path: string): unknown =>
  path === '$'
    ? data
    : path
        .slice(2)
        .split('.')
        .reduce<unknown>((value, name) => (value as Data)?.[name], data);

const named = (name: string): Error => Object.assign(new Error(name), { name });

const matches = ({ ErrorEquals }: { ErrorEquals: string[] }, { error }: Failure): boolean =>
  ErrorEquals.includes(error) || (ErrorEquals.includes('States.TaskFailed') && error !== 'States.Timeout');

/** Step Functions: a small interpreter of the very definition that is deployed. Durable, as the real one is. */
export class Workflows implements StepFunctions {
  readonly #scheduler: Scheduler;
  readonly #invoke: (payload: Data) => Promise<unknown>;
  readonly #definition = fulfilmentWorkflow('tasks') as unknown as { StartAt: string; States: Record<string, State> };
  /** Called when an execution has succeeded. */
  onEnd: (name: string) => void = () => {};
  readonly executions = new Map<string, Running>();
  readonly #tokens = new Map<string, { execution: Running; visit: number }>();

  constructor(scheduler: Scheduler, invoke: (payload: Data) => Promise<unknown>) {
    this.#scheduler = scheduler;
    this.#invoke = invoke;
    for (const [name, state] of Object.entries(this.#definition.States)) {
      const unknown = Object.keys(state).find((field) => !KNOWN.has(field));
      if (unknown !== undefined) throw new Error(`the interpreter does not know ${unknown} of ${name}`);
    }
  }

  async startExecution({ name, input }: { name: string; input: string }): Promise<unknown> {
    const known = this.executions.get(name);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.input === input) return {};
      throw named('ExecutionAlreadyExists');
    }
    const data = JSON.parse(input) as WorkflowInput & Data;
    const execution: Running = { name, input, status: 'RUNNING', state: '', transitions: 0, data, visit: 0 };
    this.executions.set(name, execution);
    this.#scheduler.after(1, () => this.#enter(execution, this.#definition.StartAt));
    return {};
  }

  async sendTaskSuccess({ taskToken, output }: { taskToken: string; output: string }): Promise<unknown> {
    const open = this.#tokens.get(taskToken);
    if (open === undefined) throw named('InvalidToken');
    const { execution, visit } = open;
    if (execution.visit !== visit || execution.token !== taskToken) throw named('TaskTimedOut');
    this.#succeed(execution, JSON.parse(output));
    return {};
  }

  #enter(execution: Running, name: string): void {
    const state = this.#definition.States[name]!;
    execution.state = name;
    execution.transitions += 1;
    this.#scheduler.note(`workflow ${execution.name} ${name}`);
    if (state.Type === 'Succeed') this.#end(execution);
    else if (state.Type === 'Fail') this.#fail(execution, { error: state.Error!, cause: state.Cause! });
    else if (state.Type === 'Choice') this.#enter(execution, this.#choose(state, execution.data));
    else this.#attempt(execution, state, 0);
  }

  #choose({ Choices, Default }: State, data: Data): string {
    const holds = ({ And, Variable, StringEquals }: Rule): boolean =>
      And === undefined ? at(data, Variable!) === StringEquals : And.every(holds);
    return Choices!.find(holds)?.Next ?? Default!;
  }

  #attempt(execution: Running, state: State, tries: number): void {
    execution.visit += 1;
    const { visit } = execution;
    const waits = state.Resource!.endsWith('.waitForTaskToken');
    const token = `token-${execution.name}-${visit}`;
    execution.token = waits ? token : undefined;
    this.#tokens.set(token, { execution, visit });
    const isOpen = (): boolean => execution.status === 'RUNNING' && execution.visit === visit;
    const failed = (failure: Failure): void => {
      if (isOpen()) this.#failed(execution, state, tries, failure);
    };
    const seconds =
      state.TimeoutSeconds ??
      (state.TimeoutSecondsPath === undefined ? undefined : (at(execution.data, state.TimeoutSecondsPath) as number));
    if (seconds !== undefined) {
      execution.deadlineMs = this.#scheduler.nowMs + seconds * 1000;
      const timeOut = (): void => failed({ error: 'States.Timeout', cause: '' });
      this.#scheduler.after(seconds * 1000, timeOut, { isBackground: true });
    }
    const payload = Object.fromEntries(
      Object.entries(state.Parameters!.Payload).map(([name, value]) =>
        name.endsWith('.$')
          ? [name.slice(0, -2), value === '$$.Task.Token' ? token : at(execution.data, value as string)]
          : [name, value],
      ),
    );
    this.#invoke(payload).then(
      (answer) => {
        if (isOpen() && !waits) this.#succeed(execution, { Payload: answer });
      },
      (error: Error) => failed({ error: error.name, cause: error.message }),
    );
  }

  #succeed(execution: Running, result: unknown): void {
    const state = this.#definition.States[execution.state]!;
    execution.visit += 1;
    const selected =
      state.ResultSelector === undefined
        ? result
        : Object.fromEntries(
            Object.entries(state.ResultSelector).map(([name, path]) => [
              name.slice(0, -2),
              at(result as Data, path as string),
            ]),
          );
    this.#keep(execution, state.ResultPath, selected);
    if (state.End === true) {
      this.#end(execution);
    } else this.#scheduler.after(1, () => this.#enter(execution, state.Next!));
  }

  #keep(execution: Running, path: string | undefined, result: unknown): void {
    if (path === undefined) execution.data = result as Data;
    else execution.data = { ...execution.data, [path.slice(2)]: result };
  }

  #failed(execution: Running, state: State, tries: number, failure: Failure): void {
    execution.visit += 1;
    const retrier = state.Retry?.find((one) => matches(one, failure));
    if (retrier !== undefined && tries < retrier.MaxAttempts) {
      const { IntervalSeconds, BackoffRate, MaxDelaySeconds } = retrier;
      const seconds = Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** tries);
      execution.transitions += 1;
      this.#scheduler.after(seconds * 1000, () => this.#attempt(execution, state, tries + 1));
      return;
    }
    const catcher = state.Catch?.find((one) => matches(one, failure));
    if (catcher === undefined) this.#fail(execution, failure);
    else {
      this.#keep(execution, catcher.ResultPath, { Error: failure.error, Cause: failure.cause });
      this.#enter(execution, catcher.Next);
    }
  }

  #end(execution: Running): void {
    execution.status = 'SUCCEEDED';
    this.#scheduler.note(`workflow ${execution.name} ends`);
    this.onEnd(execution.name);
  }

  #fail(execution: Running, { error }: Failure): void {
    execution.status = 'FAILED';
    execution.error = error;
    this.#scheduler.note(`workflow ${execution.name} fails: ${error}`);
  }
}

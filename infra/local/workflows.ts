import { createHash, randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Resource } from './template.ts';
import type { CompiledWorkflow } from './workflows/definition.ts';
import { compileWorkflow } from './workflows/definition.ts';
import type { ExecutionRow, ExecutionStatus, TaskRow } from './workflows/journal.ts';
import { WorkflowJournal } from './workflows/journal.ts';
import { acceptablePayload, LARGEST_PAYLOAD_BYTES, WorkflowError } from './workflows/outcome.ts';
import { Runner } from './workflows/runner.ts';

/** An execution as `describe` shows it. `input` and `output` are JSON text; times are epoch milliseconds. */
export interface Execution {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  input: string;
  output?: string;
  error?: string;
  cause?: string;
  startedAt: number;
  stoppedAt?: number;
  /** States entered plus retries, which is what AWS bills. Grows when the execution ends or comes to wait. */
  transitions: number;
}

/** One step in an execution's history; `at` is epoch milliseconds, `type` the library's (`StateEntered`, `StateFailed` …). */
export interface ExecutionEvent {
  type: string;
  at: number;
  state?: string;
  error?: string;
  cause?: string;
}

/** Step Functions on this machine. Every refusal is a `WorkflowError` whose `name` is AWS's error code. */
export interface WorkflowHost {
  /**
   * Durable when it returns. The same name and input as a running execution gives that execution again; any other use
   * of a taken name is `ExecutionAlreadyExists`, as on AWS. `startDate` is in epoch seconds, as AWS's JSON has it.
   */
  startExecution(start: { stateMachineArn: string; name?: string; input?: string }): {
    executionArn: string;
    startDate: number;
  };
  /** Durable when it returns. A token answers once: later answers are `TaskTimedOut`, unknown ones `TaskDoesNotExist`. */
  sendTaskSuccess(answer: { taskToken: string; output: string }): void;
  sendTaskFailure(answer: { taskToken: string; error?: string; cause?: string }): void;
  sendTaskHeartbeat(answer: { taskToken: string }): void;
  /** @throws WorkflowError ExecutionDoesNotExist */
  describe(executionArn: string): Execution;
  list(): Execution[];
  /** Without payloads; of a running execution, up to where it last came to wait. */
  history(executionArn: string): ExecutionEvent[];
  /** Takes up every unfinished execution of an earlier process. Call once, when functions can be invoked. */
  resume(): void;
  /** Resolves when every execution has ended or waits for a token or the clock. */
  idle(): Promise<void>;
  /** Writes nothing to the journal after it resolves. */
  close(): Promise<void>;
}

export interface WorkflowOptions {
  journal: DatabaseSync;
  /** `AWS::StepFunctions::StateMachine`; others are not looked at. */
  machines: Pick<Resource, 'id' | 'arn' | 'properties'>[];
  functions: { invoke(functionArn: string, event: unknown): Promise<unknown> };
  /** Task invocations at the same time over all executions; the others wait their turn. */
  concurrency?: number;
}

/** @throws Error naming the state machine when its definition is invalid or cannot run here as it would on AWS */
export function createWorkflows(options: WorkflowOptions): WorkflowHost {
  return new Workflows(options);
}

const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

class Workflows implements WorkflowHost {
  #journal: WorkflowJournal;
  #runner: Runner;
  /** Definition hash and role of each machine, by ARN. */
  #machines = new Map<string, { hash: string; roleArn: string }>();
  #compiled = new Map<string, CompiledWorkflow>();
  #alarm: { at: number; timer: NodeJS.Timeout } | undefined;
  #resuming = Promise.resolve();
  #closed = false;

  constructor({ journal, machines, functions, concurrency = 100 }: WorkflowOptions) {
    this.#journal = new WorkflowJournal(journal, Date.now());
    for (const { id, arn, properties } of machines) {
      if (properties.StateMachineType === 'EXPRESS') {
        throw new Error(`State machine ${id} is EXPRESS; the local cloud runs STANDARD workflows only.`);
      }
      const body: string = properties.DefinitionString ?? JSON.stringify(properties.Definition);
      const hash = createHash('sha256').update(body).digest('hex');
      this.#compiled.set(hash, compileWorkflow(body, id, this.#journal.knows(hash)));
      this.#journal.keepDefinition(hash, body);
      this.#machines.set(arn, { hash, roleArn: properties.RoleArn ?? '' });
    }
    this.#runner = new Runner({
      journal: this.#journal,
      definition: (hash) => this.#definition(hash),
      invoke: (functionArn, payload) => functions.invoke(functionArn, payload),
      roleArn: (machineArn) => this.#machines.get(machineArn)?.roleArn ?? '',
      deadlineSet: (at) => this.#wakeAt(at),
      concurrency,
      now: () => Date.now(),
    });
  }

  startExecution({
    stateMachineArn,
    name = randomUUID(),
    input = '{}',
  }: {
    stateMachineArn: string;
    name?: string;
    input?: string;
  }) {
    const machine = this.#machines.get(stateMachineArn);
    if (!machine)
      throw new WorkflowError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    if (!NAME.test(name)) throw new WorkflowError('InvalidName', `Invalid Name: '${name}'`);
    if (acceptablePayload(input) === undefined) {
      throw new WorkflowError('InvalidExecutionInput', `Input is not JSON of at most ${LARGEST_PAYLOAD_BYTES} bytes`);
    }
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const started_at = Date.now();
    const { timeoutSeconds } = this.#definition(machine.hash);
    const deadline = timeoutSeconds === undefined ? undefined : started_at + timeoutSeconds * 1000;
    const row = { arn, machine: stateMachineArn, name, definition: machine.hash, input, started_at };
    if (!this.#journal.start(row, deadline)) {
      const existing = this.#journal.execution(arn)!;
      if (existing.status !== 'RUNNING' || existing.input !== input) {
        throw new WorkflowError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      }
      return { executionArn: arn, startDate: existing.started_at / 1000 };
    }
    if (deadline !== undefined) this.#wakeAt(deadline);
    this.#runner.advance(arn);
    return { executionArn: arn, startDate: started_at / 1000 };
  }

  sendTaskSuccess({ taskToken, output }: { taskToken: string; output: string }): void {
    const task = this.#openTask(taskToken);
    if (acceptablePayload(output) === undefined) {
      throw new WorkflowError('InvalidOutput', `Output is not JSON of at most ${LARGEST_PAYLOAD_BYTES} bytes`);
    }
    this.#runner.settle(task, { output });
  }

  sendTaskFailure({ taskToken, error, cause }: { taskToken: string; error?: string; cause?: string }): void {
    this.#runner.settle(this.#openTask(taskToken), { error: error ?? 'States.TaskFailed', cause: cause ?? '' });
  }

  sendTaskHeartbeat({ taskToken }: { taskToken: string }): void {
    const { timeout_at, heartbeat_seconds } = this.#openTask(taskToken);
    if (heartbeat_seconds === null) return;
    const deadline = Math.min(Date.now() + heartbeat_seconds * 1000, timeout_at ?? Infinity);
    this.#journal.postpone(taskToken, deadline);
    this.#wakeAt(deadline);
  }

  describe(executionArn: string): Execution {
    return shown(this.#execution(executionArn));
  }

  list(): Execution[] {
    return this.#journal.executions().map(shown);
  }

  history(executionArn: string): ExecutionEvent[] {
    return JSON.parse(this.#execution(executionArn).history);
  }

  resume(): void {
    this.#resuming = this.#takeUp();
  }

  async idle(): Promise<void> {
    await this.#resuming;
    await this.#runner.idle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#alarm?.timer);
    this.#runner.close();
    await this.#resuming;
    // The runs let go of in this turn unwind in the next one, without touching the journal.
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #takeUp(): Promise<void> {
    let taken = 0;
    for (const { arn, definition, waiting } of this.#journal.unfinished()) {
      // Who waits is woken by an answer or a deadline; only Parallel and Map may have other branches to go on with.
      if (waiting && this.#definition(definition).linear) continue;
      if (++taken % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed) return;
      this.#runner.advance(arn);
    }
    const next = this.#journal.nextDeadline();
    if (next !== undefined) this.#wakeAt(next);
  }

  #definition(hash: string): CompiledWorkflow {
    let compiled = this.#compiled.get(hash);
    if (!compiled) {
      // An execution ends as it began, also when the app has another definition by now.
      compiled = compileWorkflow(this.#journal.definition(hash), hash, true);
      this.#compiled.set(hash, compiled);
    }
    return compiled;
  }

  #execution(arn: string): ExecutionRow {
    const row = this.#journal.execution(arn);
    if (!row) throw new WorkflowError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return row;
  }

  #openTask(token: string): TaskRow {
    if (!/^[\w-]{43}$/.test(token)) throw new WorkflowError('InvalidToken', `Invalid Token: '${token}'`);
    const task = this.#journal.task(token);
    if (task?.kind !== 'callback') throw new WorkflowError('TaskDoesNotExist', 'No task has this token');
    const open = task.status === 'ISSUED' || task.status === 'WAITING';
    if (!open || (task.timeout_at ?? Infinity) <= Date.now()) {
      throw new WorkflowError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
    }
    return task;
  }

  /** One timer serves every deadline: it is set to the earliest, and asks the journal for the next when it rings. */
  #wakeAt(at: number): void {
    if (this.#closed || (this.#alarm && this.#alarm.at <= at)) return;
    clearTimeout(this.#alarm?.timer);
    const delay = Math.min(Math.max(at - Date.now(), 0), LONGEST_TIMER_MILLISECONDS);
    this.#alarm = { at, timer: setTimeout(() => this.#ring(), delay).unref() };
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = Date.now();
    for (const { arn } of this.#journal.dueExecutions(now)) {
      const cause = 'The execution ran longer than its TimeoutSeconds.';
      this.#journal.finish(arn, { status: 'TIMED_OUT', output: null, error: 'States.Timeout', cause }, now);
      this.#runner.stop(arn);
    }
    for (const task of this.#journal.dueTasks(now)) {
      const silent = task.timeout_at === null || task.timeout_at > now;
      if (task.kind === 'wait') this.#runner.settle(task, { output: 'null' });
      else if (silent)
        this.#runner.settle(task, { error: 'States.HeartbeatTimeout', cause: 'No heartbeat came in time.' });
      else
        this.#runner.settle(task, { error: 'States.Timeout', cause: 'The task ran longer than its TimeoutSeconds.' });
    }
    const next = this.#journal.nextDeadline();
    if (next !== undefined) this.#wakeAt(next);
  }
}

function shown(row: ExecutionRow): Execution {
  return {
    executionArn: row.arn,
    stateMachineArn: row.machine,
    name: row.name,
    status: row.status,
    input: row.input,
    startedAt: row.started_at,
    transitions: row.transitions,
    ...(row.output === null ? {} : { output: row.output }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.cause === null ? {} : { cause: row.cause }),
    ...(row.stopped_at === null ? {} : { stoppedAt: row.stopped_at }),
  };
}

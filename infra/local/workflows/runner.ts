import type { CompiledWorkflow, WorkflowTask } from './definition.ts';
import { HEARTBEAT_PARAMETER, TIMEOUT_PARAMETER, TOKEN_PLACEHOLDER } from './definition.ts';
import { historyOf } from './history.ts';
import type { TaskInput } from './invocation.ts';
import { failureOf, invocationOf, tokenOf } from './invocation.ts';
import type { ExecutionRow, TaskRow, WorkflowJournal } from './journal.ts';
import { acceptablePayload, asLibraryError, ENDLESS, PARKED } from './outcome.ts';

export interface RunnerOptions {
  journal: WorkflowJournal;
  /** The definition with which an execution began. */
  definition(hash: string): CompiledWorkflow;
  invoke(functionArn: string, payload: unknown): Promise<unknown>;
  roleArn(machineArn: string): string;
  /** Called with every new deadline, in epoch milliseconds. */
  deadlineSet(at: number): void;
  /** Invocations at the same time, over all executions. */
  concurrency: number;
  now(): number;
}

/** One passage of the library over an execution: from its input to its end, or to where it waits. */
interface Run {
  execution: ExecutionRow;
  compiled: CompiledWorkflow;
  /** How often each state was entered, which with the execution's name makes the token of the next entry. */
  entries: Map<string, number>;
  tasks: number;
  /** Something happened after this run had looked: go over it once more. */
  again: boolean;
  stopped: boolean;
  /** By token: lets go of a task that a function has in hand, or that waits with its run kept alive. */
  release: Map<string, () => void>;
  /** Tasks that wait with the run kept alive (Parallel and Map only). */
  waits: number;
  /** The callback whose function has returned; recorded with the run's progress. */
  handedOver: string | undefined;
  abort(): void;
}

/**
 * Runs executions. A finished task's outcome is in the journal, so running an execution again passes over what is done,
 * and its tokens are derived from execution, state and entry: an answer finds its task whether or not anything runs.
 * That is how a crash is survived, and also how thousands wait at no cost: a linear workflow that waits is dropped from
 * memory and run again when its answer comes.
 */
export class Runner {
  #options: RunnerOptions;
  #runs = new Map<string, Run>();
  #free: number;
  #queue: (() => void)[] = [];
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#free = options.concurrency;
  }

  /** Takes an execution as far as it gets now. Safe to call at any time and for any execution. */
  advance(arn: string): void {
    const running = this.#runs.get(arn);
    if (running) running.again = true;
    else if (!this.#closed) void this.#drive(arn).finally(() => this.#checkIdle());
  }

  /** Records a task's outcome, unless it has one, and lets its execution go on. */
  settle(
    task: Pick<TaskRow, 'token' | 'execution'>,
    end: { output: string } | { error: string; cause: string },
  ): boolean {
    if (!this.#options.journal.settle(task.token, end)) return false;
    const release = this.#runs.get(task.execution)?.release.get(task.token);
    if (release) release();
    else this.advance(task.execution);
    return true;
  }

  /** Leaves an execution that was closed from outside. */
  stop(arn: string): void {
    const run = this.#runs.get(arn);
    if (run) leave(run);
  }

  /** Resolves when every execution has ended or waits for a token or the clock. */
  async idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#checkIdle();
    });
  }

  /** Writes nothing more from now on; what was under way begins again at the next start. */
  close(): void {
    this.#closed = true;
    for (const run of this.#runs.values()) leave(run);
    for (const next of this.#queue.splice(0)) next();
  }

  async #drive(arn: string): Promise<void> {
    let again = true;
    while (again && !this.#closed) {
      const execution = this.#options.journal.execution(arn);
      if (execution?.status !== 'RUNNING') return;
      const compiled = this.#options.definition(execution.definition);
      const state = { entries: new Map(), tasks: 0, release: new Map(), again: false, stopped: false, waits: 0 };
      const run: Run = { execution, compiled, ...state, handedOver: undefined, abort: () => {} };
      this.#runs.set(arn, run);
      try {
        await this.#pass(run);
      } finally {
        this.#runs.delete(arn);
        // A branch that failed leaves its siblings behind.
        run.stopped = true;
        for (const release of run.release.values()) release();
      }
      again = run.again;
    }
  }

  async #pass(run: Run): Promise<void> {
    const { execution, compiled } = run;
    const handlers: Record<string, (input: unknown) => Promise<never>> = {};
    for (const [state, task] of Object.entries(compiled.tasks)) {
      handlers[state] = (input) => this.#task(run, state, task, input as TaskInput) as Promise<never>;
    }
    const retries = new Proxy({}, { get: (_, state) => (this.#wasRetried(run, String(state)) ? 0 : undefined) });
    const started = compiled.machine.run(JSON.parse(execution.input), {
      overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: retries },
      context: this.#context(execution),
    });
    run.abort = started.abort;
    const end = await started.result.then(
      (output) => ({ status: 'SUCCEEDED' as const, output: JSON.stringify(output), error: null, cause: null }),
      (failure: Error) => {
        const error = (failure.cause as Error | undefined) ?? failure;
        if (error === PARKED || run.stopped || this.#closed) return undefined;
        return { status: 'FAILED' as const, output: null, error: error.name, cause: error.message };
      },
    );
    if (run.stopped || this.#closed) return;
    const history = await historyOf(started.eventLogs, JSON.parse(execution.history), compiled.linear);
    if (run.stopped || this.#closed) return;
    const transitions = history.filter(({ type }) => type === 'StateEntered' || type === 'StateRetried').length;
    const { journal, now } = this.#options;
    journal.atomically(() => {
      if (run.handedOver) journal.handedOver(run.handedOver);
      journal.progress(execution.arn, transitions, JSON.stringify(history));
      if (end) journal.finish(execution.arn, end, now());
    });
  }

  /** When the next attempt has begun before, the pause ahead of it is over. */
  #wasRetried({ compiled, entries, execution }: Run, state: string): boolean {
    if (!compiled.linear) return false;
    return this.#options.journal.task(tokenOf(execution.arn, state, entries.get(state) ?? 0)) !== undefined;
  }

  #context(execution: ExecutionRow) {
    const { arn, name, machine, started_at } = execution;
    return {
      Execution: { Id: arn, Name: name, RoleArn: this.#options.roleArn(machine) },
      StateMachine: { Id: machine, Name: machine.slice(machine.lastIndexOf(':') + 1) },
      Task: { Token: TOKEN_PLACEHOLDER },
      Started: new Date(started_at).toISOString(),
    };
  }

  async #task(run: Run, state: string, task: WorkflowTask, input: TaskInput): Promise<unknown> {
    if (run.stopped || this.#closed) throw PARKED;
    if (++run.tasks > MOST_TASKS) throw ENDLESS;
    // Equal items of a Map are interchangeable, so their input tells them apart where it has to.
    const entered = task.inMap ? `${state}\0${JSON.stringify(input)}` : state;
    const entry = run.entries.get(entered) ?? 0;
    run.entries.set(entered, entry + 1);
    const token = tokenOf(run.execution.arn, entered, entry);
    const known = this.#options.journal.task(token);
    if (!known || known.status === 'ISSUED') {
      await this.#slot(task);
      try {
        if (run.stopped || this.#closed) throw PARKED;
        if (!known) this.#issue(run, state, task, token, input);
        if (task.kind !== 'wait') await this.#call(run, task, token, input);
      } finally {
        this.#freeSlot(task);
      }
    }
    return this.#outcome(run, task, token, input);
  }

  #issue(run: Run, state: string, task: WorkflowTask, token: string, input: TaskInput): void {
    const now = this.#options.now();
    const timeout = task.timeoutSeconds ?? input[TIMEOUT_PARAMETER];
    const heartbeat = task.heartbeatSeconds ?? input[HEARTBEAT_PARAMETER] ?? null;
    const timeout_at = timeout === undefined ? null : now + timeout * 1000;
    const waitUntil = input.timestamp === undefined ? now + (input.seconds ?? 0) * 1000 : Date.parse(input.timestamp);
    const deadline =
      task.kind === 'wait'
        ? waitUntil
        : Math.min(timeout_at ?? Infinity, heartbeat ? now + heartbeat * 1000 : Infinity);
    const row = {
      token,
      execution: run.execution.arn,
      state,
      kind: task.kind,
      timeout_at,
      heartbeat_seconds: heartbeat,
    };
    const status = task.kind === 'wait' ? 'WAITING' : 'ISSUED';
    this.#options.journal.issue({ ...row, status }, deadline === Infinity ? null : deadline);
    if (deadline !== Infinity) this.#options.deadlineSet(deadline);
  }

  /** Invokes the task's function, until it answers, its token does, or its time is over, whichever is first. */
  async #call(run: Run, task: WorkflowTask, token: string, input: TaskInput): Promise<void> {
    const { journal } = this.#options;
    const { promise: released, resolve } = Promise.withResolvers<typeof RELEASED>();
    run.release.set(token, () => resolve(RELEASED));
    try {
      const invocation = this.#options.invoke(...invocationOf(task, token, input, run.execution.machine));
      const answer = await Promise.race([released, invocation]);
      if (answer === RELEASED || run.stopped || this.#closed) return;
      if (task.kind === 'callback') {
        // A linear run ends here, so the record can go with its progress, in one commit.
        if (run.compiled.linear) run.handedOver = token;
        else journal.handedOver(token);
        return;
      }
      const output = acceptablePayload(JSON.stringify(answer ?? null));
      const tooLarge = { error: 'States.DataLimitExceeded', cause: 'The task returned more than 256 KiB.' };
      journal.settle(token, output === undefined ? tooLarge : { output });
    } catch (error) {
      if (!run.stopped && !this.#closed) journal.settle(token, failureOf(error));
    } finally {
      run.release.delete(token);
    }
  }

  async #outcome(run: Run, task: WorkflowTask, token: string, input: TaskInput): Promise<unknown> {
    if (run.stopped || this.#closed) throw PARKED;
    const row = this.#options.journal.task(token)!;
    if (row.status === 'FAILED') throw asLibraryError(row.error ?? 'States.TaskFailed', row.cause ?? '');
    if (row.status === 'SUCCEEDED') {
      if (task.kind === 'wait') return input.input;
      const output: unknown = JSON.parse(row.output!);
      return task.kind === 'invoke' ? { ExecutedVersion: '$LATEST', Payload: output, StatusCode: 200 } : output;
    }
    if (run.compiled.linear) throw PARKED;
    run.waits++;
    this.#checkIdle();
    await new Promise<void>((resolve) => run.release.set(token, resolve));
    run.release.delete(token);
    run.waits--;
    return this.#outcome(run, task, token, input);
  }

  async #slot(task: WorkflowTask): Promise<void> {
    if (task.kind === 'wait' || this.#closed) return;
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #freeSlot(task: WorkflowTask): void {
    if (task.kind === 'wait') return;
    const next = this.#queue.shift();
    if (next) next();
    else this.#free++;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#idle.length === 0) return;
    // A turn of the loop, because between two tasks the library needs microtasks only.
    setImmediate(() => {
      const resting = [...this.#runs.values()].every((run) => run.waits > 0);
      if (resting && this.#free === this.#options.concurrency) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }
}

const RELEASED = Symbol('released');

/** AWS ends an execution at 25,000 history events; a task makes five of them. */
const MOST_TASKS = 5_000;

function leave(run: Run): void {
  run.stopped = true;
  run.abort();
  for (const release of run.release.values()) release();
}

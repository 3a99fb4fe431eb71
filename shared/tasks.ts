import middy from 'middy';
import type * as z from 'zod';
import type { Change } from './change.ts';
import type { Capability, TaskDefinition } from './contract.ts';
import type { Cause } from './outbox.ts';
import type { ProblemName } from './problem.ts';
import type { Result } from './result.ts';
import { commitChanges, type Runtime } from './runtime.ts';

/** What a step of the workflow or a schedule sends to a capability's `tasks` function. */
export interface TaskEvent {
  task: string;
  input?: unknown;
  /** Token to answer later with, where the workflow waits for one. */
  token?: string;
}

export interface TaskRun {
  cause: Cause;
  now: string;
  token: string | undefined;
  commit<P extends ProblemName>(...changes: Change<P>[]): Promise<Result<void, P | 'too-busy'>>;
}

export type TaskHandlers<C extends Capability> = {
  [K in keyof C['tasks']]: C['tasks'][K] extends TaskDefinition<infer I>
    ? (input: z.output<I>, run: TaskRun) => Promise<unknown>
    : never;
};

type AnyTask = (input: unknown, run: TaskRun) => Promise<unknown>;

/** The Lambda handler of a capability's tasks. Each may run more than once; its effect must be the same (rule 17). */
export const runTasks = <C extends Capability>(contract: C, handlers: TaskHandlers<C>, runtime: Runtime) =>
  middy<TaskEvent, unknown>().handler(async (event) => {
    const definition = contract.tasks[event.task];
    const handler = (handlers as Record<string, AnyTask>)[event.task];
    if (definition === undefined || handler === undefined)
      throw new Error(`${contract.name} has no task ${event.task}`);
    const now = runtime.now();
    const cause: Cause = { actor: `task/${contract.name}.${event.task}`, correlationId: `${event.task}-${now}`, now };
    return handler(definition.input?.parse(event.input), {
      cause,
      now,
      token: event.token,
      commit: (...changes) => commitChanges(runtime, cause, changes),
    });
  });

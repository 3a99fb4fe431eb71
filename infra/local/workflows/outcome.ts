import { StateMachine } from 'aws-local-stepfunctions';

/**
 * Thrown through the library to leave a run that waits: nothing may retry or catch it, and nothing is recorded as failed.
 * One for all, because its stack tells nothing and costs time.
 */
export const PARKED = Object.assign(new Error('The execution waits.'), {
  name: 'Ieum.Parked',
  isRetryable: false,
  isCatchable: false,
});

/** Ends an execution that goes round in circles, as AWS does. */
export const ENDLESS = Object.assign(new Error('The execution reached the maximum number of history events (25000).'), {
  name: 'States.Runtime',
  isRetryable: false,
  isCatchable: false,
});

/** A task's failure as States Language sees it: `name` is its Error, `message` its Cause. */
export class TaskFailed extends Error {
  constructor(error: string, cause: string) {
    super(cause);
    this.name = error;
  }
}

/** An answer of the Step Functions API; `name` is AWS's error code. */
export class WorkflowError extends Error {
  constructor(code: WorkflowErrorCode, message: string) {
    super(message);
    this.name = code;
  }
}
export type WorkflowErrorCode =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'StateMachineDoesNotExist'
  | 'TaskDoesNotExist'
  | 'TaskTimedOut';

/** Of a state's input or output and of an execution's, in UTF-8 bytes, as on AWS. */
export const LARGEST_PAYLOAD_BYTES = 262_144;

/** @returns the text if it is JSON that Step Functions would take, else undefined */
export function acceptablePayload(text: string): string | undefined {
  if (Buffer.byteLength(text) > LARGEST_PAYLOAD_BYTES) return undefined;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/**
 * The library exempts its own timeout class, and nothing else, from `States.TaskFailed` (as AWS exempts timeouts), yet
 * does not export it: so one timeout is provoked, once, when this file is loaded.
 */
const libraryTimeout = await new StateMachine(
  { StartAt: 'Wait', States: { Wait: { Type: 'Task', Resource: '', TimeoutSeconds: 0.001, End: true } } },
  { validationOptions: { noValidate: true } },
)
  .run(null, { overrides: { taskResourceLocalHandlers: { Wait: () => new Promise<never>(() => {}) } } })
  .result.catch((error: Error) => error.cause as Error);
const LibraryTimeout = (libraryTimeout as Error).constructor as new () => Error;

/** The recorded failure as the error that the library matches against Retry and Catch. */
export function asLibraryError(error: string, cause: string): Error {
  if (error !== 'States.Timeout' && error !== 'States.HeartbeatTimeout') return new TaskFailed(error, cause);
  const timeout = new LibraryTimeout();
  timeout.name = error;
  timeout.message = cause;
  return timeout;
}

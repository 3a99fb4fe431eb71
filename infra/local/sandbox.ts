import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Guarded } from './guard.ts';
import type { Failure } from './worker.ts';

/** What the worker thread of one function needs to know. */
export interface WorkerData extends Guarded {
  functionArn: string;
  /** `<file>.<export>`, as in the template. */
  handler: string;
  codeDir: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  logFile: string;
  compileCacheDir: string;
  sourceMaps: boolean;
}

/**
 * A function failed: it threw, ran out of time or memory, or could not be loaded. `errorType` is Lambda's, as
 * `Sandbox.Timedout`, or the name of the error thrown.
 */
export class FunctionError extends Error {
  override name = 'FunctionError';
  errorType: string;
  trace: string[];

  constructor(failure: Failure) {
    super(failure.errorMessage);
    this.errorType = failure.errorType;
    this.trace = failure.trace;
  }

  /** What Lambda answers with, and what Step Functions puts into `Cause`. */
  payload(): Failure {
    return { errorType: this.errorType, errorMessage: this.message, trace: this.trace };
  }
}

/** One worker thread of one function. It takes calls until it is retired, crashes or runs out of time. */
export interface Sandbox {
  /** Runs the function. Rejects with FunctionError. */
  run(event: unknown): Promise<unknown>;
  /** False once it has to be replaced; calls it already has still end. */
  accepting(): boolean;
  /** Milliseconds since the last call ended; 0 while one runs. */
  idleMilliseconds(): number;
  close(): Promise<void>;
}

interface Call extends PromiseWithResolvers<unknown> {
  requestId: string;
  timer?: NodeJS.Timeout;
}

const INIT_LIMIT_MS = 10_000;

export function openSandbox(
  data: WorkerData,
  env: Record<string, string>,
  onUsed: (action: string, resource: string) => void,
): Sandbox {
  const calls = new Map<number, Call>();
  let lastId = 0;
  let ready = false;
  let accepting = true;
  let idleSince = performance.now();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: data,
    env,
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: data.memoryMegabytes },
  });
  const initTimer = setTimeout(() => {
    fail({ errorType: 'Sandbox.Timedout', errorMessage: 'Init took longer than 10 seconds', trace: [] });
  }, INIT_LIMIT_MS);

  worker.on('message', (message: unknown[]) => {
    const [head, second, third] = message;
    if (typeof head === 'number') return settle(head, second as string, third as Failure | undefined);
    if (head === 'used') return onUsed(String(second), String(third));
    if (head === 'failed') return fail(second as Failure);
    clearTimeout(initTimer);
    ready = true;
    for (const [id, call] of calls) limitTime(id, call);
  });
  worker.on('error', (error) => {
    appendFileSync(data.logFile, `${error.stack ?? error}\n`);
    const code = 'code' in error ? error.code : undefined;
    const errorType = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'Runtime.OutOfMemory' : 'Runtime.ExitError';
    fail({ errorType, errorMessage: `${data.functionName} ended: ${error.message}`, trace: [] });
  });
  worker.on('exit', () => {
    fail({ errorType: 'Runtime.ExitError', errorMessage: `${data.functionName} exited without an answer`, trace: [] });
  });

  return {
    run(event) {
      const id = ++lastId;
      const call: Call = { requestId: randomUUID(), ...Promise.withResolvers<unknown>() };
      calls.set(id, call);
      if (ready) limitTime(id, call);
      worker.postMessage([id, call.requestId, JSON.stringify(event) ?? 'null']);
      return call.promise;
    },
    accepting: () => accepting,
    idleMilliseconds: () => (calls.size ? 0 : performance.now() - idleSince),
    async close() {
      fail({ errorType: 'Runtime.ExitError', errorMessage: `${data.functionName} was stopped`, trace: [] });
      await worker.terminate();
    },
  };

  function limitTime(id: number, call: Call): void {
    call.timer = setTimeout(() => {
      // Lambda ends the environment with the call. Other calls share this thread: it ends when they have.
      accepting = false;
      const errorMessage = `${call.requestId} Task timed out after ${data.timeoutSeconds.toFixed(2)} seconds`;
      settle(id, undefined, { errorType: 'Sandbox.Timedout', errorMessage, trace: [] });
    }, data.timeoutSeconds * 1000);
  }

  function settle(id: number, result: string | undefined, failure: Failure | undefined): void {
    const call = calls.get(id);
    if (!call) return;
    calls.delete(id);
    clearTimeout(call.timer);
    if (calls.size === 0) {
      idleSince = performance.now();
      if (!accepting) void worker.terminate();
    }
    if (failure) call.reject(new FunctionError(failure));
    else call.resolve(JSON.parse(result ?? 'null'));
  }

  function fail(failure: Failure): void {
    clearTimeout(initTimer);
    accepting = false;
    for (const id of [...calls.keys()]) settle(id, undefined, failure);
    void worker.terminate();
  }
}

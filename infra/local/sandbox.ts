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

export interface SandboxStart {
  data: WorkerData;
  /** All environment variables of the function. */
  env: Record<string, string>;
  /** worker.ts as JavaScript. */
  scriptFile: string;
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

interface Call extends PromiseWithResolvers<unknown> {
  requestId: string;
  timer?: NodeJS.Timeout;
}

const INIT_LIMIT_MS = 10_000;
/** Lambda's limit for events and answers (counted here in characters, which spares a look at each). */
const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024;

const tooLarge = (errorType: string, bytes: number): FunctionError =>
  new FunctionError({
    errorType,
    errorMessage: `${bytes} bytes are over the limit of ${PAYLOAD_LIMIT_BYTES}`,
    trace: [],
  });

/** One worker thread of one function. It takes calls until it crashes, runs out of time or is closed. */
export class Sandbox {
  readonly #data: WorkerData;
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #initTimer: NodeJS.Timeout;
  #lastId = 0;
  #ready = false;
  #accepting = true;
  #idleSince = performance.now();

  constructor(start: SandboxStart, onUsed: (action: string, resource: string) => void) {
    const { data, env, scriptFile } = start;
    this.#data = data;
    this.#worker = new Worker(scriptFile, {
      workerData: data,
      env,
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: data.memoryMegabytes },
    });
    this.#initTimer = setTimeout(() => this.#fail('Sandbox.Timedout', 'took longer than 10 s to start'), INIT_LIMIT_MS);
    this.#worker.on('message', ([head, second, third]: [number | string, string | Failure, string | Failure]) => {
      if (typeof head === 'number') this.#settle(head, second as string, third as Failure | undefined);
      else if (head === 'used') onUsed(second as string, third as string);
      else if (head === 'failed') this.#end(second as Failure);
      else this.#started();
    });
    this.#worker.on('error', (error) => {
      appendFileSync(data.logFile, `${error.stack ?? error}\n`);
      const outOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#fail(outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError', `ended: ${error.message}`);
    });
    this.#worker.on('exit', () => this.#fail('Runtime.ExitError', 'exited without an answer'));
  }

  /** False once it has to be replaced; calls that it already has still end. */
  get accepting(): boolean {
    return this.#accepting;
  }

  /** Milliseconds since the last call ended; 0 while one runs. */
  get idleMilliseconds(): number {
    return this.#calls.size ? 0 : performance.now() - this.#idleSince;
  }

  /** Runs the function. Rejects with FunctionError. */
  run(event: unknown): Promise<unknown> {
    const payload = JSON.stringify(event) ?? 'null';
    if (payload.length > PAYLOAD_LIMIT_BYTES) return Promise.reject(tooLarge('Request.TooLarge', payload.length));
    const id = ++this.#lastId;
    const call: Call = { requestId: randomUUID(), ...Promise.withResolvers<unknown>() };
    this.#calls.set(id, call);
    if (this.#ready) this.#limitTime(id, call);
    this.#worker.postMessage([id, call.requestId, payload]);
    return call.promise;
  }

  /** Takes no more calls, and ends with those that it has. */
  retire(): void {
    this.#accepting = false;
    if (this.#calls.size === 0) void this.#worker.terminate();
  }

  /** Fails the open calls and ends the thread. */
  async close(): Promise<void> {
    this.#fail('Runtime.ExitError', 'was stopped');
    await this.#worker.terminate();
  }

  #started(): void {
    clearTimeout(this.#initTimer);
    this.#ready = true;
    for (const [id, call] of this.#calls) this.#limitTime(id, call);
  }

  #limitTime(id: number, call: Call): void {
    const { timeoutSeconds } = this.#data;
    call.timer = setTimeout(() => {
      // Lambda ends the environment with the call. Other calls share this thread: it ends when they have.
      this.#accepting = false;
      const errorMessage = `${call.requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
      this.#settle(id, undefined, { errorType: 'Sandbox.Timedout', errorMessage, trace: [] });
    }, timeoutSeconds * 1000);
  }

  #settle(id: number, result: string | undefined, failure?: Failure): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    clearTimeout(call.timer);
    if (this.#calls.size === 0) {
      this.#idleSince = performance.now();
      if (!this.#accepting) void this.#worker.terminate();
    }
    if (failure) call.reject(new FunctionError(failure));
    else if (result === undefined || result.length <= PAYLOAD_LIMIT_BYTES) call.resolve(JSON.parse(result ?? 'null'));
    else call.reject(tooLarge('Function.ResponseSizeTooLarge', result.length));
  }

  #fail(errorType: string, what: string): void {
    this.#end({ errorType, errorMessage: `${this.#data.functionName} ${what}`, trace: [] });
  }

  #end(failure: Failure): void {
    clearTimeout(this.#initTimer);
    this.#accepting = false;
    for (const id of [...this.#calls.keys()]) this.#settle(id, undefined, failure);
    void this.#worker.terminate();
  }
}

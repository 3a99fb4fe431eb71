import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Guarded } from './guard.ts';

/** What a worker thread needs to know of a function that it hosts. */
export interface FunctionData extends Guarded {
  functionArn: string;
  /** `<file>.<export>`, as in the template. */
  handler: string;
  codeDir: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  logFile: string;
  /** All environment variables of the function. */
  env: Record<string, string>;
}

/** What a worker thread needs to know before it hosts anything. */
export interface ThreadData {
  compileCacheDir: string;
  sourceMaps: boolean;
}

export interface Failure {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/** What a thread is told: a function to host and, once that is ready, its calls. Events and results are JSON. */
export type ToThread =
  | [kind: 'load', data: FunctionData]
  | [kind: 'call', id: number, functionArn: string, requestId: string, event: string];

export type FromThread =
  | [kind: 'ready', functionArn: string]
  | [kind: 'failed', functionArn: string, failure: Failure]
  | [kind: 'used', functionArn: string, action: string, resource: string]
  | [kind: 'answered', id: number, result: string | undefined, failure?: Failure];

export interface SandboxStart {
  thread: ThreadData;
  memoryMegabytes: number;
  /** How long loading a bundle may take. */
  initSeconds: number;
  /** worker.ts as JavaScript. */
  scriptFile: string;
  onUsed(functionArn: string, action: string, resource: string): void;
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
  hosted: Hosted;
  timer?: NodeJS.Timeout;
}

/** A function of a thread. */
interface Hosted {
  data: FunctionData;
  initTimer: NodeJS.Timeout;
  /** Calls that begin once its bundle is loaded; undefined from then on. */
  waiting: (() => void)[] | undefined;
  /** Why its bundle cannot be loaded. A module fails once and for all. */
  failure?: Failure;
}

/** Lambda's limit for events and answers (counted here in characters, which spares a look at each). */
const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024;

const failureOf = (errorType: string, errorMessage: string): Failure => ({ errorType, errorMessage, trace: [] });

const tooLarge = (errorType: string, bytes: number): FunctionError =>
  new FunctionError(failureOf(errorType, `${bytes} bytes are over the limit of ${PAYLOAD_LIMIT_BYTES}`));

/** One worker thread. It takes calls of its functions until one crashes it or runs out of time, or it is closed. */
export class Sandbox {
  readonly #worker: Worker;
  readonly #initSeconds: number;
  readonly #hosted = new Map<string, Hosted>();
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #accepting = true;
  #idleSince = performance.now();

  constructor({ thread, memoryMegabytes, initSeconds, scriptFile, onUsed }: SandboxStart) {
    this.#initSeconds = initSeconds;
    this.#worker = new Worker(scriptFile, {
      workerData: thread,
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
    });
    this.#worker.on('message', (message: FromThread) => {
      if (message[0] === 'answered') this.#settle(message[1], message[2], message[3]);
      else if (message[0] === 'used') onUsed(message[1], message[2], message[3]);
      else if (message[0] === 'failed') this.#spoil(message[1], message[2]);
      else this.#begin(message[1]);
    });
    this.#worker.on('error', (error) => {
      for (const { data } of this.#working()) appendFileSync(data.logFile, `${error.stack ?? error}\n`);
      const outOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#end(outOfMemory ? 'Runtime.OutOfMemory' : 'Runtime.ExitError', `ended: ${error.message}`);
    });
    this.#worker.on('exit', () => this.#end('Runtime.ExitError', 'exited without an answer'));
  }

  /** False once it has to be replaced; calls that it already has still end. */
  get accepting(): boolean {
    return this.#accepting;
  }

  /** Milliseconds since the last call ended; 0 while one runs. */
  get idleMilliseconds(): number {
    return this.#calls.size ? 0 : performance.now() - this.#idleSince;
  }

  /** ARNs of the functions that have been called here. */
  get functions(): string[] {
    return [...this.#hosted.keys()];
  }

  /** Runs a function, loading it first where this is its first call here. Rejects with FunctionError. */
  run(functionArn: string, dataOf: () => FunctionData, event: unknown): Promise<unknown> {
    const payload = JSON.stringify(event) ?? 'null';
    if (payload.length > PAYLOAD_LIMIT_BYTES) return Promise.reject(tooLarge('Request.TooLarge', payload.length));
    const hosted = this.#hosted.get(functionArn) ?? this.#load(dataOf());
    if (hosted.failure) return Promise.reject(new FunctionError(hosted.failure));
    const id = ++this.#lastId;
    const call: Call = { requestId: randomUUID(), hosted, ...Promise.withResolvers<unknown>() };
    this.#calls.set(id, call);
    const begin = () => {
      if (!this.#calls.has(id)) return;
      this.#limitTime(id, call);
      this.#tell('call', id, functionArn, call.requestId, payload);
    };
    if (hosted.waiting === undefined) begin();
    else hosted.waiting.push(begin);
    return call.promise;
  }

  /** Takes no more calls, and ends with those that it has. */
  retire(): void {
    this.#accepting = false;
    if (this.#calls.size === 0) void this.#worker.terminate();
  }

  /** Fails the open calls and ends the thread. */
  async close(): Promise<void> {
    this.#end('Runtime.ExitError', 'was stopped');
    await this.#worker.terminate();
  }

  #tell(...message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #load(data: FunctionData): Hosted {
    const late = () => {
      this.#accepting = false;
      const what = `${data.functionName} took longer than ${this.#initSeconds} s to start`;
      this.#settleAll(hosted, failureOf('Sandbox.Timedout', what));
    };
    const hosted: Hosted = { data, initTimer: setTimeout(late, this.#initSeconds * 1000), waiting: [] };
    this.#hosted.set(data.functionArn, hosted);
    this.#tell('load', data);
    return hosted;
  }

  #begin(functionArn: string): void {
    const hosted = this.#hosted.get(functionArn)!;
    clearTimeout(hosted.initTimer);
    for (const begin of hosted.waiting ?? []) begin();
    hosted.waiting = undefined;
  }

  /** Where nothing else is in the thread, it ends: the next call tries anew, as on Lambda. */
  #spoil(functionArn: string, failure: Failure): void {
    const hosted = this.#hosted.get(functionArn)!;
    clearTimeout(hosted.initTimer);
    hosted.failure = failure;
    this.#settleAll(hosted, failure);
    if (this.#hosted.size === 1) this.retire();
  }

  /** The functions that work now, any of which may be why the thread ended; or else all. */
  #working(): Iterable<Hosted> {
    const working = new Set([...this.#calls.values()].map(({ hosted }) => hosted));
    return working.size > 0 ? working : this.#hosted.values();
  }

  #limitTime(id: number, call: Call): void {
    const { timeoutSeconds } = call.hosted.data;
    call.timer = setTimeout(() => {
      // Lambda ends the environment with the call. Other calls share this thread: it ends when they have.
      this.#accepting = false;
      const errorMessage = `${call.requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
      this.#settle(id, undefined, failureOf('Sandbox.Timedout', errorMessage));
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

  #settleAll(hosted: Hosted, failure: Failure): void {
    for (const [id, call] of this.#calls) if (call.hosted === hosted) this.#settle(id, undefined, failure);
  }

  #end(errorType: string, what: string): void {
    this.#accepting = false;
    for (const hosted of this.#hosted.values()) {
      clearTimeout(hosted.initTimer);
      this.#settleAll(hosted, failureOf(errorType, `${hosted.data.functionName} ${what}`));
    }
    void this.#worker.terminate();
  }
}

/**
 * The inside of a worker thread: Lambda's runtime in small, for one function or for several. It installs the IAM guard
 * and the logs, loads a bundle when it is told to and answers one message for each invocation.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { installGuard, type Judge, judgeOf } from './guard.ts';
import type { Failure, FromThread, FunctionData, ThreadData, ToThread } from './sandbox.ts';

type Handler = (event: unknown, context: object) => unknown;

/** A function of this thread. Whatever it starts, now or later, is known to be its own. */
interface Hosted {
  data: FunctionData;
  judge: Judge;
  write(line: Buffer): void;
  /** Undefined until the bundle is loaded. */
  handler: Handler | undefined;
}

const { compileCacheDir, sourceMaps } = workerData as ThreadData;
const port = parentPort!;
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;
const hosted = new Map<string, Hosted>();
const running = new AsyncLocalStorage<Hosted>();
/** Modules that functions of this thread have. */
const loaded = new Set<string>();

/** Whose code runs now. What Node itself says, as of a warning, is said of the only function or the first. */
const caller = (): Hosted | undefined => running.getStore() ?? hosted.values().next().value;

Object.defineProperty(process, 'env', { get: () => running.getStore()?.data.env ?? {} });
for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    caller()?.write(Buffer.from(chunk as string));
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') callback();
    return true;
  }) as typeof stream.write;
}
module.enableCompileCache(compileCacheDir);
if (sourceMaps) process.setSourceMapsEnabled(true);
installGuard(() => running.getStore()?.judge);

port.on('message', (order: ToThread) => {
  if (order[0] === 'load') void load(order[1]);
  else void answer(order[1], order[2], order[3], order[4]);
});

async function load(data: FunctionData): Promise<void> {
  const { functionArn } = data;
  try {
    const judge = judgeOf(data, (action, resource) => tell('used', functionArn, action, resource));
    const its: Hosted = { data, judge, write: writerTo(data.logFile), handler: undefined };
    hosted.set(functionArn, its);
    await running.run(its, async () => {
      its.handler = await loadHandler(data);
    });
    // Now: a thread that is ended from outside has no later.
    module.flushCompileCache();
    tell('ready', functionArn);
  } catch (error) {
    hosted.get(functionArn)?.write(Buffer.from(`${inspect(error)}\n`));
    tell('failed', functionArn, failureOf(error));
  }
}

function answer(id: number, functionArn: string, requestId: string, event: string): Promise<void> {
  const called = hosted.get(functionArn)!;
  return running.run(called, async () => {
    try {
      const result = await called.handler!(JSON.parse(event), contextOf(called.data, requestId));
      tell('answered', id, JSON.stringify(result) ?? 'null');
    } catch (error) {
      console.error(JSON.stringify({ level: 'ERROR', requestId, ...failureOf(error) }));
      tell('answered', id, undefined, failureOf(error));
    }
  });
}

function tell(...message: FromThread): void {
  port.postMessage(message);
}

function contextOf(data: FunctionData, awsRequestId: string): object {
  const deadline = Date.now() + data.timeoutSeconds * 1000;
  return {
    awsRequestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: data.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: data.functionArn,
    logGroupName: `/aws/lambda/${data.functionName}`,
    logStreamName: 'local',
    memoryLimitInMB: String(data.memoryMegabytes),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** `index.api` is the export `api` of `index.mjs` (or .js, .cjs) in the code directory. */
async function loadHandler(data: FunctionData): Promise<Handler> {
  const dot = data.handler.lastIndexOf('.');
  const path = join(data.codeDir, data.handler.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => path + extension).find((candidate) => existsSync(candidate));
  if (!file) throw Object.assign(new Error(`Cannot find module ${path}`), { name: 'Runtime.ImportModuleError' });
  // The second function of a bundle has an instance of its own; the first, and so most, the name that is in the cache.
  const url = pathToFileURL(file).href;
  const own = loaded.has(url) ? `${url}?of=${data.functionName}` : url;
  loaded.add(url);
  const bundle = await import(own);
  const handler = bundle[data.handler.slice(dot + 1)] ?? bundle.default?.[data.handler.slice(dot + 1)];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${data.handler} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  return handler;
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

/**
 * Output goes to a file, written at once: a line must survive the end of the worker, and no message hop is spent on it.
 * A full file becomes `<file>.old`, in the place of the one before.
 */
function writerTo(file: string): (line: Buffer) => void {
  let descriptor = openSync(file, 'a');
  let bytes = fstatSync(descriptor).size;
  return (line) => {
    if (bytes > LOG_LIMIT_BYTES) {
      closeSync(descriptor);
      renameSync(file, `${file}.old`);
      descriptor = openSync(file, 'a');
      bytes = 0;
    }
    bytes += writeSync(descriptor, line);
  };
}

/**
 * The inside of a function's worker thread: Lambda's runtime in small. It installs the IAM guard and the log, loads the
 * bundle and answers one message for each invocation.
 *
 * In: `[id, requestId, event as JSON]`. Out: `['ready']`, `['used', action, resource]`, `[id, result as JSON]`,
 * `[id, undefined, failure]`, or `['failed', failure]` when the bundle cannot be loaded.
 */
import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { installGuard } from './guard.ts';
import type { WorkerData } from './sandbox.ts';

export interface Failure {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

type Handler = (event: unknown, context: object) => unknown;

const data = workerData as WorkerData;
const port = parentPort!;
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;

writeOutputTo(data.logFile);
module.enableCompileCache(data.compileCacheDir);
if (data.sourceMaps) process.setSourceMapsEnabled(true);
installGuard(data, (action, resource) => port.postMessage(['used', action, resource]));

try {
  const handler = await loadHandler();
  // Now: a thread that is ended from outside has no later.
  module.flushCompileCache();
  port.on('message', ([id, requestId, event]: [number, string, string]) => void answer(handler, id, requestId, event));
  port.postMessage(['ready']);
} catch (error) {
  console.error(error);
  port.postMessage(['failed', failureOf(error)]);
}

async function answer(handler: Handler, id: number, requestId: string, event: string): Promise<void> {
  try {
    const result = await handler(JSON.parse(event), contextOf(requestId));
    port.postMessage([id, JSON.stringify(result) ?? 'null']);
  } catch (error) {
    console.error(JSON.stringify({ level: 'ERROR', requestId, ...failureOf(error) }));
    port.postMessage([id, undefined, failureOf(error)]);
  }
}

function contextOf(awsRequestId: string): object {
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
async function loadHandler(): Promise<Handler> {
  const dot = data.handler.lastIndexOf('.');
  const path = join(data.codeDir, data.handler.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => path + extension).find((candidate) => existsSync(candidate));
  if (!file) throw Object.assign(new Error(`Cannot find module ${path}`), { name: 'Runtime.ImportModuleError' });
  const bundle = await import(pathToFileURL(file).href);
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
function writeOutputTo(file: string): void {
  let descriptor = openSync(file, 'a');
  let bytes = fstatSync(descriptor).size;
  const write = (line: Buffer): void => {
    if (bytes > LOG_LIMIT_BYTES) {
      closeSync(descriptor);
      renameSync(file, `${file}.old`);
      descriptor = openSync(file, 'a');
      bytes = 0;
    }
    bytes += writeSync(descriptor, line);
  };
  process.once('exit', () => closeSync(descriptor));
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
      write(Buffer.from(chunk as string));
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') callback();
      return true;
    }) as typeof stream.write;
  }
}

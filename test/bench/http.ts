import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

/** A plain HTTP client with kept connections: cheap enough not to be what is measured. */
export interface Answer {
  status: number;
  text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 128 });

export interface Sent {
  method?: string;
  token?: string | undefined;
  body?: unknown;
  key?: string;
  headers?: Record<string, string>;
}

export const send = (url: string, { method = 'GET', token, body, key, headers }: Sent = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const call = request(
      url,
      {
        agent,
        method,
        headers: {
          ...headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      },
    );
    call.once('error', reject);
    call.end(text);
  });

export const closeConnections = (): void => agent.destroy();

export interface Load {
  /** What each piece of work took, in milliseconds, the shortest first. */
  tookMs: readonly number[];
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  durationMs: number;
}

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Does `count` pieces of work, `concurrency` at a time, and says how quick that was. */
export const load = async (
  count: number,
  concurrency: number,
  work: (index: number) => Promise<void>,
): Promise<Load> => {
  const tookMs: number[] = [];
  let next = 0;
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const sinceMs = performance.now();
      await work(index);
      tookMs.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const durationMs = performance.now() - startedMs;
  tookMs.sort((a, b) => a - b);
  return {
    tookMs,
    perSecond: (count / durationMs) * 1000,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    durationMs,
  };
};

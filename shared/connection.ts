import type { ClientRequest } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

// Imported, it would load Node's fetch and WebSocket as well, for the names that it exports: 10 ms of a cold start.
const http = process.getBuiltinModule('node:http');

/** One request, to be sent as it is. */
interface OutgoingRequest {
  protocol: string;
  hostname: string;
  port?: number | undefined;
  method: string;
  path: string;
  /** Name, value, name, value …: Node writes them as they are, where it would look at each of an object's several times. */
  headers: readonly string[];
  body: string;
}

interface IncomingAnswer {
  status: number;
  text: string;
}

/** What requests are sent over. Rejects where there is no whole answer in time. */
export interface Connection {
  send(request: OutgoingRequest): Promise<IncomingAnswer>;
}

/** As many as the SDK's own handler opens. */
const SOCKETS_MAX = 50;

/** Ends requests that have no whole answer in time. One timer for all, because Node's own for each of them costs more. */
const endingAfter = (timeoutMs: number) => {
  /** The oldest first, which is due first. */
  const open = new Map<ClientRequest, number>();
  let looksAgain = false;
  // A process that waits for nothing else may end.
  const lookIn = (ms: number): void => {
    looksAgain = true;
    setTimeout(look, ms).unref();
  };
  const look = (): void => {
    looksAgain = false;
    const nowMs = performance.now();
    for (const [request, dueMs] of open) {
      if (dueMs > nowMs) {
        lookIn(Math.ceil(dueMs - nowMs));
        return;
      }
      open.delete(request);
      request.destroy(Object.assign(new Error(`no answer in ${timeoutMs} ms`), { name: 'TimeoutError' }));
    }
  };
  return {
    watch: (request: ClientRequest): void => {
      open.set(request, performance.now() + timeoutMs);
      if (!looksAgain) lookIn(timeoutMs);
    },
    forget: (request: ClientRequest): void => void open.delete(request),
  };
};

/** Longer than any call that is answered takes, and the wait for a connection where all are in use. */
const TIMEOUT_MS = 5_000;

/**
 * Node's own looks for the server's hint how long to keep it, for which it makes an object of all headers of each answer.
 * Who sends tries again over another connection where the server has closed one meanwhile.
 */
const keepSocketAlive = (socket: Duplex): boolean => {
  (socket as Socket).unref();
  return true;
};

/**
 * HTTP over connections that are kept. The SDK's own handler sets several timers a request, copies the body and hands
 * the answer over as a stream, which small JSON has no use for (ADR 17).
 */
export const keptConnections = (timeoutMs = TIMEOUT_MS): Connection => {
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const plain = Object.assign(new http.Agent(options), { keepSocketAlive });
  const secure = Object.assign(new https.Agent(options), { keepSocketAlive });
  const late = endingAfter(timeoutMs);
  return {
    send: ({ protocol, hostname, port, method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const [over, agent] = protocol === 'http:' ? ([http, plain] as const) : ([https, secure] as const);
        const outgoing = over.request({ agent, hostname, port, method, path, headers }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('end', () => {
            late.forget(outgoing);
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
          });
          incoming.once('error', fail);
        });
        const fail = (error: Error): void => {
          late.forget(outgoing);
          reject(error);
        };
        outgoing.once('error', fail);
        late.watch(outgoing);
        outgoing.end(body);
      }),
  };
};

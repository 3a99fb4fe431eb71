import https from 'node:https';

// Imported, it would load Node's fetch and WebSocket as well, for the names that it exports: 10 ms of a cold start.
const http = process.getBuiltinModule('node:http');

/** One request, to be sent as it is. */
interface OutgoingRequest {
  protocol: string;
  hostname: string;
  port?: number | undefined;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface IncomingAnswer {
  status: number;
  text: string;
}

/** What requests are sent over. Rejects where there is no whole answer in time. */
export interface Connection {
  send(request: OutgoingRequest, timeoutMs: number): Promise<IncomingAnswer>;
}

/** As many as the SDK's own handler opens. */
const SOCKETS_MAX = 50;

/**
 * HTTP over connections that are kept. The SDK's own handler sets several timers a request, copies the body and hands
 * the answer over as a stream, which small JSON has no use for (ADR 17).
 */
export const keptConnections = (): Connection => {
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const plain = new http.Agent(options);
  const secure = new https.Agent(options);
  return {
    send: ({ protocol, hostname, port, method, path, headers, body }, timeout) =>
      new Promise((resolve, reject) => {
        const [over, agent] = protocol === 'http:' ? ([http, plain] as const) : ([https, secure] as const);
        const outgoing = over.request({ agent, hostname, port, method, path, headers, timeout }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('end', () =>
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
          incoming.once('error', reject);
        });
        outgoing.once('error', reject);
        outgoing.once('timeout', () =>
          outgoing.destroy(Object.assign(new Error(`no answer in ${timeout} ms`), { name: 'TimeoutError' })),
        );
        outgoing.end(body);
      }),
  };
};

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from './gateway.ts';
import type { Properties } from './template.ts';

/** Serves the operations of one AWS service: takes and returns what its JSON protocol carries, throws by AWS's names. */
export type Service = (operation: string, body: Properties) => unknown;

export interface AwsEndpoint {
  url: string;
  close(): Promise<void>;
}

export interface AwsEndpointOptions {
  /** By the first part of `x-amz-target`, as `AWSEvents`. */
  services: Record<string, Service>;
  /** Base URL of the SQS server, asked for when the first call of SQS arrives. */
  sqs(): Promise<string>;
  /** Requests that are not of the JSON protocol, as an identity provider's; answers false when it does not know one. */
  pages(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Free one unless given. */
  port?: number;
}

/** More than any service here takes in one call (PutEvents: 1 MB). */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024;

/** A loopback HTTP endpoint for the AWS SDK calls of functions and of tools. */
export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
    serve(options, request, response).catch((error) => fail(response, error));
  });
  await listen(server, options.port ?? 0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function serve(options: AwsEndpointOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [name = '', operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  if (!name && (await options.pages(request, response))) return;
  const body = await bodyOf(request);
  if (name === 'AmazonSQS') return passOn(await options.sqs(), request, body, response);
  const service = Object.hasOwn(options.services, name) ? options.services[name] : undefined;
  if (!service) throw refusal('UnknownOperationException', `The local cloud does not serve ${name || request.url}.`);
  answer(response, 200, (await service(operation, parsed(body))) ?? {});
}

function parsed(body: Buffer): Properties {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {}
  throw refusal('SerializationException', 'The body is not a JSON object.');
}

/** An error by AWS's name for it: answered with status 400 and not retried by the SDK. */
export function refusal(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

const UNNAMED = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'];

function fail(response: ServerResponse, error: Error): void {
  if (response.headersSent) {
    response.destroy();
  } else if (UNNAMED.includes(error.name)) {
    console.error('A call of an AWS service failed inside the local cloud:', error);
    answer(response, 500, { __type: 'InternalFailure', message: error.message });
  } else {
    answer(response, 400, { __type: error.name, message: error.message });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
    // Cognito answers browsers of any origin.
    'access-control-allow-origin': '*',
  });
  response.end(text);
}

async function passOn(url: string, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
  const { 'x-amz-target': target, 'content-type': type, authorization } = request.headers as Record<string, string>;
  const headers = { 'x-amz-target': target!, 'content-type': type!, ...(authorization && { authorization }) };
  const passed = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  response.writeHead(passed.status, { 'content-type': passed.headers.get('content-type') ?? 'application/json' });
  response.end(Buffer.from(await passed.arrayBuffer()));
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) chunks.push(chunk);
      else reject(refusal('RequestEntityTooLargeException', `A call takes at most ${BODY_LIMIT_BYTES} bytes.`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
  });
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FunctionError, type FunctionHost } from './functions.ts';
import { claimText, eventOf, type Principal } from './gateway-event.ts';
import { type JwtAuthorizer, type Route, routesOf } from './routes.ts';
import { type Properties, type Resource, type Template, TemplateError } from './template.ts';

/** Checks a token as the identity provider's issuer would have signed it; rejects with the reason. */
export interface TokenVerifier {
  verify(token: string, expected: { issuer: string; audience: string[] }): Promise<Record<string, unknown>>;
}

export interface Gateway {
  /** Without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** What the gateway answers without asking a function. */
class Refusal extends Error {
  status: number;
  headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
const REMEMBERED_TOKENS = 5000;

/**
 * Serves the HTTP API of the template on one address: routes, JWT authorizers, CORS, payload format 2.0 and API
 * Gateway's own answers. Not here: throttling, access logs, custom domains.
 */
export async function startGateway(options: {
  template: Template;
  functions: Pick<FunctionHost, 'invoke'>;
  identity: TokenVerifier;
  accountId: string;
  port: number;
  host: string;
}): Promise<Gateway> {
  const { template, functions } = options;
  const [api, ...others] = template.resources('AWS::ApiGatewayV2::Api');
  if (!api || others.length)
    throw new TemplateError(`One HTTP API is expected; the template has ${others.length + Number(!!api)}.`);
  const find = routesOf(template, api);
  const stage = stageOf(template, api);
  const authorize = authorizerOf(options.identity);
  const cors = corsOf(api.properties.CorsConfiguration);

  const serve = async (request: IncomingMessage): Promise<Answer> => {
    const { path, encodedPath, query } = targetOf(request, stage);
    const found = find(request.method ?? 'GET', encodedPath);
    if (!found) throw new Refusal(404, 'Not Found');
    const { route, parameters } = found;
    const [principal, body] = await Promise.all([authorize(route, request), bodyOf(request)]);
    const parts = {
      request,
      body,
      path,
      query,
      parameters,
      route,
      apiId: api.name,
      accountId: options.accountId,
      stage,
    };
    const event = eventOf({ ...parts, ...(principal && { principal }) });
    return answerOf(await withinTime(functions.invoke(route.functionArn, event), route.timeoutMilliseconds));
  };

  const server = createServer({ keepAliveTimeout: 65_000, noDelay: true }, (request, response) => {
    const headers = cors?.headers(request) ?? {};
    if (cors?.isPreflight(request)) return respond(response, { status: 204, headers, body: '' });
    serve(request)
      .then((answer) => respond(response, { ...answer, headers: { ...answer.headers, ...headers } }))
      .catch((error) => {
        request.resume();
        const refused = refusalOf(error);
        respond(response, { ...refused, headers: { ...refused.headers, ...headers } });
      });
  });
  await listen(server, options.port, options.host);
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

const INTERNAL = new Refusal(500, 'Internal Server Error');

/** What a client hears of an error; of a function's, nothing. */
function refusalOf(error: unknown): Answer {
  if (!(error instanceof Refusal || error instanceof FunctionError)) console.error('The local gateway failed:', error);
  const { status, message, headers } = error instanceof Refusal ? error : INTERNAL;
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) };
}

/** Listens, or says what to do when the port is taken. */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const advice = 'Stop the program that listens there, perhaps another local cloud, or choose another port.';
      reject(new Error(`Port ${port} of ${host} is taken. ${advice}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  cookies?: string[];
  body: string | Buffer;
}

function respond(response: ServerResponse, { status, headers, cookies, body }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    ...(cookies?.length && { 'set-cookie': cookies }),
    ...(status !== 204 && { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}

/** A function's result as an answer; one without `statusCode` is the body of a 200. */
function answerOf(result: unknown): Answer {
  const full = result as Properties | null;
  if (typeof full !== 'object' || full === null || full.statusCode === undefined) {
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const status = Number(full.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) throw INTERNAL;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(full.headers ?? {})) headers[name.toLowerCase()] = String(value);
  headers['content-type'] ??= 'text/plain;charset=utf-8';
  delete headers['content-length'];
  const body = full.isBase64Encoded ? Buffer.from(full.body ?? '', 'base64') : String(full.body ?? '');
  return { status, headers, cookies: full.cookies, body };
}

function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Refusal(503, 'Service Unavailable')), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Path and query of a request; a stage with a name of its own is the first part of every path. */
function targetOf(request: IncomingMessage, stage: string): { path: string; encodedPath: string; query: string } {
  const [encoded = '/', ...rest] = (request.url ?? '/').split('?');
  const prefix = stage === '$default' ? '' : `/${stage}`;
  if (prefix && encoded !== prefix && !encoded.startsWith(`${prefix}/`)) throw new Refusal(404, 'Not Found');
  try {
    return {
      path: decodeURIComponent(encoded),
      encodedPath: encoded.slice(prefix.length) || '/',
      query: rest.join('?'),
    };
  } catch {
    throw new Refusal(400, 'Bad Request');
  }
}

function stageOf(template: Template, api: Resource): string {
  const stages = template.resources('AWS::ApiGatewayV2::Stage').filter((stage) => stage.properties.ApiId === api.name);
  return stages.find((stage) => stage.name === '$default')?.name ?? stages[0]?.name ?? '$default';
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => new Refusal(413, 'Request Entity Too Large', { connection: 'close' });
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > BODY_LIMIT_BYTES) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_LIMIT_BYTES) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.once('error', () => reject(new Refusal(400, 'Bad Request')));
  });
}

/** Verifies the token of a request; each token once, until it expires. */
function authorizerOf(
  identity: TokenVerifier,
): (route: Route, request: IncomingMessage) => Promise<Principal | undefined> {
  const verified = new Map<string, Principal & { expiresAt: number }>();

  const verify = async (authorizer: JwtAuthorizer, token: string): Promise<Principal> => {
    const key = `${authorizer.id} ${token}`;
    const known = verified.get(key);
    if (known && known.expiresAt > Date.now()) return known;
    const raw = await identity.verify(token, authorizer).catch((error: Error) => {
      throw unauthorized(`Bearer scope="" error="invalid_token" error_description="${quotable(error.message)}"`);
    });
    const claims = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, claimText(value)]));
    const scopes = String(raw.scope ?? raw.scp ?? '')
      .split(' ')
      .filter(Boolean);
    if (verified.size >= REMEMBERED_TOKENS) verified.delete(verified.keys().next().value!);
    const principal = { claims, scopes, expiresAt: Number(raw.exp) * 1000 };
    verified.set(key, principal);
    return principal;
  };

  return async ({ authorizer, scopes }, request) => {
    if (!authorizer) return undefined;
    const token = String(request.headers[authorizer.header] ?? '').replace(/^bearer( +|$)/i, '');
    if (!token) throw unauthorized('Bearer');
    const principal = await verify(authorizer, token);
    if (scopes.length && !scopes.some((scope) => principal.scopes.includes(scope))) {
      const challenge = `Bearer scope="${scopes.join(' ')}" error="insufficient_scope"`;
      throw new Refusal(403, 'Forbidden', { 'www-authenticate': challenge });
    }
    return principal;
  };
}

const unauthorized = (challenge: string): Refusal =>
  new Refusal(401, 'Unauthorized', { 'www-authenticate': challenge });
const quotable = (text: string): string => text.replace(/[^\x20-\x7e]|["\\]/g, "'");

interface Cors {
  isPreflight(request: IncomingMessage): boolean;
  headers(request: IncomingMessage): Record<string, string>;
}

/** API Gateway answers preflight requests itself and puts its own CORS headers over a function's. */
function corsOf(configuration: Properties | undefined): Cors | undefined {
  if (!configuration) return undefined;
  const {
    AllowOrigins = [],
    AllowMethods = [],
    AllowHeaders = [],
    ExposeHeaders = [],
    MaxAge,
    AllowCredentials,
  } = configuration;
  const isPreflight = (request: IncomingMessage) =>
    request.method === 'OPTIONS' && 'origin' in request.headers && 'access-control-request-method' in request.headers;
  return {
    isPreflight,
    headers(request) {
      const origin = request.headers.origin;
      if (!origin || !(AllowOrigins.includes('*') || AllowOrigins.includes(origin))) return {};
      return {
        'access-control-allow-origin': AllowOrigins.includes('*') && !AllowCredentials ? '*' : origin,
        ...(AllowCredentials && { 'access-control-allow-credentials': 'true' }),
        ...(ExposeHeaders.length && { 'access-control-expose-headers': ExposeHeaders.join(',') }),
        ...(isPreflight(request) && {
          ...(AllowMethods.length && { 'access-control-allow-methods': AllowMethods.join(',') }),
          ...(AllowHeaders.length && { 'access-control-allow-headers': AllowHeaders.join(',') }),
          ...(MaxAge !== undefined && { 'access-control-max-age': String(MaxAge) }),
        }),
      };
    },
  };
}

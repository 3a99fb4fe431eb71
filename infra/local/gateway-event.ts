import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Route } from './routes.ts';

/** A verified token, as API Gateway hands it to functions: every claim is text. */
export interface Principal {
  claims: Record<string, string>;
  /** Scopes of the token. */
  scopes: string[];
}

export interface RequestParts {
  request: IncomingMessage;
  body: Buffer;
  /** Decoded path, as API Gateway passes it on. */
  path: string;
  query: string;
  parameters: Record<string, string>;
  route: Route;
  principal?: Principal;
  apiId: string;
  accountId: string;
  stage: string;
}

const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|javascript))/;

/** The event of one request in API Gateway's payload format 2.0. */
export function eventOf(parts: RequestParts): object {
  const { request, body, path, query, parameters, route, principal } = parts;
  const { cookie, ...headers } = request.headers;
  const isText = TEXT.test(headers['content-type'] ?? 'text/plain');
  const now = new Date();
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath: path,
    rawQueryString: query,
    ...(cookie && { cookies: cookie.split(/; */) }),
    headers,
    ...(query && { queryStringParameters: queryParameters(query) }),
    requestContext: {
      accountId: parts.accountId,
      apiId: parts.apiId,
      ...(principal && {
        authorizer: { jwt: { claims: principal.claims, scopes: route.scopes.length ? principal.scopes : null } },
      }),
      domainName: headers.host,
      domainPrefix: parts.apiId,
      http: {
        method: request.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: route.key,
      stage: parts.stage,
      time: logTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(parameters).length && { pathParameters: parameters }),
    ...(body.length && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: !isText && body.length > 0,
  };
}

/** A claim as API Gateway writes it: lists become `[a b]`, maps `map[a:1]`. */
export function claimText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(claimText).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `map[${Object.entries(value)
      .map(([key, member]) => `${key}:${claimText(member)}`)
      .join(' ')}]`;
  }
  return String(value);
}

/** Repeated parameters are joined with commas. */
function queryParameters(query: string): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = name in parameters ? `${parameters[name]},${value}` : value;
  }
  return parameters;
}

/** As `12/Mar/2020:19:03:58 +0000`. */
function logTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

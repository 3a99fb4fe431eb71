import type { Operation } from '../contract.ts';
import { problemsOf } from '../http.ts';
import { RATE_PER_SECOND } from '../limits.ts';
import { PROBLEMS, problemType, RETRY_AFTER_SECONDS } from '../problem.ts';

type Json = Record<string, unknown>;

const text = (maxLength: number, pattern: string): Json => ({ type: 'string', maxLength, pattern });
const ONE_LINE = '^[^\\p{Cc}]*$';

export const HEADERS = {
  'X-Correlation-Id': {
    description: 'Names this request in our logs; as sent, or else a new one. Absent where the gateway itself answers.',
    schema: text(64, '^[\\w=-]+$'),
  },
  'X-RateLimit-Limit': {
    description: 'Requests a second that the whole API takes. Absent where the gateway itself answers.',
    schema: { type: 'integer', format: 'int32', minimum: RATE_PER_SECOND, maximum: RATE_PER_SECOND },
  },
  'Retry-After': {
    description: 'Seconds to wait before the same request is sent again.',
    schema: { type: 'integer', format: 'int32', minimum: 1, maximum: 60 },
  },
  'Access-Control-Allow-Origin': {
    description: 'From the gateway, on every answer to a request that names its origin: any page may ask.',
    schema: { type: 'string', const: '*' },
  },
  'Idempotency-Replayed': {
    description: 'Present on a repeat, which is answered as it was the first time.',
    schema: { type: 'string', const: 'true' },
  },
};

const headers = (...names: (keyof typeof HEADERS)[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
const ALWAYS = ['Access-Control-Allow-Origin', 'X-Correlation-Id', 'X-RateLimit-Limit'] as const;

export const PROBLEM_SCHEMAS = {
  Problem: {
    type: 'object',
    description: 'RFC 9457 problem details',
    required: ['type', 'title', 'status', 'detail'],
    properties: {
      type: { type: 'string', enum: (Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]).map(problemType) },
      title: { type: 'string', enum: Object.values(PROBLEMS).map(({ title }) => title) },
      status: { type: 'integer', format: 'int32', minimum: 400, maximum: 503 },
      detail: text(4000, ONE_LINE),
      errors: {
        type: 'array',
        description: 'What is wrong, field by field',
        maxItems: 1000,
        items: {
          type: 'object',
          required: ['field', 'detail'],
          properties: {
            field: {
              ...text(2000, ONE_LINE),
              description: 'JSON pointer into the input: path, query and body are one object. Or the name of a header.',
            },
            detail: text(1000, ONE_LINE),
          },
        },
      },
    },
  },
  GatewayMessage: {
    type: 'object',
    description: 'What the gateway itself answers, before or instead of a function',
    required: ['message'],
    properties: { message: text(200, ONE_LINE) },
  },
};

/** Statuses that the gateway answers itself, and why. */
const BY_GATEWAY: Record<number, string> = {
  401: 'the token is missing, expired, forged or meant for somebody else',
  403: 'the token holds none of the scopes',
  413: 'the request is larger than 10 MB',
  429: 'too many requests; wait for a second and some more by chance',
  500: 'the function failed',
  503: 'the function took too long',
};

const gatewayStatuses = ({ access, route }: Operation): number[] =>
  Object.keys(BY_GATEWAY)
    .map(Number)
    .filter((status) => access.kind !== 'anyone' || (status !== 401 && status !== 403))
    .filter((status) => !route.startsWith('GET ') || status !== 413);

const schema = (name: keyof typeof PROBLEM_SCHEMAS): Json => ({ schema: { $ref: `#/components/schemas/${name}` } });

/** Every way in which an operation may fail, by status. */
const failures = (operation: Operation): Record<string, Json> => {
  const names = problemsOf(operation);
  const fromGateway = gatewayStatuses(operation);
  const statuses = [...new Set([...names.map((name) => PROBLEMS[name].status), ...fromGateway])].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const ours = names.filter((name) => PROBLEMS[name].status === status);
      const byGateway = fromGateway.includes(status) ? [`from the gateway: ${BY_GATEWAY[status]}`] : [];
      const words = ours.map((name) => `${PROBLEMS[name].title} (\`${name}\`)`);
      const mayRetry = ours.some((name) => RETRY_AFTER_SECONDS[name] !== undefined);
      const response = {
        description: [...words, ...byGateway].join('; '),
        headers: headers(
          ...(ours.length > 0 ? ALWAYS : (['Access-Control-Allow-Origin'] as const)),
          ...(mayRetry ? (['Retry-After'] as const) : []),
        ),
        content: {
          ...(ours.length > 0 && { 'application/problem+json': schema('Problem') }),
          ...(byGateway.length > 0 && { 'application/json': schema('GatewayMessage') }),
        },
      };
      return [String(status), response];
    }),
  );
};

/** The answer of an operation that succeeds, and every way in which it may fail. */
export const responsesOf = (operation: Operation, output: Json): Record<string, Json> => ({
  [String(operation.status ?? 200)]: {
    description: 'Done',
    headers: headers(...ALWAYS, ...(operation.route.startsWith('GET ') ? [] : (['Idempotency-Replayed'] as const))),
    content: { 'application/json': { schema: output } },
  },
  ...failures(operation),
});

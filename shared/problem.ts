/**
 * Every problem that the API may answer with, in one table: status and title (RFC 9457). A contract names the
 * problems of each operation by these keys, so OpenAPI, handlers and docs cannot disagree.
 */
export const PROBLEMS = {
  'invalid-input': { status: 400, title: 'The request is not valid' },
  'idempotency-key-missing': { status: 400, title: 'This command needs an Idempotency-Key header' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'not-found': { status: 404, title: 'There is no such thing, or it is not yours' },
  'already-exists': { status: 409, title: 'It exists already' },
  'changed-meanwhile': { status: 409, title: 'It was changed by somebody else meanwhile' },
  'insufficient-stock': { status: 409, title: 'Not enough stock' },
  'sold-out': { status: 409, title: 'No node can supply this' },
  'not-deliverable': { status: 409, title: 'This way of fulfilment is not possible here' },
  'cart-empty': { status: 409, title: 'The cart is empty' },
  'delivery-not-chosen': { status: 409, title: 'Choose a way of fulfilment first' },
  'price-changed': { status: 409, title: 'The price is not the one that was shown' },
  'not-sellable': { status: 409, title: 'This SKU is not on sale' },
  'wrong-state': { status: 409, title: 'This is not possible in the present state' },
  'payment-in-progress': { status: 409, title: 'A payment for this order is under way' },
  'idempotency-key-reused': { status: 422, title: 'This Idempotency-Key was used with another request' },
  'payload-too-large': { status: 413, title: 'The request is larger than 256 KB' },
  'too-busy': { status: 503, title: 'Too much contention, try again' },
  internal: { status: 500, title: 'An unexpected error, which has been logged' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemName = keyof typeof PROBLEMS;

/** Problems that the shared handler itself answers with, and for which operations. */
export const COMMON_PROBLEMS = {
  'invalid-input': 'any operation',
  unauthenticated: 'any operation that needs a token',
  forbidden: 'any operation that needs a token',
  'payload-too-large': 'any command',
  'idempotency-key-missing': 'any POST',
  'idempotency-key-reused': 'any command',
  'changed-meanwhile': 'any command',
  'too-busy': 'any operation',
  internal: 'any operation',
} as const satisfies Partial<Record<ProblemName, string>>;

export type CommonProblem = keyof typeof COMMON_PROBLEMS;

/** Seconds a client should wait before it repeats a request that met one of these. */
export const RETRY_AFTER_SECONDS: Partial<Record<ProblemName, number>> = { 'payment-in-progress': 2, 'too-busy': 1 };

/** An `application/problem+json` body (RFC 9457). `errors` lists each invalid field by JSON pointer. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  errors?: { field: string; detail: string }[];
}

export const problemType = (problem: ProblemName): string => `urn:ieum:problem:${problem}`;

/** Shapes a problem as the body and headers of an HTTP answer. */
export const problemResponse = (
  problem: ProblemName,
  detail: string,
  extra: { instance?: string; errors?: { field: string; detail: string }[] } = {},
): { statusCode: number; headers: Record<string, string>; body: string } => {
  const { status, title } = PROBLEMS[problem];
  const body: ProblemBody = { type: problemType(problem), title, status, detail, ...extra };
  const retryAfterSeconds = RETRY_AFTER_SECONDS[problem];
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(body),
  };
};

import type * as z from 'zod';
import { type Operation, pathParameters } from './contract.ts';
import type { ProblemBody } from './problem.ts';

/** The API refused: `problem` says why, in RFC 9457's words. */
export class ProblemError extends Error {
  readonly status: number;
  readonly problem: ProblemBody;

  constructor(operation: string, status: number, problem: ProblemBody) {
    super(`${operation}: ${status} ${problem.title}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.status = status;
    this.problem = problem;
  }
}

export interface ClientOptions {
  baseUrl: string;
  /** Access token, or a function that has one ready. None for what anyone may ask. */
  token?: string | (() => string | Promise<string>);
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** POST needs one; give the same for a repeat. A new UUID unless given. */
  idempotencyKey?: string;
}

export type Client = <I extends z.ZodObject, O extends z.ZodType>(
  operation: Pick<Operation<I, O>, 'route' | 'input' | 'output'>,
  input: z.input<I>,
  options?: CallOptions,
) => Promise<z.output<O>>;

/**
 * A typed client of every operation, made from its contract: `client(carts.operations.putLine, { sku, units: 2 })`.
 * Throws `ProblemError` where the API refuses; network errors pass through.
 */
export const createClient =
  ({ baseUrl, token, fetch: send = fetch }: ClientOptions): Client =>
  async (operation, input, { idempotencyKey } = {}) => {
    const [method, template] = operation.route.split(' ') as [string, string];
    const fields = new Map(Object.entries(input as Record<string, unknown>).filter(([, value]) => value !== undefined));
    let path = template;
    for (const name of pathParameters(operation.route)) {
      path = path.replace(`{${name}}`, encodeURIComponent(String(fields.get(name))));
      fields.delete(name);
    }
    const isQuery = method === 'GET';
    const query = new URLSearchParams(
      isQuery ? [...fields].map(([name, value]): [string, string] => [name, String(value)]) : [],
    );
    const bearer = typeof token === 'function' ? await token() : token;
    const response = await send(`${baseUrl}${path}${query.size > 0 ? `?${query}` : ''}`, {
      method,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(isQuery ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' || idempotencyKey !== undefined
          ? { 'idempotency-key': idempotencyKey ?? crypto.randomUUID() }
          : {}),
      },
      ...(isQuery ? {} : { body: JSON.stringify(Object.fromEntries(fields)) }),
    });
    const body = (await response.json()) as unknown;
    if (!response.ok) throw new ProblemError(operation.route, response.status, body as ProblemBody);
    return body as z.output<(typeof operation)['output']>;
  };

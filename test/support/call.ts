import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import type { Scope } from '../../shared/auth.ts';
import { scopeInToken } from '../../shared/auth.ts';
import type { Capability } from '../../shared/contract.ts';
import { pathParameters } from '../../shared/contract.ts';
import { type ReactionHandlers, reactions } from '../../shared/events.ts';
import { type OperationHandlers, operations } from '../../shared/http.ts';
import type { Envelope, OutboxItem } from '../../shared/outbox.ts';
import { OUTBOX, OUTBOX_SHARDS, outboxPk } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { runTasks, type TaskEvent, type TaskHandlers } from '../../shared/tasks.ts';

/** Who a test speaks as: the claims that the authorizer would have verified. */
export type Caller = Record<string, string> | undefined;

const claims = (sub: string, scopes: readonly Scope[], extra: Record<string, string>): Caller => ({
  sub,
  scope: scopes.map(scopeInToken).join(' '),
  ...extra,
});
export const customerCaller = (sub: string): Caller => claims(sub, ['shop'], { username: sub });
export const staffCaller = (nodeId: string, ...scopes: Scope[]): Caller =>
  claims(`staff-${nodeId}`, scopes, { username: `staff-${nodeId}`, nodeId });
export const channelCaller = (clientId: string): Caller => claims(clientId, ['orders:import', 'orders:read'], {});

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any shape, and fails where it is not there.
  body: any;
  text: string;
  headers: Record<string, unknown>;
}

export interface CallOptions {
  as?: Caller;
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** A new one each call unless given; null sends none. */
  idempotencyKey?: string | null;
  rawBody?: string;
}

const context = { awsRequestId: 'test', getRemainingTimeInMillis: () => 10_000 } as unknown as Context;

/** Calls operations of a capability by name through the real handler, as API Gateway does. */
export const apiOf = <C extends Capability>(contract: C, handlers: OperationHandlers<C>, runtime: Runtime) => {
  const handler = operations(contract, handlers, runtime);
  return async (name: keyof C['operations'] & string, options: CallOptions = {}): Promise<Answer> => {
    const { route } = contract.operations[name]!;
    const key = options.idempotencyKey === undefined ? randomUUID() : options.idempotencyKey;
    const missing = pathParameters(route).find((parameter) => options.path?.[parameter] === undefined);
    if (missing !== undefined) throw new Error(`the call of ${name} gives no ${missing}`);
    const event = {
      version: '2.0',
      routeKey: route,
      headers: key === null ? {} : { 'idempotency-key': key },
      pathParameters: options.path,
      queryStringParameters: options.query,
      body: options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      isBase64Encoded: false,
      requestContext: {
        requestId: randomUUID(),
        ...(options.as === undefined ? {} : { authorizer: { jwt: { claims: options.as, scopes: [] } } }),
      },
    };
    const response = await handler(event as never, context);
    const text = String(response.body ?? '');
    return { status: response.statusCode ?? 200, body: JSON.parse(text), text, headers: response.headers ?? {} };
  };
};

/** Hands an event to a capability's reactions through the real handler, as EventBridge does. */
export const listenerOf = <C extends Capability>(contract: C, handlers: ReactionHandlers<C>, runtime: Runtime) => {
  const handler = reactions(contract, handlers, runtime);
  return (envelope: Envelope): Promise<void> =>
    handler({ source: envelope.source, 'detail-type': envelope.type, detail: envelope } as never, context) as never;
};

/** Runs a task of a capability through the real handler, as the workflow or a schedule does. */
export const taskRunnerOf = <C extends Capability>(contract: C, handlers: TaskHandlers<C>, runtime: Runtime) => {
  const handler = runTasks(contract, handlers, runtime);
  return (event: TaskEvent): Promise<unknown> => handler(event as never, context) as never;
};

/** Everything that the outbox still holds, oldest first. */
export const outboxOf = async ({ tables }: Runtime): Promise<Envelope[]> => {
  const pages = await Promise.all(
    Array.from({ length: OUTBOX_SHARDS }, (_, shard) =>
      tables.query<OutboxItem>(OUTBOX, { pk: outboxPk(shard), limit: 1000 }),
    ),
  );
  return pages
    .flatMap(({ items }) => items)
    .sort((a, b) => (a.sk < b.sk ? -1 : 1))
    .flatMap(({ entries }) => entries.map(({ detail }) => JSON.parse(detail) as Envelope));
};

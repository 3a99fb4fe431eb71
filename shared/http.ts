import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import middy from 'middy';
import type * as z from 'zod';
import { authorise, type Principal, principalOf } from './auth.ts';
import { AwsError } from './aws.ts';
import type { Change } from './change.ts';
import { isTooBusy } from './contention.ts';
import { type Capability, type Operation, pathParameters } from './contract.ts';
import { InvalidCursor } from './cursor.ts';
import { type CommandKey, earlierAnswer, rememberAnswer, requestHash } from './idempotency.ts';
import { type FieldError, fieldErrors, harmIn, parseBody, pointer, withoutCardNumbers } from './input.ts';
import { RATE_PER_SECOND } from './limits.ts';
import type { Cause } from './outbox.ts';
import { COMMON_PROBLEMS, type CommonProblem, type ProblemName, problemResponse } from './problem.ts';
import { ok, type Refusal, type Result } from './result.ts';
import { commitChanges, type Runtime } from './runtime.ts';

type ApiEvent = APIGatewayProxyEventV2WithJWTAuthorizer;
type Answer = APIGatewayProxyStructuredResultV2;

/** What a handler knows about the call beside its input. */
export interface Request {
  principal: Principal;
  cause: Cause;
  now: string;
  /** The command as its caller named it, to bind an effect outside of our tables to it. Undefined without a key. */
  command: CommandKey | undefined;
  /** Commits a change before the reply's own, e.g. an intent that has to be on record before a provider is called. */
  commit<P extends ProblemName>(...changes: Change<P>[]): Promise<Result<void, P | 'too-busy'>>;
}

/** What a handler decides: the answer, and the changes that make it true. The shared handler commits them. */
export interface Reply<O, P extends ProblemName> {
  output: O;
  changes: readonly Change<P>[];
}

export const reply = <O, P extends ProblemName = never>(
  output: O,
  ...changes: Change<P>[]
): { ok: true; value: Reply<O, P> } => ok({ output, changes });

export type OperationHandler<Op> =
  Op extends Operation<infer I, infer O, infer P>
    ? (input: z.output<I>, request: Request) => Promise<Result<Reply<z.input<O>, P | CommonProblem>, P | CommonProblem>>
    : never;

export type OperationHandlers<C extends Capability> = {
  [K in keyof C['operations']]: OperationHandler<C['operations'][K]>;
};

type AnyHandler = (input: unknown, request: Request) => Promise<Result<Reply<unknown, ProblemName>>>;

interface Route {
  name: string;
  operation: Operation;
  input: z.ZodObject;
  parameters: readonly string[];
  isCommand: boolean;
  handler: AnyHandler;
}

const JSON_HEADERS = { 'content-type': 'application/json' };

const routesOf = <C extends Capability>(contract: C, handlers: OperationHandlers<C>): Map<string, Route> =>
  new Map(
    Object.entries(contract.operations).map(([name, operation]) => [
      operation.route,
      {
        name,
        operation,
        input: operation.input.strict(),
        parameters: pathParameters(operation.route),
        isCommand: !operation.route.startsWith('GET '),
        handler: (handlers as Record<string, AnyHandler>)[name]!,
      },
    ]),
  );

const invalidInput = (errors: FieldError[]): Answer =>
  problemResponse(
    'invalid-input',
    errors.map(({ field, detail }) => `${field || 'the request'} ${detail}`).join('; '),
    {
      errors,
    },
  );

const refusalAnswer = ({ problem, detail, field }: Refusal): Answer =>
  problemResponse(problem, detail, field === undefined ? {} : { errors: [{ field, detail }] });

/** Path parameters, query or body as one object; what the path says may not be said again, a command has no query. */
const gatherInput = (event: ApiEvent, route: Route): { input: unknown } | { answer: Answer } => {
  const text = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString() : event.body;
  const body = parseBody(route.isCommand ? text : undefined);
  if (!body.ok) {
    return { answer: body.errors.length > 0 ? invalidInput(body.errors) : problemResponse(body.problem, 'send less') };
  }
  const query = event.queryStringParameters ?? {};
  const stray = [...Object.keys(query), ...Object.keys(body.fields)].find((name) => route.parameters.includes(name));
  if (stray !== undefined) return { answer: invalidInput([{ field: `/${stray}`, detail: 'is given by the path' }]) };
  const misplaced = route.isCommand ? Object.keys(query) : [];
  if (misplaced.length > 0) {
    const errors = misplaced.map((name) => ({ field: pointer([name]), detail: 'is not taken from the query' }));
    return { answer: invalidInput(errors) };
  }
  const harm = harmIn(query);
  if (harm !== undefined) return { answer: invalidInput([harm]) };
  const parsed = route.input.safeParse({ ...query, ...body.fields, ...event.pathParameters });
  return parsed.success ? { input: parsed.data } : { answer: invalidInput(fieldErrors(parsed.error)) };
};

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/;

/** POST needs the key; PUT and DELETE take one, and are safe to repeat without. */
const commandKey = (
  event: ApiEvent,
  table: string,
  route: Route,
  caller: string,
  input: unknown,
): { command: CommandKey | undefined } | { answer: Answer } => {
  const key = event.headers['idempotency-key'];
  if (!route.isCommand) return { command: undefined };
  if (key === undefined) {
    if (!route.operation.route.startsWith('POST ')) return { command: undefined };
    return { answer: problemResponse('idempotency-key-missing', 'send a new UUID, and the same one when you repeat') };
  }
  if (!IDEMPOTENCY_KEY.test(key)) {
    return {
      answer: invalidInput([{ field: 'Idempotency-Key', detail: 'must be 1 to 128 visible ASCII characters' }]),
    };
  }
  return { command: { table, caller, operation: route.name, key, requestHash: requestHash(input) } };
};

/** A decision that lost a race is taken again on what is there now; the caller hears of it only if that does not end. */
const DECISIONS_MAX = 5;
const REDECIDE_BASE_MS = 10;

const carryOut = async (
  runtime: Runtime,
  route: Route,
  input: unknown,
  request: Request,
  command: CommandKey | undefined,
): Promise<Answer> => {
  const status = route.operation.status ?? 200;
  const refused = async (refusal: Refusal): Promise<Answer> => {
    const earlier = command === undefined ? undefined : await earlierAnswer(runtime.tables, command);
    if (earlier === undefined) return refusalAnswer(refusal);
    if ('refusal' in earlier) return refusalAnswer(earlier.refusal);
    return {
      statusCode: earlier.status,
      headers: { ...JSON_HEADERS, 'idempotency-replayed': 'true' },
      body: earlier.body,
    };
  };
  for (let decision = 1; ; decision += 1) {
    const decided = await route.handler(input, request);
    if (!decided.ok) return refused(decided.refusal);
    const body = JSON.stringify(route.operation.output.parse(decided.value.output));
    const answer = { statusCode: status, headers: JSON_HEADERS, body };
    if (!route.isCommand) return answer;
    const guards = command === undefined ? [] : [rememberAnswer(command, { status, body }, request.now)];
    const committed = await commitChanges(runtime, request.cause, decided.value.changes, guards);
    if (committed.ok) return answer;
    // What may have been carried out is not decided anew: the line that it put into a cart may be in an order by now.
    const isLost = committed.refusal.problem === 'changed-meanwhile' && committed.mayBeDone !== true;
    if (!isLost || decision >= DECISIONS_MAX) return refused(committed.refusal);
    await runtime.sleep(runtime.random() * REDECIDE_BASE_MS * 2 ** decision);
  }
};

/** Middy: gives every answer its headers, and every unexpected error a log line and a 500 that tells nothing. */
const edge = {
  after: ({ event, response }: { event: ApiEvent; response: Answer }) => {
    response.headers = {
      ...response.headers,
      'x-correlation-id': correlationId(event),
      'x-ratelimit-limit': String(RATE_PER_SECOND),
    };
  },
  onError: (failure: { event: ApiEvent; error: Error | null; response: Answer | null }) => {
    failure.response = failureAnswer(failure.event, failure.error);
    edge.after({ event: failure.event, response: failure.response });
  },
};

const failureAnswer = (event: ApiEvent, error: Error | null): Answer => {
  if (error instanceof InvalidCursor) {
    return invalidInput([{ field: '/cursor', detail: 'was not handed out by this list' }]);
  }
  if (error instanceof AwsError && isTooBusy(error)) {
    return problemResponse('too-busy', 'more is asked of the same items than they give just now, try again');
  }
  const log = JSON.stringify({ message: 'request failed', routeKey: event.routeKey, error: error?.stack });
  console.error(withoutCardNumbers(log));
  return problemResponse('internal', `tell us the correlation id ${correlationId(event)}`);
};

const CORRELATION_ID = /^[\w-]{1,64}$/;

const correlationId = (event: ApiEvent): string => {
  const given = event.headers['x-correlation-id'];
  return given !== undefined && CORRELATION_ID.test(given) ? given : event.requestContext.requestId;
};

/**
 * The Lambda handler of a capability's operations: parse → authorise → validate → handle → commit → answer.
 * A command's parts, its events and its remembered answer are ONE transaction.
 */
export const operations = <C extends Capability>(contract: C, handlers: OperationHandlers<C>, runtime: Runtime) => {
  const routes = routesOf(contract, handlers);
  const table = contract.name;
  return middy<ApiEvent, Answer>()
    .use(edge)
    .handler(async (event) => {
      const route = routes.get(event.routeKey);
      if (route === undefined) throw new Error(`${contract.name} has no operation ${event.routeKey}`);
      const principal = principalOf(event.requestContext.authorizer?.jwt.claims);
      const allowed = authorise(route.operation.access, principal);
      if (allowed !== 'yes') return problemResponse(allowed, `${event.routeKey} needs a token with the right scope`);
      const gathered = gatherInput(event, route);
      if ('answer' in gathered) return gathered.answer;
      const keyed = commandKey(event, table, route, principal.id, gathered.input);
      if ('answer' in keyed) return keyed.answer;
      const now = runtime.now();
      const cause: Cause = { actor: `${principal.kind}/${principal.id}`, correlationId: correlationId(event), now };
      const request: Request = {
        principal,
        cause,
        now,
        command: keyed.command,
        commit: (...changes) => commitChanges(runtime, cause, changes),
      };
      return carryOut(runtime, route, gathered.input, request, keyed.command);
    });
};

/** Problems that an operation may answer with: its own and those of its kind. */
export const problemsOf = ({ problems, route, access }: Operation): ProblemName[] => {
  const applies: Record<(typeof COMMON_PROBLEMS)[CommonProblem], boolean> = {
    'any operation': true,
    'any operation that needs a token': access.kind !== 'anyone',
    'any command': !route.startsWith('GET '),
    'any POST': route.startsWith('POST '),
  };
  const common = (Object.keys(COMMON_PROBLEMS) as CommonProblem[]).filter((name) => applies[COMMON_PROBLEMS[name]]);
  return [...new Set([...problems, ...common])];
};

import type * as z from 'zod';
import type { Access } from './auth.ts';
import type { ProblemName } from './problem.ts';

/**
 * A contract says everything that the world may ask of a capability and hear from it. It is the one definition that
 * the API routes, authorizers, validation, IAM policies, event rules, OpenAPI and AsyncAPI are made from.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One thing that can be asked over HTTP. `input` is path parameters, query and body together, in one flat object. */
export interface Operation<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodType = z.ZodType,
  P extends ProblemName = ProblemName,
> {
  /** API Gateway's route key, e.g. `PUT /v1/carts/current/lines/{sku}`. */
  route: `${Method} /${string}`;
  access: Access;
  summary: string;
  input: I;
  /** What is answered; fields that the schema does not name never leave the function. */
  output: O;
  /** Problems beside the common ones that the operation may answer with. */
  problems: readonly P[];
  /** Status of success: 200 unless given. */
  status?: 200 | 201 | 202;
}

export const operation = <I extends z.ZodObject, O extends z.ZodType, const P extends ProblemName = never>(
  definition: Operation<I, O, P>,
): Operation<I, O, P> => definition;

/** A fact that a capability publishes: `<aggregate>.<fact>.v<N>`, and the shape of its `data`. */
export interface EventDefinition<D extends z.ZodType = z.ZodType> {
  type: `${string}.${string}.v${number}`;
  /** Set by `capability()`: who publishes it. */
  source?: string;
  data: D;
  summary: string;
}

export const event = <D extends z.ZodType>(
  type: EventDefinition['type'],
  data: D,
  summary: string,
): EventDefinition<D> => ({ type, data, summary });

/**
 * Stamps events with who publishes them. `capability()` does it for all that a contract names; what is taken from an
 * `emits.ts` without its contract has to be stamped there.
 */
export const emittedBy = <E extends Record<string, EventDefinition>>(capability: string, emits: E): E => {
  for (const emitted of Object.values(emits)) emitted.source = `ieum.${capability}`;
  return emits;
};

/** Work that is started by the workflow (`input` given) or by a schedule (`everyMinutes` given). */
export interface TaskDefinition<I extends z.ZodType = z.ZodType> {
  summary: string;
  input?: I;
  everyMinutes?: number;
}

export const task = <I extends z.ZodType>(definition: TaskDefinition<I>): TaskDefinition<I> => definition;

/** `Query` asks the table itself, `Query:byX` its index `byX`. */
export type TableAction =
  | 'GetItem'
  | 'Query'
  | `Query:${string}`
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem'
  | 'BatchWriteItem';

/** What one function may do, and nothing more: DynamoDB actions by capability table, the workflow and the bus. */
export interface Grants {
  tables: Record<string, readonly TableAction[]>;
  workflow?: readonly ('StartExecution' | 'SendTaskSuccess')[];
  bus?: readonly 'PutEvents'[];
}

/** The functions that a capability may have. Each is deployed from the same bundle with a policy of its own. */
export const FUNCTION_ROLES = ['api', 'events', 'tasks', 'stream'] as const;
export type FunctionRole = (typeof FUNCTION_ROLES)[number];

export interface Capability {
  name: string;
  summary: string;
  /**
   * Global secondary indexes by name; index `byX` has the string keys `byXPk` and `byXSk`. With `stream`, new items go
   * to the function `stream`. Absent: no table.
   */
  table?: { indexes: Record<string, { project: 'keys' | readonly string[] }>; stream?: true };
  operations: Record<string, Operation>;
  emits: Record<string, EventDefinition>;
  listens: Record<string, EventDefinition>;
  tasks: Record<string, TaskDefinition>;
  grants: Partial<Record<FunctionRole, Grants>>;
}

type None = Record<never, never>;
type Defaults = { operations: None; emits: None; listens: None; tasks: None; grants: None };

/** Declares a capability; what is not given is empty. Stamps each emitted event with its source. */
export const capability = <const C extends Pick<Capability, 'name' | 'summary'> & Partial<Capability>>(
  definition: C,
): Omit<Defaults, keyof C> & C => {
  emittedBy(definition.name, definition.emits ?? {});
  return { operations: {}, emits: {}, listens: {}, tasks: {}, grants: {}, ...definition };
};

/** Which functions a capability has, derived from what it declares. */
export const functionRoles = (contract: Capability): FunctionRole[] =>
  FUNCTION_ROLES.filter((role) => {
    if (role === 'api') return Object.keys(contract.operations).length > 0;
    if (role === 'events') return Object.keys(contract.listens).length > 0;
    if (role === 'tasks') return Object.keys(contract.tasks).length > 0;
    return contract.table?.stream === true;
  });

/** Names of the path parameters of a route, in order. */
export const pathParameters = (route: string): string[] =>
  [...route.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name!);

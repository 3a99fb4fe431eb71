import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Change } from './change.ts';
import { type Send, senderOf } from './dynamo.ts';
import { idsFrom, type NewId } from './ids.ts';
import { type Cause, outboxPart } from './outbox.ts';
import type { ProblemName } from './problem.ts';
import type { Result } from './result.ts';
import { createTables, type Part, type Tables } from './table.ts';
import { instantOf } from './time.ts';

/** What the outside world gives to a function: tables, time and chance. Tests give their own. */
export interface Runtime {
  tables: Tables;
  now(): string;
  newId: NewId;
  /** [0, 1): jitter of retries. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export interface World {
  env: Record<string, string | undefined>;
  clockMs(): number;
  random(): number;
  client?: DynamoDBClient;
  /** Comes between the tables and DynamoDB: tests count, fail, delay and lose calls here. */
  intercept?: (send: Send) => Send;
  /** Tables are named by their physical names, not by capability: for whoever serves all tables alike. */
  physicalNames?: boolean;
}

/** Environment variable that holds the physical table name of a capability. */
export const tableVariable = (capability: string): string => `TABLE_${capability.toUpperCase().replaceAll('-', '_')}`;

/** The value of an environment variable that the stack sets. A missing one is a broken deployment. */
export const required = (env: World['env'], name: string): string => {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
  return value;
};

export const createRuntime = ({ env, clockMs, random, client, intercept, physicalNames }: World): Runtime => {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const endpoint = env.AWS_ENDPOINT_URL_DYNAMODB;
  const dynamo = client ?? new DynamoDBClient(endpoint === undefined ? {} : { endpoint });
  const send = senderOf(dynamo, { random, sleep });
  return {
    tables: createTables({
      send: intercept === undefined ? send : intercept(send),
      nameOf: (table) => (physicalNames === true ? table : required(env, tableVariable(table))),
      random,
      sleep,
    }),
    now: () => instantOf(clockMs()),
    newId: idsFrom(clockMs),
    random,
    sleep,
  };
};

/** Commits changes of any capabilities in ONE transaction, with one outbox item in `table` for all they have to say. */
export const commitChanges = <P extends ProblemName>(
  { tables }: Runtime,
  table: string,
  cause: Cause,
  changes: readonly Change<P>[],
  guards: readonly Part<P>[] = [],
): Promise<Result<void, P | 'too-busy'>> =>
  tables.commit([
    ...guards,
    ...changes.flatMap(({ parts }) => parts),
    ...outboxPart(
      table,
      changes.flatMap(({ facts }) => facts),
      cause,
    ),
  ]);

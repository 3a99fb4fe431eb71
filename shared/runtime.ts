import { type AwsClient, functionsClient } from './aws.ts';
import type { Change } from './change.ts';
import { type Connection, keptConnections } from './connection.ts';
import { DYNAMODB, type Send, senderOf } from './dynamo.ts';
import { type Env, remembering, required } from './env.ts';
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
  env: Env;
  clockMs(): number;
  random(): number;
  client?: AwsClient;
  connection?: Connection;
  /** Comes between the tables and DynamoDB: tests count, fail, delay and lose calls here. */
  intercept?: (send: Send) => Send;
  /** A simulation's own time and chance: nothing waits for a real clock, and ids repeat with the seed. */
  simulated?: { sleep(ms: number): Promise<void> };
}

/** Environment variable that holds the physical table name of a capability. */
export const tableVariable = (capability: string): string => `TABLE_${capability.toUpperCase().replaceAll('-', '_')}`;

const realSleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const createRuntime = (world: World): Runtime => {
  const { env, clockMs, random, connection = keptConnections(), intercept, simulated } = world;
  const client = world.client ?? functionsClient(env, DYNAMODB);
  const sleep = simulated?.sleep ?? realSleep;
  const send = senderOf(client, { connection, clockMs, random, sleep });
  return {
    tables: createTables({
      send: intercept === undefined ? send : intercept(send),
      nameOf: remembering((table) => required(env, tableVariable(table))),
      random,
      sleep,
    }),
    now: () => instantOf(clockMs()),
    newId: idsFrom(clockMs, simulated === undefined ? undefined : random),
    random,
    sleep,
  };
};

/** Commits changes of any capabilities in ONE transaction, with one outbox item for all they have to say. */
export const commitChanges = <P extends ProblemName>(
  { tables }: Runtime,
  cause: Cause,
  changes: readonly Change<P>[],
  guards: readonly Part<P>[] = [],
): Promise<Result<void, P | 'too-busy'>> =>
  tables.commit([
    ...guards,
    ...changes.flatMap(({ parts }) => parts),
    ...outboxPart(
      changes.flatMap(({ facts }) => facts),
      cause,
    ),
  ]);

import { type AwsClient, AwsError } from '../../shared/aws.ts';
import type { Connection } from '../../shared/connection.ts';
import type { DynamoOperation } from '../../shared/dynamo.ts';
import type { Chance } from './chance.ts';
import type { Engine } from './engines.ts';
import type { Fate, Faults } from './faults.ts';
import type { WireAnswer } from './memory-dynamo.ts';
import type { Scheduler } from './scheduler.ts';

/** Where a call comes from: one running process. Dead, it never gets another answer. */
export interface Process {
  name: string;
  isDead: boolean;
}

/** One side effect, or one read, of a process on its way out. */
export interface Outgoing {
  process: Process;
  /** e.g. `TransactWriteItems`, `PutEvents`, `StartExecution`. */
  what: string;
  isWrite: boolean;
}

export interface WireOptions {
  scheduler: Scheduler;
  chance: Chance;
  engine: Engine;
  faults(): Faults;
  /** Decides instead of chance; undefined leaves it to chance. */
  fate?: ((call: Outgoing) => Fate | undefined) | undefined;
  /** A planted mistake: what met a conflict is taken for done. */
  ignoresConflicts: boolean;
  /** A put that was carried out. */
  written(table: string, item: Record<string, unknown>): void;
  /** Something was written somewhere. */
  changed(): void;
}

const LATENCY_MS = { min: 1, max: 12 };
/** How long a request of the product waits for DynamoDB (shared/aws.ts). */
const TIMEOUT_MS = 5_000;
const TOKEN_KEPT_MS = 600_000;

/** Each time another one: whoever waits for a promise is remembered by it, and with them all that they know. */
const never = (): Promise<never> => new Promise(() => {});

const networkError = (name: string): Error => Object.assign(new Error(name), { name });

interface TransactPut {
  Put?: { TableName: string; Item: Record<string, unknown> };
}

/** Everything between processes and the services that they call, with all that can go wrong there. */
export class Wire {
  readonly #options: WireOptions;
  /** Transactions by their client request token: for ten minutes, the same token is the same transaction (rule 4). */
  readonly #tokens = new Map<string, number>();
  calls = 0;
  readonly fates = new Map<Fate, number>();

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /**
   * Carries out `act` at the other end, sooner or later, or not, and answers, or not. `act` is one step: nothing else
   * happens while it runs.
   */
  async through<T>(call: Outgoing, act: () => T | Promise<T>, refuse?: (fate: Fate) => T | undefined): Promise<T> {
    const { scheduler, chance } = this.#options;
    const { process, what } = call;
    if (process.isDead) return never();
    this.calls += 1;
    const fate = this.#fateOf(call);
    this.fates.set(fate, (this.fates.get(fate) ?? 0) + 1);
    if (fate !== 'works') scheduler.note(`${process.name} ${what}: ${fate}`);
    const there = (): number => chance.between(LATENCY_MS.min, LATENCY_MS.max);
    if (fate === 'caller dies before') return this.#die(process);
    if (fate === 'caller sleeps before') await scheduler.sleep(chance.between(20_000, 1_200_000));
    await scheduler.sleep(fate === 'is slow' ? chance.between(500, 4_000) : there());
    if (process.isDead) return never();
    const refusal = refuse?.(fate);
    if (refusal !== undefined) return refusal;
    if (fate === 'never arrives') throw networkError('ECONNRESET');
    if (fate === 'arrives late') {
      // Nobody hears what comes of it.
      scheduler.after(chance.between(1_000, 90_000), () => void scheduler.outside(act).catch(() => {}));
      await scheduler.sleep(TIMEOUT_MS);
      throw networkError('TimeoutError');
    }
    const answer = await scheduler.outside(act);
    if (fate === 'caller dies after') return this.#die(process);
    if (fate === 'answer is lost') throw networkError('ECONNRESET');
    if (fate === 'caller sleeps after') await scheduler.sleep(chance.between(20_000, 1_200_000));
    return process.isDead ? never() : answer;
  }

  /** DynamoDB as shared/aws.ts reaches it: a client that says who calls, and a connection, which is this wire. */
  dynamoFor(process: Process): { client: AwsClient; connection: Connection } {
    const config = {
      credentials: async () => ({ accessKeyId: 'simulated', secretAccessKey: 'simulated' }),
      region: async () => 'ap-northeast-2',
      endpoint: async () => ({ protocol: 'http:', hostname: 'simulated' }),
    };
    const send: Connection['send'] = async (request) => {
      const operation = request.headers[request.headers.indexOf('x-amz-target') + 1]!.split('.')[1] as DynamoOperation;
      const { status, body } = await this.#dynamo(process, operation, JSON.parse(request.body));
      return { status, text: JSON.stringify(body) };
    };
    return { client: { config }, connection: { send } };
  }

  #fateOf(call: Outgoing): Fate {
    const { chance, fate, faults } = this.#options;
    return fate?.(call) ?? chance.weighted(faults().fates);
  }

  #die(process: Process): Promise<never> {
    process.isDead = true;
    return never();
  }

  #dynamo(process: Process, operation: DynamoOperation, input: Record<string, unknown>): Promise<WireAnswer> {
    const isWrite = !['GetItem', 'Query', 'TransactGetItems'].includes(operation);
    const isTransaction = operation === 'TransactGetItems' || operation === 'TransactWriteItems';
    return this.through<WireAnswer>(
      { process, what: operation, isWrite },
      () => this.#carryOut(operation, input),
      (fate) => {
        const parts = (input.TransactItems as unknown[] | undefined)?.length ?? 0;
        if (fate === 'is throttled')
          return isTransaction ? cancelled('ThrottlingError', parts) : failure('ThrottlingException');
        if (fate === 'fails inside') return failure('InternalServerError', 500);
        // Plain reads and batches of deletes conflict with nobody.
        if (fate !== 'conflicts' || ['GetItem', 'Query', 'BatchWriteItem'].includes(operation)) return undefined;
        if (this.#options.ignoresConflicts && isWrite) return { status: 200, body: {} };
        return isTransaction ? cancelled('TransactionConflict', parts) : failure('TransactionConflictException');
      },
    );
  }

  #carryOut(operation: DynamoOperation, input: Record<string, unknown>): WireAnswer | Promise<WireAnswer> {
    const { engine, scheduler } = this.#options;
    const { ClientRequestToken: token, ...call } = input;
    if (typeof token === 'string') {
      const carriedOutAt = this.#tokens.get(token);
      if (carriedOutAt !== undefined && scheduler.nowMs - carriedOutAt < TOKEN_KEPT_MS)
        return { status: 200, body: {} };
    }
    const heard = (answer: WireAnswer): WireAnswer => {
      if (answer.status === 200) this.#carriedOut(operation, call, token);
      return answer;
    };
    const answer = engine.call(operation, call);
    return answer instanceof Promise ? answer.then(heard) : heard(answer);
  }

  #carriedOut(operation: DynamoOperation, call: Record<string, unknown>, token: unknown): void {
    const { scheduler, written, changed } = this.#options;
    if (typeof token === 'string') this.#tokens.set(token, scheduler.nowMs);
    const puts: TransactPut[] =
      operation === 'TransactWriteItems'
        ? (call.TransactItems as TransactPut[])
        : operation === 'PutItem'
          ? [{ Put: call as never }]
          : [];
    for (const { Put } of puts) if (Put !== undefined) written(Put.TableName, Put.Item);
    if (!['GetItem', 'Query', 'TransactGetItems'].includes(operation)) changed();
  }
}

const failure = (name: string, status = 400): WireAnswer => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'made up by the simulation' },
});

const cancelled = (code: string, parts: number): WireAnswer => {
  const reasons = Array.from({ length: parts }, (_, part) => ({ Code: part === parts - 1 ? code : 'None' }));
  const { status, body } = failure(new AwsError('TransactionCanceledException', '', []).name);
  return { status, body: { ...body, CancellationReasons: reasons } };
};

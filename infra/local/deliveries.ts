import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  destinationLetter,
  functionLetter,
  isFunctionFailure,
  isPermanent,
  type Letter,
  ruleLetter,
} from './dead-letters.ts';
import { transaction } from './journal.ts';
import { Lanes } from './lanes.ts';
import type { Resource } from './template.ts';

/** What the event modules need of the function host: `invoke` rejects with an error that has `errorType` when code failed. */
export interface Functions {
  invoke(functionArn: string, event: unknown): Promise<unknown>;
}

/** Sends one message; resolves once it is durable. Attributes become SQS message attributes of type String. */
export type SendMessage = (
  queueArn: string,
  body: string,
  options?: { attributes?: Record<string, string>; groupId?: string },
) => Promise<unknown>;

/** How a sender (a rule) wants the hand-over retried, and where what cannot be handed over goes. */
export interface SendPolicy {
  ruleArn: string;
  maximumRetryAttempts: number;
  maximumAgeSeconds: number;
  deadLetterArn?: string;
  /** For FIFO queue targets. */
  groupId?: string;
}

interface NewDelivery {
  /** ARN of a function, a state machine or a queue. */
  targetArn: string;
  /** The input as JSON text. */
  input: string;
  /** `input`, parsed, when the caller has it at hand; nobody writes to it. */
  event?: unknown;
  /** Key of a policy given to `definePolicy`. */
  policy?: string;
}

interface DeliveriesOptions {
  journal: DatabaseSync;
  functions: Functions;
  startExecution?: (input: { stateMachineArn: string; name: string; input: string }) => unknown;
  send: SendMessage;
  /** AWS::Lambda::EventInvokeConfig */
  invokeConfigs?: Resource[];
  /** AWS::Lambda::Function: says which functions there are, and their DeadLetterConfig. */
  functionResources?: Resource[];
  /** Deliveries to one target at the same time. */
  concurrency?: number;
  /** Wait before the first retry; doubles with each one. AWS waits a minute, which nobody wants to watch. */
  retryMilliseconds?: number;
  now?: () => number;
}

interface InvokePolicy {
  maximumRetryAttempts: number;
  maximumAgeSeconds: number;
  /** EventInvokeConfig's on-failure destination. */
  onFailureArn?: string;
  /** The function's own DeadLetterConfig. */
  deadLetterArn?: string;
}

interface Pending {
  id: number;
  targetArn: string;
  /** Absent while many are waiting: read from the journal when its turn comes. */
  input?: string;
  event?: unknown;
  policy?: string | undefined;
  createdAt: number;
  /** Failed attempts so far. */
  attempts: number;
}

/** Inputs kept in memory; beyond this only their ids are. */
const INPUTS_IN_MEMORY = 5_000;
const MAXIMUM_WAIT_MILLISECONDS = 30_000;
/** What AWS does when the template says nothing. */
const SEND_DEFAULTS = { maximumRetryAttempts: 185, maximumAgeSeconds: 24 * 3600 };
const INVOKE_DEFAULTS: InvokePolicy = { maximumRetryAttempts: 2, maximumAgeSeconds: 6 * 3600 };

/**
 * The durable queue behind asynchronous invocations and rule targets. What it took over is delivered at least once,
 * also after a kill: construct it again on the same journal and it goes on with what was left.
 *
 * Two policies apply, as on AWS: the rule's (RetryPolicy, DeadLetterConfig) when a target cannot be reached, the
 * function's (EventInvokeConfig, DeadLetterConfig) when its code fails. A failure without a destination is dropped
 * after its retries, and said so on stderr.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #now: () => number;
  readonly #policies = new Map<string, SendPolicy>();
  readonly #invokePolicies: Map<string, InvokePolicy>;
  readonly #functionArns: Set<string> | undefined;
  readonly #lanes: Lanes<Pending>;
  readonly #statements: Record<'insert' | 'input' | 'count' | 'remove', StatementSync>;
  #finished: number[] = [];

  constructor(options: DeliveriesOptions) {
    const { journal } = options;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#invokePolicies = readInvokePolicies(options);
    this.#functionArns = options.functionResources && new Set(options.functionResources.map(({ arn }) => arn));
    this.#lanes = new Lanes(options.concurrency ?? 8, (delivery) => this.#attempt(delivery));
    journal.exec(`CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, targetArn TEXT NOT NULL,
      input TEXT NOT NULL, policy TEXT, createdAt INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0) STRICT`);
    this.#statements = {
      insert: journal.prepare('INSERT INTO deliveries (targetArn, input, policy, createdAt) VALUES (?, ?, ?, ?)'),
      input: journal.prepare('SELECT input FROM deliveries WHERE id = ?'),
      count: journal.prepare('UPDATE deliveries SET attempts = ? WHERE id = ?'),
      remove: journal.prepare('DELETE FROM deliveries WHERE id = ?'),
    };
    const left = journal.prepare('SELECT id, targetArn, policy, createdAt, attempts FROM deliveries ORDER BY id').all();
    for (const delivery of left as unknown as Pending[]) this.#lanes.add(delivery.targetArn, delivery);
  }

  /** Tells how deliveries with this key are to be retried; define them all in the tick of the construction. */
  definePolicy(key: string, policy: SendPolicy): void {
    this.#policies.set(key, policy);
  }

  /** Takes over a delivery for good: in the caller's transaction, if one is open. Handed over in a later tick. */
  add({ targetArn, input, event, policy }: NewDelivery): void {
    const createdAt = this.#now();
    const id = Number(this.#statements.insert.run(targetArn, input, policy ?? null, createdAt).lastInsertRowid);
    const delivery: Pending = { id, targetArn, policy, createdAt, attempts: 0 };
    if (this.#lanes.size < INPUTS_IN_MEMORY) {
      delivery.input = input;
      delivery.event = event;
    }
    this.#lanes.add(targetArn, delivery);
  }

  /** An asynchronous invocation, as `Invoke` with `InvocationType: Event`. */
  invokeAsync(functionArn: string, event: unknown): void {
    this.add({ targetArn: functionArn, input: JSON.stringify(event), event });
  }

  /** How many are on their way, waiting for a retry included. */
  pending(): number {
    return this.#lanes.size;
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await this.#lanes.idle();
    this.#flush();
  }

  /** Stops handing over; what is unfinished stays in the journal. Close it before the function host. */
  async close(): Promise<void> {
    await this.#lanes.close();
    this.#flush();
  }

  async #attempt(delivery: Pending): Promise<void> {
    const input = delivery.input ?? String(this.#statements.input.get(delivery.id)?.input);
    try {
      await this.#handOver(delivery, input);
      this.#finish(delivery);
    } catch (error) {
      if (!this.#lanes.closed) await this.#failed(delivery, input, error);
    }
  }

  async #handOver(delivery: Pending, input: string): Promise<unknown> {
    const { targetArn, createdAt, id } = delivery;
    const service = targetArn.split(':')[2];
    if (service === 'lambda' && (this.#functionArns?.has(targetArn) ?? true))
      return this.#options.functions.invoke(targetArn, delivery.event ?? JSON.parse(input));
    if (service === 'sqs') {
      const groupId = this.#policyOf(delivery)?.groupId;
      return this.#options.send(targetArn, input, groupId === undefined ? {} : { groupId });
    }
    if (service === 'states' && this.#options.startExecution)
      // One name a delivery: handed over again after a crash, it is the same execution.
      return this.#options.startExecution({ stateMachineArn: targetArn, name: `delivery-${createdAt}-${id}`, input });
    throw Object.assign(new Error(`No such target: ${targetArn}`), { name: 'ResourceNotFoundException' });
  }

  async #failed(delivery: Pending, input: string, error: unknown): Promise<void> {
    delivery.attempts += 1;
    const { targetArn, attempts } = delivery;
    const policy = isFunctionFailure(error)
      ? (this.#invokePolicies.get(targetArn) ?? INVOKE_DEFAULTS)
      : (this.#policyOf(delivery) ?? SEND_DEFAULTS);
    const tooOld = this.#now() - delivery.createdAt > policy.maximumAgeSeconds * 1000;
    if (tooOld || isPermanent(error) || attempts > policy.maximumRetryAttempts) {
      try {
        await this.#giveUp(delivery, input, error, tooOld);
        return this.#finish(delivery);
      } catch (reason) {
        console.error(`The dead letter of ${targetArn} could not be sent, trying again:`, reason);
      }
    }
    this.#statements.count.run(attempts, delivery.id);
    const wait = (this.#options.retryMilliseconds ?? 250) * 2 ** Math.min(attempts - 1, 20);
    this.#lanes.later(targetArn, delivery, Math.min(wait, MAXIMUM_WAIT_MILLISECONDS));
  }

  async #giveUp(delivery: Pending, input: string, error: unknown, tooOld: boolean): Promise<void> {
    const { targetArn, attempts } = delivery;
    const letters: Letter[] = [];
    if (isFunctionFailure(error)) {
      const { onFailureArn, deadLetterArn } = this.#invokePolicies.get(targetArn) ?? INVOKE_DEFAULTS;
      const facts = { functionArn: targetArn, input, error, attempts, tooOld, at: this.#now() };
      if (onFailureArn) letters.push(destinationLetter({ queueArn: onFailureArn, ...facts }));
      if (deadLetterArn) letters.push(functionLetter({ queueArn: deadLetterArn, ...facts }));
    } else {
      const policy = this.#policyOf(delivery);
      const facts = { targetArn, input, error, retries: attempts - 1, tooOld };
      if (policy?.deadLetterArn)
        letters.push(ruleLetter({ queueArn: policy.deadLetterArn, ruleArn: policy.ruleArn, ...facts }));
    }
    if (letters.length === 0)
      console.error(`Dropped an event for ${targetArn} after ${attempts} attempts (no failure destination): ${error}`);
    for (const { queueArn, body, attributes } of letters) await this.#options.send(queueArn, body, { attributes });
  }

  #policyOf(delivery: Pending): SendPolicy | undefined {
    return this.#policies.get(delivery.policy ?? '');
  }

  /** Several deliveries end in one transaction. A crash before it repeats them, which at-least-once allows. */
  #finish(delivery: Pending): void {
    if (this.#finished.push(delivery.id) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const ids = this.#finished;
    if (ids.length === 0) return;
    this.#finished = [];
    transaction(this.#options.journal, () => {
      for (const id of ids) this.#statements.remove.run(id);
    });
  }
}

/** EventInvokeConfig names its function by name or ARN. */
function readInvokePolicies({
  invokeConfigs = [],
  functionResources = [],
}: DeliveriesOptions): Map<string, InvokePolicy> {
  const policies = new Map<string, InvokePolicy>();
  for (const { arn, properties } of functionResources) {
    const deadLetterArn = properties.DeadLetterConfig?.TargetArn;
    if (deadLetterArn) policies.set(arn, { ...INVOKE_DEFAULTS, deadLetterArn });
  }
  for (const { id, properties } of invokeConfigs) {
    const named = String(properties.FunctionName);
    const functionArn = functionResources.find(({ name }) => name === named)?.arn ?? named;
    const onFailureArn = properties.DestinationConfig?.OnFailure?.Destination;
    if (onFailureArn && !onFailureArn.startsWith('arn:aws:sqs:'))
      throw new Error(`${id}: the local cloud sends failures to SQS queues only, not to ${onFailureArn}`);
    policies.set(functionArn, {
      ...policies.get(functionArn),
      maximumRetryAttempts: Number(properties.MaximumRetryAttempts ?? INVOKE_DEFAULTS.maximumRetryAttempts),
      maximumAgeSeconds: Number(properties.MaximumEventAgeInSeconds ?? INVOKE_DEFAULTS.maximumAgeSeconds),
      ...(onFailureArn ? { onFailureArn } : {}),
    });
  }
  return policies;
}

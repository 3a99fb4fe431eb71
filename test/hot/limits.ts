import type { DynamoOperation } from '../../shared/dynamo.ts';
import type { Chance } from '../simulation/chance.ts';
import type { MemoryDynamo, WireAnswer } from '../simulation/memory-dynamo.ts';
import type { Scheduler } from '../simulation/scheduler.ts';

/**
 * A model of what DynamoDB gives: each partition key has the throughput of a partition of its own (adaptive capacity
 * has isolated it, the worst and usual case of a hot item), a transaction costs twice and holds its items while it is
 * under way. Items are smaller than 1 KB when written and 4 KB when read.
 */
export const LIMITS = {
  /** Of one partition, documented by AWS. */
  writeUnitsPerSecond: 1_000,
  readUnitsPerSecond: 3_000,
  /** Units of a write of a transaction, and of a read of one. */
  transactionFactor: 2,
  /** One way, between a function and DynamoDB. */
  networkMs: { min: 1, max: 3 },
  /** From when a transaction holds its items until they are written. */
  transactionMs: { min: 4, max: 8 },
} as const;

/** Units that something gives: so many a second, and so many that are saved up. */
export class Bucket {
  #left: number;
  #atMs: number;
  readonly #perSecond: number;
  readonly #saved: number;

  constructor(perSecond: number, nowMs: number, saved = perSecond) {
    this.#perSecond = perSecond;
    this.#saved = saved;
    this.#left = saved;
    this.#atMs = nowMs;
  }

  /** False, and nothing is taken, where there are too few. */
  take(units: number, nowMs: number): boolean {
    this.#left = Math.min(this.#saved, this.#left + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#left < units) return false;
    this.#left -= units;
    return true;
  }
}

interface Write {
  TableName: string;
  Key?: { pk: { S: string }; sk: { S: string } };
  Item?: { pk: { S: string }; sk: { S: string } };
}

const keyOf = ({ TableName, Key, Item }: Write): { partition: string; item: string } => {
  const { pk, sk } = (Item ?? Key)!;
  const partition = `${TableName} ${pk.S}`;
  return { partition, item: `${partition} ${sk.S}` };
};

const refused = (name: string, reasons?: string[]): WireAnswer => ({
  status: 400,
  body: {
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: 'a limit of the model',
    ...(reasons === undefined ? {} : { CancellationReasons: reasons.map((Code) => ({ Code })) }),
  },
});

const cancelled = (codes: string[]): WireAnswer | undefined =>
  codes.some((code) => code !== 'None') ? refused('TransactionCanceledException', codes) : undefined;

/** What happened at DynamoDB's end. */
export interface Counts {
  calls: number;
  conflicts: number;
  throttled: number;
}

/** DynamoDB behind a network and its limits, on virtual time. */
export class LimitedDynamo {
  readonly counts: Counts = { calls: 0, conflicts: 0, throttled: 0 };
  readonly #memory: MemoryDynamo;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #buckets = new Map<string, Bucket>();
  /** Items that a transaction under way is writing. */
  readonly #held = new Set<string>();

  constructor(memory: MemoryDynamo, scheduler: Scheduler, chance: Chance) {
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  async call(operation: DynamoOperation, input: object): Promise<WireAnswer> {
    const { min, max } = LIMITS.networkMs;
    this.counts.calls += 1;
    await this.#scheduler.sleep(this.#chance.between(min, max));
    const answer = await this.#serve(operation, input as Record<string, unknown>);
    await this.#scheduler.sleep(this.#chance.between(min, max));
    return answer;
  }

  #serve(operation: DynamoOperation, input: Record<string, unknown>): WireAnswer | Promise<WireAnswer> {
    switch (operation) {
      case 'TransactWriteItems':
        return this.#write(
          (input.TransactItems as Record<string, Write>[]).map((item) => Object.values(item)[0]!),
          input,
        );
      case 'TransactGetItems':
        return this.#snapshot(input);
      case 'GetItem':
        return this.#read(operation, keyOf(input as never).partition, 1, input);
      case 'Query': {
        const { TableName, IndexName, ConsistentRead, ExpressionAttributeValues } = input;
        const pk = (ExpressionAttributeValues as Record<string, { S: string }>)[':0']!.S;
        return this.#read(operation, `${TableName} ${IndexName ?? ''}${pk}`, ConsistentRead === true ? 1 : 0.5, input);
      }
      case 'BatchWriteItem':
        return this.#memory.call(operation, input);
      default:
        return this.#writeAlone(operation, input);
    }
  }

  #gives(kind: 'read' | 'write', partition: string, units: number): boolean {
    const id = `${kind} ${partition}`;
    const perSecond = kind === 'read' ? LIMITS.readUnitsPerSecond : LIMITS.writeUnitsPerSecond;
    const bucket = this.#buckets.get(id) ?? new Bucket(perSecond, this.#scheduler.nowMs);
    this.#buckets.set(id, bucket);
    const gives = bucket.take(units, this.#scheduler.nowMs);
    if (!gives) this.counts.throttled += 1;
    return gives;
  }

  #read(operation: DynamoOperation, partition: string, units: number, input: object): WireAnswer {
    return this.#gives('read', partition, units)
      ? this.#memory.call(operation, input)
      : refused('ProvisionedThroughputExceededException');
  }

  #writeAlone(operation: DynamoOperation, input: object): WireAnswer {
    const { partition, item } = keyOf(input as Write);
    if (this.#held.has(item)) {
      this.counts.conflicts += 1;
      return refused('TransactionConflictException');
    }
    return this.#gives('write', partition, 1)
      ? this.#memory.call(operation, input)
      : refused('ProvisionedThroughputExceededException');
  }

  #snapshot(input: Record<string, unknown>): WireAnswer {
    const keys = (input.TransactItems as { Get: Write }[]).map(({ Get }) => keyOf(Get));
    return this.#cancelled(keys, 'read') ?? this.#memory.call('TransactGetItems', input);
  }

  #cancelled(keys: readonly { partition: string; item: string }[], kind: 'read' | 'write'): WireAnswer | undefined {
    const conflict = cancelled(keys.map(({ item }) => (this.#held.has(item) ? 'TransactionConflict' : 'None')));
    if (conflict !== undefined) {
      this.counts.conflicts += 1;
      return conflict;
    }
    return cancelled(
      keys.map(({ partition }) =>
        this.#gives(kind, partition, LIMITS.transactionFactor) ? 'None' : 'ThrottlingError',
      ),
    );
  }

  async #write(writes: readonly Write[], input: object): Promise<WireAnswer> {
    const keys = writes.map(keyOf);
    const refusal = this.#cancelled(keys, 'write');
    if (refusal !== undefined) return refusal;
    for (const { item } of keys) this.#held.add(item);
    const { min, max } = LIMITS.transactionMs;
    await this.#scheduler.sleep(this.#chance.between(min, max));
    for (const { item } of keys) this.#held.delete(item);
    return this.#memory.call('TransactWriteItems', input);
  }
}

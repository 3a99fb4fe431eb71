import { batchLetter, isFunctionFailure } from './dead-letters.ts';
import type { Functions, SendMessage } from './deliveries.ts';
import { compilePattern, type Matcher } from './patterns.ts';
import { changesNothing, type Stream, type StreamRecord, type StreamSource } from './stream-source.ts';
import type { Resource } from './template.ts';

interface MappingOptions {
  mapping: Resource;
  /** AWS::DynamoDB tables, for the stream's view type. */
  tables: Resource[];
  source: StreamSource;
  functions: Functions;
  send: SendMessage;
  /** Reads and writes the durable position. */
  checkpoint: { read(): number | undefined; write(position: number): void };
  /** Wait before the first retry of a batch; doubles with each one. */
  retryMilliseconds: number;
  now: () => number;
}

/** A run of records that fails or succeeds together, and how often it has failed. */
interface Batch {
  records: StreamRecord[];
  failures: number;
}

const PAGE_RECORDS = 1_000;
const CLOSE_MILLISECONDS = 1_000;
const MAXIMUM_WAIT_MILLISECONDS = 10_000;

/**
 * One event source mapping: reads its stream in order from its checkpoint, filters, and invokes its function one batch
 * at a time, with Lambda's rules for batches that fail. The checkpoint moves only past what was handled or given up.
 */
export class StreamMapping {
  readonly table: string;
  readonly key: string;
  readonly #options: MappingOptions;
  readonly #stream: Stream;
  readonly #functionArn: string;
  readonly #matches: Matcher;
  readonly #batchSize: number;
  readonly #windowMilliseconds: number;
  #position = 0;
  #saved = 0;
  #running: Promise<void> | undefined;
  #awakeAgain = false;
  #closing = new AbortController();
  #closed = false;

  constructor(options: MappingOptions) {
    this.#options = options;
    const { id, stack, properties } = options.mapping;
    const arn = String(properties.EventSourceArn);
    const found = /^arn:[^:]*:dynamodb:([^:]*):([^:]*):table\/([^/]+)\/stream\//.exec(arn);
    if (!found) throw new Error(`${stack}/${id}: event source mappings read table streams here, not ${arn}`);
    const [, region = '', account = '', table = ''] = found;
    const specification = options.tables.find(({ name }) => name === table)?.properties.StreamSpecification;
    const named = String(properties.FunctionName);
    this.#functionArn = named.startsWith('arn:') ? named : `arn:aws:lambda:${region}:${account}:function:${named}`;
    this.#stream = { table, arn, region, viewType: specification?.StreamViewType ?? 'NEW_AND_OLD_IMAGES' };
    this.table = table;
    this.key = keyOf(options.mapping);
    this.#matches = filterOf(options.mapping);
    this.#batchSize = Number(properties.BatchSize ?? 100);
    this.#windowMilliseconds = Number(properties.MaximumBatchingWindowInSeconds ?? 0) * 1000;
  }

  /** What has been read and needs no second look; everything up to here may be trimmed. */
  get position(): number {
    return this.#position;
  }

  /** Finds the place to go on from. LATEST is made durable at once, so that a restart skips nothing. */
  async open(): Promise<void> {
    const { checkpoint, mapping, source } = this.#options;
    const latest = await source.latest(this.table);
    const read = checkpoint.read();
    // A checkpoint beyond the newest record belongs to tables that somebody has removed since.
    const saved = read !== undefined && read <= latest ? read : undefined;
    this.#position = saved ?? (mapping.properties.StartingPosition === 'LATEST' && read === undefined ? latest : 0);
    this.#saved = saved ?? -1;
    this.save();
  }

  /** There may be new records. */
  wake(): void {
    if (this.#running) this.#awakeAgain = true;
    else if (!this.#closing.signal.aborted)
      this.#running = this.#drain()
        .catch((error: unknown) => console.error(`${this.key} stopped reading its stream:`, error))
        .finally(() => {
          this.#running = undefined;
          if (this.#awakeAgain) {
            this.#awakeAgain = false;
            this.wake();
          }
        });
  }

  /** Resolves when it has nothing in hand; undefined when that is so already. */
  busy(): Promise<void> | undefined {
    return this.#running;
  }

  /** Makes the position durable, for records that were only skipped. */
  save(): void {
    if (this.#position === this.#saved) return;
    this.#options.checkpoint.write(this.#position);
    this.#saved = this.#position;
  }

  /** Waits for a batch on its way, but not longer than a second: it is repeated at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, CLOSE_MILLISECONDS).unref())]);
    this.#closed = true;
  }

  async #drain(): Promise<void> {
    let windowEnds = 0;
    while (!this.#closing.signal.aborted) {
      const limit = Math.max(this.#batchSize, PAGE_RECORDS);
      const page = await this.#options.source.read(this.#stream, this.#position, limit);
      const last = page.at(-1);
      if (!last) return;
      const wanted = page.filter((record) => this.#matches(record) && !changesNothing(record));
      if (wanted.length > 0 && wanted.length < this.#batchSize && page.length < limit && this.#windowMilliseconds > 0) {
        windowEnds ||= this.#options.now() + this.#windowMilliseconds;
        const left = windowEnds - this.#options.now();
        if (left > 0) {
          await this.#wait(Math.min(left, 100));
          continue;
        }
      }
      windowEnds = 0;
      for (let at = 0; at < wanted.length; at += this.#batchSize)
        await this.#handle({ records: wanted.slice(at, at + this.#batchSize), failures: 0 });
      if (this.#closing.signal.aborted) return;
      this.#position = sequenceOf(last);
      if (wanted.length > 0) this.save();
      // What was written meanwhile is found by the next look, as one batch.
      if (page.length < limit) return;
    }
  }

  /** Ends when each record is handled or given up, or when the mapping closes. */
  async #handle(batch: Batch): Promise<void> {
    const parts = [batch];
    for (let part = parts[0]; part && !this.#closing.signal.aborted; part = parts[0]) {
      const failedAt = await this.#invoke(part.records);
      if (this.#closed || (this.#closing.signal.aborted && failedAt !== undefined)) return;
      if (failedAt === undefined) {
        parts.shift();
        this.#passed(part.records);
        continue;
      }
      this.#passed(part.records.slice(0, failedAt));
      parts.splice(0, 1, ...(await this.#afterFailure(part, failedAt)));
    }
  }

  /** What is left to try of a batch whose record `failedAt` failed. */
  async #afterFailure(part: Batch, failedAt: number): Promise<Batch[]> {
    const { properties } = this.#options.mapping;
    const records = part.records.slice(failedAt);
    const maximumRetries = unlimited(properties.MaximumRetryAttempts);
    const maximumAgeSeconds = unlimited(properties.MaximumRecordAgeInSeconds);
    if (properties.BisectBatchOnFunctionError && part.records.length > 1) {
      // Lambda does not count a bisection as a retry. What succeeded in front of the failure is one already.
      const half = failedAt > 0 ? 0 : Math.ceil(records.length / 2);
      await this.#wait(this.#options.retryMilliseconds);
      return [records.slice(0, half), records.slice(half)]
        .filter((each) => each.length > 0)
        .map((each) => ({ records: each, failures: part.failures }));
    }
    const failures = part.failures + 1;
    const ageSeconds = this.#options.now() / 1000 - records[0]!.dynamodb.ApproximateCreationDateTime;
    const tooOld = ageSeconds > maximumAgeSeconds;
    if (tooOld || failures > maximumRetries) {
      await this.#giveUp(records, failures, tooOld);
      return [];
    }
    const wait = this.#options.retryMilliseconds * 2 ** Math.min(failures - 1, 20);
    await this.#wait(Math.min(wait, MAXIMUM_WAIT_MILLISECONDS));
    return [{ records, failures }];
  }

  /** Index of the first record that failed; undefined when all are handled. */
  async #invoke(records: StreamRecord[]): Promise<number | undefined> {
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      try {
        const answer = await this.#options.functions.invoke(this.#functionArn, { Records: records });
        const reports = this.#options.mapping.properties.FunctionResponseTypes?.includes('ReportBatchItemFailures');
        return reports ? firstFailure(answer, records) : undefined;
      } catch (error) {
        if (isFunctionFailure(error)) return 0;
        // The function was not reached: no fault of the batch, and no attempt of it.
        if (attempt === 0) console.error(`${this.key} does not reach its function, trying again:`, error);
        await this.#wait(Math.min(this.#options.retryMilliseconds * 2 ** attempt, MAXIMUM_WAIT_MILLISECONDS));
      }
    }
    return 0;
  }

  async #giveUp(records: StreamRecord[], failures: number, tooOld: boolean): Promise<void> {
    const queueArn = this.#options.mapping.properties.DestinationConfig?.OnFailure?.Destination;
    if (queueArn === undefined) {
      console.error(
        `${this.key} dropped ${records.length} records after ${failures} attempts (no failure destination)`,
      );
    } else {
      const { body } = batchLetter({
        queueArn,
        functionArn: this.#functionArn,
        streamArn: this.#stream.arn,
        condition: tooOld ? 'RecordAgeExceeded' : 'RetryAttemptsExhausted',
        invokeCount: failures,
        records: records.map(({ dynamodb }) => dynamodb),
        at: this.#options.now(),
      });
      await this.#options.send(queueArn, body);
    }
    this.#passed(records);
  }

  #passed(records: StreamRecord[]): void {
    const last = records.at(-1);
    if (!last) return;
    this.#position = sequenceOf(last);
    this.save();
  }

  /** Ends early when the mapping closes. */
  async #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal.addEventListener('abort', end);
    });
  }
}

/** Outlives a change of the logical id, which CDK makes up: one function reads one table once. */
const keyOf = ({ properties }: Resource): string =>
  `${String(properties.FunctionName).split(':').at(-1)} on ${String(properties.EventSourceArn).split('/')[1]}`;

const sequenceOf = ({ dynamodb }: StreamRecord): number => Number(dynamodb.SequenceNumber);

/** -1, the default, means without end. */
const unlimited = (value: unknown): number => {
  const number = Number(value ?? -1);
  return number < 0 ? Number.POSITIVE_INFINITY : number;
};

function filterOf({ stack, id, properties }: Resource): Matcher {
  const filters: { Pattern: unknown }[] = properties.FilterCriteria?.Filters ?? [];
  try {
    const matchers = filters.map(({ Pattern }) =>
      compilePattern(typeof Pattern === 'string' ? JSON.parse(Pattern) : Pattern),
    );
    return matchers.length === 0 ? () => true : (record) => matchers.some((matches) => matches(record));
  } catch (error) {
    throw new Error(`${stack}/${id}: ${(error as Error).message}`);
  }
}

/** Reads the answer of a function that reports failures one by one; an answer that makes no sense fails the batch. */
function firstFailure(answer: unknown, records: StreamRecord[]): number | undefined {
  const failures = (answer as { batchItemFailures?: { itemIdentifier?: string }[] | null } | null | undefined)
    ?.batchItemFailures;
  if (!Array.isArray(failures) || failures.length === 0) return undefined;
  const indexes = failures.map(({ itemIdentifier }) =>
    records.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === itemIdentifier),
  );
  return Math.max(0, Math.min(...indexes));
}

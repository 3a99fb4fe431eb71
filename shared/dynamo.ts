import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Checksum, SourceData } from '@smithy/types';

/** Operations of DynamoDB that tables are made of. */
export type DynamoOperation =
  | 'GetItem'
  | 'Query'
  | 'TransactGetItems'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'TransactWriteItems'
  | 'BatchWriteItem';

/** One call, in DynamoDB's own JSON. Tests wrap it to count, fail, delay or lose calls. */
export type Send = <O>(operation: DynamoOperation, input: object) => Promise<O>;

/** DynamoDB refused: `name` is its code, e.g. `TransactionCanceledException`. */
export class DynamoError extends Error {
  readonly CancellationReasons: { Code?: string }[];
  /** How often the call was sent; more than once means that an earlier attempt may have been carried out. */
  attempts = 1;

  constructor(name: string, message: string, reasons: { Code?: string }[]) {
    super(message);
    this.name = name;
    this.CancellationReasons = reasons;
  }
}

/** Attempts of one call. Throttling and network faults are retried here and nowhere else (rule 5). */
const ATTEMPTS_MAX = 6;
const RETRY_BASE_MS = 25;
const RETRY_CAP_MS = 1_000;
const TIMEOUT_MS = 5_000;
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'InternalServerError',
]);

const keyObjects = new WeakMap<object, KeyObject>();

const keyObjectOf = (secret: Uint8Array): KeyObject => {
  const known = keyObjects.get(secret);
  if (known !== undefined) return known;
  const made = createSecretKey(secret);
  keyObjects.set(secret, made);
  return made;
};

/** SHA-256 as the SDK's signer wants it. Its signing key lasts a day: the key object is made once, not for each call. */
class Sha256 implements Checksum {
  readonly #key: KeyObject | undefined;
  #data = Buffer.alloc(0);

  constructor(secret?: SourceData) {
    if (typeof secret === 'string') this.#key = createSecretKey(Buffer.from(secret));
    else if (secret !== undefined) this.#key = keyObjectOf(secret as Uint8Array);
  }

  update(chunk: Uint8Array): void {
    this.#data = this.#data.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#data, chunk]);
  }

  async digest(): Promise<Uint8Array> {
    return this.#key === undefined
      ? hash('sha256', this.#data, 'buffer')
      : createHmac('sha256', this.#key).update(this.#data).digest();
  }

  reset(): void {
    this.#data = Buffer.alloc(0);
  }
}

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const errorOf = (status: number, text: string): DynamoError & { isTransient: boolean } => {
  let body: { __type?: string; message?: string; Message?: string; CancellationReasons?: { Code?: string }[] } = {};
  try {
    body = JSON.parse(text);
  } catch {}
  const name = body.__type?.split('#').at(-1) ?? `HTTP ${status}`;
  const error = new DynamoError(name, body.message ?? body.Message ?? text, body.CancellationReasons ?? []);
  return Object.assign(error, { isTransient: status >= 500 || THROTTLED.has(name) });
};

/** Where the client sends to: its own endpoint if it was given one, AWS's for its region otherwise. */
const endpointOf = async ({
  config,
}: DynamoDBClient): Promise<{ protocol: string; hostname: string; port?: number }> => {
  if (config.endpoint !== undefined) {
    const { protocol, hostname, port } = await config.endpoint();
    return port === undefined ? { protocol, hostname } : { protocol, hostname, port };
  }
  const Region = await config.region();
  const { url } = config.endpointProvider({ Region, UseDualStack: false, UseFIPS: false });
  return { protocol: url.protocol, hostname: url.hostname };
};

interface Chance {
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** One attempt at a call: its HTTP status and the text of its answer. */
type Attempt = (operation: DynamoOperation, body: string) => Promise<{ status: number; text: string }>;

/** Tries a call again where it was throttled or got no answer; what DynamoDB refuses is thrown as DynamoError. */
export const retrying =
  (attempt: Attempt, { random, sleep }: Chance): Send =>
  async <O>(operation: DynamoOperation, input: object): Promise<O> => {
    const body = JSON.stringify(input);
    for (let tried = 1; ; tried += 1) {
      let failure: Error & { isTransient?: boolean; attempts?: number };
      try {
        const { status, text } = await attempt(operation, body);
        if (status === 200) return JSON.parse(text) as O;
        failure = errorOf(status, text);
      } catch (error) {
        // No answer: it may have been carried out. Whoever sends something that must not be done twice gives a token.
        failure = Object.assign(error as Error, { isTransient: (error as Error).name !== 'AccessDeniedException' });
      }
      failure.attempts = tried;
      if (failure.isTransient !== true || tried >= ATTEMPTS_MAX) throw failure;
      await sleep(random() * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** tried));
    }
  };

/**
 * Calls DynamoDB over an SDK client's connection: its credentials, region, endpoint and HTTP handler, without its
 * command middleware, which costs several times the CPU of the call itself (ADR 10).
 *
 * @throws DynamoError for what DynamoDB refuses, the network's own error once the attempts are used up
 */
export const senderOf = (client: DynamoDBClient, chance: Chance): Send => {
  const { credentials, region, requestHandler } = client.config;
  const signer = new SignatureV4({ credentials, region, sha256: Sha256, service: 'dynamodb', applyChecksum: false });
  let endpoint: ReturnType<typeof endpointOf> | undefined;

  const attempt: Attempt = async (operation, body) => {
    endpoint ??= endpointOf(client);
    const { protocol, hostname, port } = await endpoint;
    const request = new HttpRequest({
      ...{ protocol, hostname, method: 'POST', path: '/', body },
      ...(port === undefined ? {} : { port }),
      headers: {
        host: port === undefined ? hostname : `${hostname}:${port}`,
        'content-type': 'application/x-amz-json-1.0',
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
    });
    const signed = await signer.sign(request);
    const { response } = await requestHandler.handle(signed as HttpRequest, { requestTimeout: TIMEOUT_MS });
    return { status: response.statusCode, text: await textOf(response.body) };
  };

  return retrying(attempt, chance);
};

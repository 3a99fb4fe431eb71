import type { Connection } from './connection.ts';
import { type Credentials, signerFor } from './signing.ts';

/** An AWS service as its JSON protocol names it. */
export interface AwsApi {
  /** In signatures. */
  service: string;
  /** In front of the operation's name, in `x-amz-target`. */
  target: string;
  json: '1.0' | '1.1';
}

interface Address {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/** The configuration of an SDK client: whose it is and where it sends to. */
export interface AwsClient {
  config: {
    credentials(): Promise<Credentials>;
    region(): Promise<string>;
    endpoint?: (() => Promise<Address>) | undefined;
    endpointProvider?(at: { Region: string; UseDualStack: boolean; UseFIPS: boolean }): { url: URL };
  };
}

/** AWS refused: `name` is its code, e.g. `TransactionCanceledException`. */
export class AwsError extends Error {
  readonly CancellationReasons: { Code?: string }[];
  /** How often the call was sent; more than once means that an earlier attempt may have been carried out. */
  attempts = 1;

  constructor(name: string, message: string, reasons: { Code?: string }[] = []) {
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

const errorOf = (status: number, text: string): AwsError & { isTransient: boolean } => {
  let body: { __type?: string; message?: string; Message?: string; CancellationReasons?: { Code?: string }[] } = {};
  try {
    body = JSON.parse(text);
  } catch {}
  const name = body.__type?.split('#').at(-1) ?? `HTTP ${status}`;
  const error = new AwsError(name, body.message ?? body.Message ?? text, body.CancellationReasons);
  return Object.assign(error, { isTransient: status >= 500 || THROTTLED.has(name) });
};

/** Where the client sends to: its own endpoint if it was given one, AWS's for its region otherwise. */
const addressOf = async ({ config }: AwsClient): Promise<Address> => {
  if (config.endpoint !== undefined) return config.endpoint();
  const Region = await config.region();
  const { url } = config.endpointProvider!({ Region, UseDualStack: false, UseFIPS: false });
  return { protocol: url.protocol, hostname: url.hostname };
};

/** The wire, time and chance of whoever calls. */
export interface Surroundings {
  connection: Connection;
  clockMs(): number;
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** One attempt at a call. Credentials and region are the SDK's to look up, and to renew. */
const attemptOf = (
  client: AwsClient,
  { service, target, json }: AwsApi,
  { connection, clockMs }: Surroundings,
): Attempt => {
  const { credentials, region } = client.config;
  const sign = signerFor(service);
  let address: Promise<Address> | undefined;
  return async (operation, body) => {
    address ??= addressOf(client);
    const { protocol, hostname, port } = await address;
    const unsigned = {
      'content-type': `application/x-amz-json-${json}`,
      host: port === undefined ? hostname : `${hostname}:${port}`,
      'x-amz-target': `${target}.${operation}`,
    };
    const headers = sign({ headers: unsigned, body }, await region(), await credentials(), clockMs());
    headers['content-length'] = String(Buffer.byteLength(body));
    const request = { protocol, hostname, port, method: 'POST', path: '/', headers, body };
    return connection.send(request, TIMEOUT_MS);
  };
};

/** One attempt at a call: its HTTP status and the text of its answer. */
export type Attempt = (operation: string, body: string) => Promise<{ status: number; text: string }>;

/**
 * Tries a call again where it was throttled or got no answer.
 *
 * @throws AwsError for what AWS refuses, the network's own error once the attempts are used up
 */
export const retrying =
  <Operation extends string>(attempt: Attempt, { random, sleep }: Pick<Surroundings, 'random' | 'sleep'>) =>
  async <O>(operation: Operation, input: object): Promise<O> => {
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
 * Calls a service of AWS with an SDK client's credentials, region and endpoint rules, without its command middleware,
 * which costs several times the CPU of the call itself (ADR 10, ADR 17).
 */
export const callerOf = <Operation extends string>(client: AwsClient, api: AwsApi, around: Surroundings) =>
  retrying<Operation>(attemptOf(client, api, around), around);

import type { Connection } from './connection.ts';
import { type Env, remembering, required } from './env.ts';
import { type Credentials, signerFor } from './signing.ts';

/** An AWS service as its JSON protocol names it. */
export interface AwsApi {
  /** In signatures and in the name of its endpoint. */
  service: keyof typeof ENDPOINT_VARIABLES;
  /** In front of the operation's name, in `x-amz-target`. */
  target: string;
  json: '1.0' | '1.1';
}

/** The SDKs' own variables that name another endpoint than AWS's. */
const ENDPOINT_VARIABLES = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  events: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
  states: 'AWS_ENDPOINT_URL_SFN',
} as const;

interface Address {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/** Who calls and where to, as an SDK client's configuration says it. */
export interface AwsClient {
  config: {
    credentials(): Promise<Credentials>;
    region(): Promise<string>;
    endpoint?: (() => Promise<Address>) | undefined;
    endpointProvider?(at: { Region: string; UseDualStack: boolean; UseFIPS: boolean }): { url: URL };
  };
}

const addressAt = ({ protocol, hostname, port }: URL): Address => ({
  ...{ protocol, hostname },
  ...(port === '' ? {} : { port: Number(port) }),
});

/**
 * A function's own client: Lambda tells it its role's credentials and its region, the stack the suffix of AWS's names
 * there. Loading the SDK's client for that would take a third of a cold start (ADR 20).
 */
export const functionsClient = (env: Env, { service }: AwsApi): AwsClient => {
  const setting = remembering((name) => required(env, name));
  const sessionToken = env.AWS_SESSION_TOKEN;
  const awsUrl = () => `https://${service}.${setting('AWS_REGION')}.${env.URL_SUFFIX ?? 'amazonaws.com'}`;
  return {
    config: {
      region: async () => setting('AWS_REGION'),
      credentials: async () => ({
        accessKeyId: setting('AWS_ACCESS_KEY_ID'),
        secretAccessKey: setting('AWS_SECRET_ACCESS_KEY'),
        sessionToken,
      }),
      endpoint: async () => addressAt(new URL(env[ENDPOINT_VARIABLES[service]] ?? awsUrl())),
    },
  };
};

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
  return addressAt(config.endpointProvider!({ Region, UseDualStack: false, UseFIPS: false }).url);
};

/** The wire, time and chance of whoever calls. */
export interface Surroundings {
  connection: Connection;
  clockMs(): number;
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** One attempt at a call. Credentials and region are the client's to look up, and to renew. */
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
      host: port === undefined ? hostname : `${hostname}:${port}`,
      contentType: `application/x-amz-json-${json}`,
      target: `${target}.${operation}`,
      body,
    };
    const headers = sign(unsigned, await region(), await credentials(), clockMs());
    headers.push('content-length', String(Buffer.byteLength(body)));
    return connection.send({ protocol, hostname, port, method: 'POST', path: '/', headers, body });
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

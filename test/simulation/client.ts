import { CAPABILITIES } from '../../functions/capabilities.ts';
import type { Capability } from '../../shared/contract.ts';
import type { Caller } from '../support/call.ts';
import type { Chance } from './chance.ts';
import type { Cluster } from './cluster.ts';
import type { StockWatch } from './watch.ts';
import type { Witness } from './witness.ts';

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: clients read any shape.
  body: any;
  text: string;
}

/** What a client asks for. `key` is its Idempotency-Key. */
export interface Ask {
  operation: `${string}.${string}`;
  path?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  key?: string;
}

/** A command that was acknowledged, to be asked again. */
export interface Acknowledged {
  caller: Caller;
  ask: Ask;
  text: string;
}

const CONTRACTS = new Map<string, Capability>(CAPABILITIES.map((contract) => [contract.name, contract]));

/** How often a client asks before it gives up, and how long it waits. */
const TRIES = 5;
const WAIT_MS = { min: 200, max: 8_000 };
/** Problems that a client answers by asking again with the same key. */
const AGAIN = new Set([500, 503]);
const isCommand = (route: string): boolean => !route.startsWith('GET ');

/** The API as clients meet it: requests and answers get lost, and who got no answer asks again with the same key. */
export class Clients {
  readonly #cluster: Cluster;
  readonly #chance: Chance;
  readonly #witness: Witness;
  readonly #watch: StockWatch;
  /** Answers to keyed commands: the first one counts for ever (I8). */
  readonly #answers = new Map<string, string>();
  readonly acknowledged: Acknowledged[] = [];
  readonly statuses = new Map<string, number>();
  #requests = 0;
  readonly #keys = new Map<string, number>();

  constructor(cluster: Cluster, chance: Chance, witness: Witness, watch: StockWatch) {
    this.#watch = watch;
    this.#cluster = cluster;
    this.#chance = chance;
    this.#witness = witness;
  }

  /** A key that this caller never used; others may well use the same (they never meet). */
  newKey(caller: Caller): string {
    const id = JSON.stringify(caller);
    const number = (this.#keys.get(id) ?? 0) + 1;
    this.#keys.set(id, number);
    return `key-${number}`;
  }

  /** One request. Undefined where no answer came. */
  async once(caller: Caller, ask: Ask): Promise<Answer | undefined> {
    const { scheduler } = this.#cluster;
    const [capability, name] = ask.operation.split('.') as [string, string];
    const { route } = CONTRACTS.get(capability)!.operations[name]!;
    this.#requests += 1;
    const requestId = `request-${this.#requests}`;
    if (this.#chance.happens(this.#cluster.faults.lostRequest)) return this.#nothing(requestId);
    const id = `${JSON.stringify(caller)} ${ask.operation} ${ask.key}`;
    const known = ask.key === undefined ? undefined : this.#answers.get(id);
    const event = {
      routeKey: route,
      headers: ask.key === undefined ? {} : { 'idempotency-key': ask.key },
      ...(ask.path === undefined ? {} : { pathParameters: ask.path }),
      ...(ask.query === undefined ? {} : { queryStringParameters: ask.query }),
      body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
      isBase64Encoded: false,
      requestContext: {
        requestId,
        ...(caller === undefined ? {} : { authorizer: { jwt: { claims: caller, scopes: [] } } }),
      },
    };
    const tell = ask.operation.startsWith('orders.place') ? this.#watch.begin() : undefined;
    let response: { statusCode?: number; body?: string };
    try {
      response = (await this.#cluster.invoke(`${capability}.api`, event)) as typeof response;
    } catch {
      response = { statusCode: 503, body: '{"message":"Service Unavailable"}' };
    }
    const text = String(response.body);
    const answer = { status: response.statusCode ?? 200, text, body: JSON.parse(text) };
    tell?.(answer.body);
    scheduler.note(`${requestId} ${ask.operation} ${answer.status} ${text}`);
    const outcome = `${ask.operation} ${answer.status}`;
    this.statuses.set(outcome, (this.statuses.get(outcome) ?? 0) + 1);
    if (this.#chance.happens(this.#cluster.faults.lostRequest)) return this.#nothing(requestId);
    if (ask.key !== undefined && isCommand(route)) this.#compare(id, known, { caller, ask, text }, answer);
    return answer;
  }

  /** Asks until there is an answer, with the same key each time. */
  async ask(caller: Caller, ask: Ask): Promise<Answer | undefined> {
    for (let tried = 1; ; tried += 1) {
      const answer = await this.once(caller, ask);
      const again = answer === undefined || AGAIN.has(answer.status) || isInProgress(answer);
      if (!again || tried >= TRIES) return answer;
      await this.#cluster.scheduler.sleep(this.#chance.between(WAIT_MS.min, WAIT_MS.max));
    }
  }

  async #nothing(requestId: string): Promise<undefined> {
    this.#cluster.scheduler.note(`${requestId} has no answer`);
    await this.#cluster.scheduler.sleep(3_000);
    return undefined;
  }

  /** `known` is what had been acknowledged before this request was sent. */
  #compare(id: string, known: string | undefined, command: Acknowledged, { status, text }: Answer): void {
    if (status < 300) {
      const first = this.#answers.get(id) ?? text;
      this.#witness.expect('I8', first === text, () => `${id}: first ${first}, then ${text}`);
      if (!this.#answers.has(id)) this.acknowledged.push(command);
      this.#answers.set(id, first);
    } else if (status === 422) {
      // Nobody here uses a key of their own for two things.
      this.#witness.expect('I8', false, () => `${id} is told that somebody used the key: ${text}`);
    } else if (known !== undefined && status < 500) {
      this.#witness.expect('I8', false, () => `${id} was answered ${known}, and then ${status} ${text}`);
    }
  }
}

const isInProgress = ({ status, body }: Answer): boolean =>
  status === 409 && /payment-in-progress|changed-meanwhile/.test(String(body.type));

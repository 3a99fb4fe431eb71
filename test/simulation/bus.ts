import { unmarshall } from '@aws-sdk/util-dynamodb';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import type { PutEvents } from '../../functions/outbox/publish.ts';
import { type Envelope, OUTBOX, type OutboxItem } from '../../shared/outbox.ts';
import type { Chance } from './chance.ts';
import type { Cluster } from './cluster.ts';
import type { Place } from './handlers.ts';

/** What the stream and the bus do before they give something up: then the sweep, or a person, has to find it. */
const STREAM_TRIES = 4;
const EVENT_TRIES = 3;

const LISTENERS = Map.groupBy(
  CAPABILITIES.flatMap(({ name, listens }) =>
    Object.values(listens).map(({ type }) => ({ type: type as string, place: `${name}.events` as Place })),
  ),
  ({ type }) => type,
);

export const eventKey = ({ type, id }: Envelope): string => `${type} ${id}`;

interface Letter {
  place: Place;
  envelope: Envelope;
}

/** The outbox's stream and the event bus: everything at least once, in any order, sooner or later. */
export class Bus {
  readonly #cluster: Cluster;
  readonly #chance: Chance;
  #records: OutboxItem[] = [];
  #isReading = false;
  /** Every event that was committed with its change, as it lay in the outbox. */
  readonly committed = new Map<string, string>();
  /** Every event that the bus took, by type and id; the same one twice is one. */
  readonly archive = new Map<string, Envelope>();
  /** Two events under one name that say different things. */
  readonly contradictions: string[] = [];
  readonly deadLetters: Letter[] = [];
  deliveries = 0;

  constructor(cluster: Cluster, chance: Chance) {
    this.#cluster = cluster;
    this.#chance = chance;
  }

  /** Hears of every item that was put; those of the outbox are the stream. */
  written(table: string, wire: Record<string, unknown>): void {
    if (table !== OUTBOX) return;
    const item = unmarshall(wire as never) as OutboxItem;
    for (const { detail } of item.entries) {
      const envelope = JSON.parse(detail) as Envelope;
      const key = eventKey(envelope);
      if (this.committed.has(key)) this.contradictions.push(`${key} was committed twice`);
      this.committed.set(key, detail);
    }
    if (this.#chance.happens(this.#cluster.faults.forget)) return;
    this.#records.push(item);
    if (this.#isReading) return;
    this.#isReading = true;
    this.#cluster.scheduler.after(this.#later(5, 40), () => this.#read());
  }

  #later(minMs: number, maxMs: number): number {
    const { delay } = this.#cluster.faults;
    return this.#chance.happens(delay) ? this.#chance.between(1_000, 300_000) : this.#chance.between(minMs, maxMs);
  }

  #read(): void {
    this.#isReading = false;
    const records = this.#cluster.faults.delay > 0 ? this.#chance.shuffle(this.#records) : this.#records;
    this.#records = [];
    this.#hand(records, 1);
    if (this.#chance.happens(this.#cluster.faults.duplicate)) this.#hand(records, STREAM_TRIES);
  }

  #hand(records: OutboxItem[], attempt: number): void {
    const again = (left: OutboxItem[]): void => {
      if (left.length === 0 || attempt >= STREAM_TRIES) return;
      this.#cluster.scheduler.after(1_000 * 2 ** attempt, () => this.#hand(left, attempt + 1));
    };
    this.#cluster.invoke('outbox.stream', records).then(
      (failed) => again(records.filter((_, index) => (failed as Set<number>).has(index))),
      () => again(records),
    );
  }

  /** PutEvents as the bus sees it: for each entry, whether it was taken. */
  put(entries: Parameters<PutEvents>[0]): boolean[] {
    return entries.map(({ Detail }) => {
      if (this.#chance.happens(this.#cluster.faults.refuseEntry)) return false;
      this.#take(JSON.parse(Detail!) as Envelope, Detail!);
      return true;
    });
  }

  #take(envelope: Envelope, detail: string): void {
    const key = eventKey(envelope);
    const known = this.archive.get(key);
    if (known !== undefined && JSON.stringify(known) !== detail) this.contradictions.push(`${key} says two things`);
    this.archive.set(key, known ?? envelope);
    this.#cluster.scheduler.note(`event ${key}`);
    this.send(envelope);
  }

  /** The name of an event, from its envelope as JSON. */
  keyOf(detail: string): string {
    return eventKey(JSON.parse(detail) as Envelope);
  }

  /** To everybody who listens, maybe twice. */
  send(envelope: Envelope): void {
    for (const { place } of LISTENERS.get(envelope.type) ?? []) {
      this.#deliver({ place, envelope }, 1, this.#later(5, 60));
      if (this.#chance.happens(this.#cluster.faults.duplicate))
        this.#deliver({ place, envelope }, 1, this.#later(5, 5_000));
    }
  }

  #deliver(letter: Letter, attempt: number, inMs: number): void {
    const { place, envelope } = letter;
    this.#cluster.scheduler.after(inMs, () => {
      this.deliveries += 1;
      const event = { source: envelope.source, 'detail-type': envelope.type, detail: structuredClone(envelope) };
      this.#cluster.invoke(place, event).catch(() => {
        if (this.#cluster.bug?.forgetsFailedEvents === true) return;
        if (attempt >= EVENT_TRIES) this.deadLetters.push(letter);
        else this.#deliver(letter, attempt + 1, this.#chance.between(1_000, 60_000));
      });
    });
  }

  /** Sends what nobody could take once more, as an operator does once the trouble is over. */
  redrive(): number {
    const letters = this.deadLetters.splice(0);
    for (const letter of letters) this.#deliver(letter, EVENT_TRIES - 1, 1);
    return letters.length;
  }
}

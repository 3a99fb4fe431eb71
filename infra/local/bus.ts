import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Deliveries } from './deliveries.ts';
import { transaction } from './journal.ts';
import { compilePattern, type Matcher } from './patterns.ts';
import { type RuleTarget, targetsOf } from './targets.ts';
import type { Resource } from './template.ts';

/** An entry of `PutEvents`, as the SDK sends it. `Time` is in epoch seconds or an ISO text. */
export interface BusEntry {
  Source?: string;
  DetailType?: string;
  Detail?: string;
  /** Name or ARN; the account's default bus if absent. */
  EventBusName?: string;
  Time?: number | string;
  Resources?: string[];
}

interface PutEventsAnswer {
  FailedEntryCount: number;
  /** In the order of the entries. */
  Entries: { EventId?: string; ErrorCode?: string; ErrorMessage?: string }[];
}

/** The whole request was refused; `name` is AWS's error name. */
class BusError extends Error {
  override name = 'ValidationException';
}

interface BusOptions {
  journal: DatabaseSync;
  deliveries: Deliveries;
  /** AWS::Events::EventBus, Rule and Archive */
  buses: Resource[];
  rules: Resource[];
  archives: Resource[];
  region: string;
  account: string;
  now?: () => number;
}

/** An event on its way through a bus. `text` is `event` as JSON. */
interface BusEvent {
  event: Record<string, unknown>;
  text: string;
}

interface Rule {
  /** Only what the pattern says of `source` and `detail-type`, which few events pass. */
  mayMatch: Matcher;
  matches: Matcher;
  targets: RuleTarget[];
}

interface Archive {
  name: string;
  matches: Matcher;
  retentionDays: number;
}

interface Bus {
  rules: Rule[];
  archives: Archive[];
  /** Rules that an event of this source and detail type can match at all: most rules fall out here. */
  candidates: Map<string, Rule[]>;
}

const MAXIMUM_ENTRIES = 10;
const MAXIMUM_REQUEST_BYTES = 256 * 1024;
const DAY_MILLISECONDS = 24 * 3600 * 1000;

/** EventBridge: takes events over durably, matches them to rules and hands them to the deliveries. */
export class EventBus {
  readonly #options: BusOptions;
  readonly #now: () => number;
  readonly #buses = new Map<string, Bus>();
  readonly #scheduled = new Map<string, RuleTarget[]>();
  readonly #archive: StatementSync;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.journal.exec(`CREATE TABLE IF NOT EXISTS archivedEvents (archive TEXT NOT NULL, at INTEGER NOT NULL,
      event TEXT NOT NULL) STRICT; CREATE INDEX IF NOT EXISTS archivedEventsByTime ON archivedEvents (archive, at)`);
    this.#archive = options.journal.prepare('INSERT INTO archivedEvents (archive, at, event) VALUES (?, ?, ?)');
    for (const name of ['default', ...options.buses.map((bus) => bus.name)])
      this.#buses.set(name, { rules: [], archives: [], candidates: new Map() });
    for (const rule of options.rules) this.#addRule(rule);
    for (const archive of options.archives) this.#addArchive(archive);
    this.#sweep();
  }

  /**
   * What this answers is in the journal already. Entries fail one by one, as on AWS.
   * @throws BusError when the request as a whole is too big or empty.
   */
  putEvents(entries: BusEntry[]): PutEventsAnswer {
    if (entries.length === 0 || entries.length > MAXIMUM_ENTRIES)
      throw new BusError(`PutEvents takes 1 to ${MAXIMUM_ENTRIES} entries, not ${entries.length}`);
    const bytes = entries.reduce((sum, entry) => sum + sizeBytes(entry), 0);
    if (bytes > MAXIMUM_REQUEST_BYTES)
      throw new BusError('Total size of the entries in the request is over the limit.');
    const answer: PutEventsAnswer = { FailedEntryCount: 0, Entries: [] };
    transaction(this.#options.journal, () => {
      for (const entry of entries) answer.Entries.push(this.#put(entry));
    });
    answer.FailedEntryCount = answer.Entries.filter((entry) => entry.ErrorCode !== undefined).length;
    return answer;
  }

  /** Hands an event straight to the targets of one rule: how schedules fire. */
  fire(rule: Resource, event: Record<string, unknown>): void {
    const text = JSON.stringify(event);
    transaction(this.#options.journal, () => this.#send(this.#scheduled.get(rule.arn) ?? [], { event, text }));
  }

  /** An event's frame as AWS makes it, for events that AWS itself sends. */
  envelope(fields: { source: string; detailType: string; resources: string[]; at: number }): Record<string, unknown> {
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': fields.detailType,
      source: fields.source,
      account: this.#options.account,
      time: isoSeconds(fields.at),
      region: this.#options.region,
      resources: fields.resources,
      detail: {},
    };
  }

  /**
   * Sends archived events through the rules of their bus once more, oldest first, marked with `replay-name`.
   * Times are epoch milliseconds. Returns how many.
   */
  replay(archive: string, name: string, from = 0, to = Number.MAX_SAFE_INTEGER): number {
    const [bus] = [...this.#buses.values()].filter(({ archives }) => archives.some((each) => each.name === archive));
    if (!bus) throw new Error(`There is no archive ${archive}`);
    const rows = this.#options.journal
      .prepare('SELECT event FROM archivedEvents WHERE archive = ? AND at >= ? AND at < ? ORDER BY at, rowid')
      .all(archive, from, to);
    transaction(this.#options.journal, () => {
      for (const row of rows) {
        const event = { ...JSON.parse(String(row.event)), 'replay-name': name };
        this.#route(bus, { event, text: JSON.stringify(event) });
      }
    });
    return rows.length;
  }

  #addRule(rule: Resource): void {
    const { properties } = rule;
    const targets = targetsOf(rule);
    // Policies of disabled rules too: their last events may still be on their way.
    for (const { key, policy } of targets) this.#options.deliveries.definePolicy(key, policy);
    if (properties.State === 'DISABLED') return;
    this.#scheduled.set(rule.arn, targets);
    if (properties.EventPattern === undefined) return;
    const bus = this.#bus(properties.EventBusName);
    if (!bus) throw new Error(`${rule.stack}/${rule.id}: there is no event bus ${properties.EventBusName}`);
    bus.rules.push({ ...matchersOf(rule, properties.EventPattern), targets });
  }

  #addArchive(archive: Resource): void {
    const { EventPattern, SourceArn, RetentionDays } = archive.properties;
    const bus = this.#bus(SourceArn);
    if (!bus) throw new Error(`${archive.stack}/${archive.id}: there is no event bus ${SourceArn}`);
    const matches = EventPattern === undefined ? () => true : matchersOf(archive, EventPattern).matches;
    bus.archives.push({ name: archive.name, matches, retentionDays: Number(RetentionDays ?? 0) });
  }

  /** Forgets archived events past their archive's retention: at each start, which on one machine is often enough. */
  #sweep(): void {
    const remove = this.#options.journal.prepare('DELETE FROM archivedEvents WHERE archive = ? AND at < ?');
    for (const { archives } of this.#buses.values())
      for (const { name, retentionDays } of archives)
        if (retentionDays > 0) remove.run(name, this.#now() - retentionDays * DAY_MILLISECONDS);
  }

  #bus(nameOrArn = 'default'): Bus | undefined {
    return this.#buses.get(nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1));
  }

  #put(entry: BusEntry): PutEventsAnswer['Entries'][number] {
    const bus = this.#bus(entry.EventBusName);
    if (!bus) return refusal('ResourceNotFoundException', `Event bus ${entry.EventBusName} does not exist.`);
    if (!entry.Source)
      return refusal('InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.');
    if (!entry.DetailType)
      return refusal(
        'InvalidArgument',
        'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
      );
    const detail = parsed(entry.Detail);
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
      return refusal('MalformedDetail', 'Detail is malformed.');
    const at = entry.Time === undefined ? this.#now() : timeOf(entry.Time);
    const { detail: _empty, ...head } = this.envelope({
      source: entry.Source,
      detailType: entry.DetailType,
      resources: entry.Resources ?? [],
      at,
    });
    // The detail came as text and stays as it came: no need to write it out again.
    this.#route(bus, {
      event: { ...head, detail },
      text: `${JSON.stringify(head).slice(0, -1)},"detail":${entry.Detail}}`,
    });
    return { EventId: String(head.id) };
  }

  #route(bus: Bus, event: BusEvent): void {
    const isReplay = event.event['replay-name'] !== undefined;
    for (const { name, matches } of bus.archives)
      if (!isReplay && matches(event.event)) this.#archive.run(name, this.#now(), event.text);
    for (const { matches, targets } of candidatesFor(bus, event.event))
      if (matches(event.event)) this.#send(targets, event);
  }

  #send(targets: RuleTarget[], { event, text }: BusEvent): void {
    for (const target of targets)
      this.#options.deliveries.add({ targetArn: target.arn, policy: target.key, ...target.inputOf(event, text) });
  }
}

const refusal = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });

function candidatesFor(bus: Bus, event: Record<string, unknown>): Rule[] {
  const kind = `${event.source}\n${event['detail-type']}`;
  let candidates = bus.candidates.get(kind);
  if (!candidates) {
    candidates = bus.rules.filter(({ mayMatch }) => mayMatch(event));
    bus.candidates.set(kind, candidates);
  }
  return candidates;
}

/** Both matchers of an event pattern; names the resource when the pattern is not valid. */
function matchersOf(resource: Resource, given: unknown): Pick<Rule, 'matches' | 'mayMatch'> {
  try {
    const pattern = typeof given === 'string' ? JSON.parse(given) : given;
    const kind = Object.fromEntries(
      Object.entries(pattern).filter(([key]) => key === 'source' || key === 'detail-type'),
    );
    const matches = compilePattern(pattern);
    return { matches, mayMatch: Object.keys(kind).length === 0 ? () => true : compilePattern(kind) };
  } catch (error) {
    throw new Error(`${resource.stack}/${resource.id}: ${(error as Error).message}`);
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

const isoSeconds = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
const timeOf = (time: number | string): number => (typeof time === 'number' ? time * 1000 : Date.parse(time));

/** AWS counts the time as 14 bytes and every text in UTF-8. */
function sizeBytes({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: BusEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}

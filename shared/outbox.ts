import { createHash } from 'node:crypto';
import type { Fact } from './change.ts';
import type { Part } from './table.ts';
import type { Instant } from './time.ts';

/** Who caused a change and in which conversation: carried from request to events to what they cause. */
export interface Cause {
  actor: string;
  correlationId: string;
  /** Id of the event that caused this one; absent where a request did. */
  causationId?: string | undefined;
  now: Instant;
}

/** An event on the bus: CloudEvents 1.0, with our extensions in lower case as CloudEvents asks for. */
export interface Envelope<D = unknown> {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  /** When it happened. */
  time: Instant;
  /** The aggregate, e.g. `order/ord_01J…`. */
  subject: string;
  aggregateversion: number;
  actor: string;
  correlationid: string;
  causationid?: string;
  datacontenttype: 'application/json';
  data: D;
}

/** One entry of an outbox item, ready for PutEvents. */
export interface OutboxEntry {
  source: string;
  type: string;
  /** The envelope as JSON. */
  detail: string;
}

export interface OutboxItem {
  pk: string;
  sk: string;
  entries: OutboxEntry[];
  [attribute: string]: unknown;
}

/** The table that all outbox items are in (ADR 4), and the partitions that they are spread over: none becomes hot. */
export const OUTBOX = 'outbox';
export const OUTBOX_SHARDS = 16;
export const outboxPk = (shard: number): string => `OUTBOX#${shard}`;
/** Rule 16. EventBridge takes 256 KB, and bills per 64 KB. */
const EVENT_BYTES_MAX = 64 * 1024;

const envelopeOf = (fact: Fact, cause: Cause): Envelope => {
  const { definition } = fact;
  if (definition.source === undefined) throw new Error(`${definition.type} is emitted by no capability`);
  return {
    specversion: '1.0',
    id: `${fact.subject}#${fact.version}`,
    source: definition.source,
    type: definition.type,
    time: cause.now,
    subject: fact.subject,
    aggregateversion: fact.version,
    actor: cause.actor,
    correlationid: cause.correlationId,
    ...(cause.causationId === undefined ? {} : { causationid: cause.causationId }),
    datacontenttype: 'application/json',
    data: definition.data.parse(fact.data),
  };
};

const shardOf = (id: string): number => createHash('md5').update(id).digest()[0]! % OUTBOX_SHARDS;

/**
 * The ONE outbox item of a transaction, holding all that it has to say. It is written together with the change and
 * published from its table's stream; so an event exists exactly when its change does.
 */
export const outboxPart = (facts: readonly Fact[], cause: Cause): Part<never>[] => {
  if (facts.length === 0) return [];
  const envelopes = facts.map((fact) => envelopeOf(fact, cause));
  const ids = new Set(envelopes.map(({ id }) => id));
  if (ids.size < envelopes.length) throw new Error(`two facts of one change share an id: ${[...ids].join(', ')}`);
  const entries = envelopes.map((envelope) => {
    const detail = JSON.stringify(envelope);
    if (Buffer.byteLength(detail) > EVENT_BYTES_MAX) throw new Error(`${envelope.type} is larger than 64 KB`);
    return { source: envelope.source, type: envelope.type, detail };
  });
  const first = envelopes[0]!.id;
  const item: OutboxItem = { pk: outboxPk(shardOf(first)), sk: `${cause.now}#${first}`, entries };
  return [{ table: OUTBOX, write: { kind: 'put', item }, guards: [], refusal: undefined as never }];
};

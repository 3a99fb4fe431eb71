import type { EventBridgeEvent } from 'aws-lambda';
import middy from 'middy';
import type * as z from 'zod';
import type { Change } from './change.ts';
import type { Capability, EventDefinition } from './contract.ts';
import type { Cause, Envelope } from './outbox.ts';
import { commitChanges, type Runtime } from './runtime.ts';
import type { Part } from './table.ts';
import { epochSeconds } from './time.ts';

/** What a reaction wants: a change, committed once per event, and what has to be done after it, each time. */
export interface Reaction {
  change?: Change;
  /** An idempotent call to somebody else, made after the commit, and again if the event comes again. */
  after?: () => Promise<void>;
}

export type ReactionHandler<E> =
  E extends EventDefinition<infer D>
    ? (data: z.output<D>, envelope: Envelope<z.output<D>>, cause: Cause) => Promise<Reaction | undefined>
    : never;

export type ReactionHandlers<C extends Capability> = { [K in keyof C['listens']]: ReactionHandler<C['listens'][K]> };

type AnyReaction = (data: unknown, envelope: Envelope, cause: Cause) => Promise<Reaction | undefined>;

const DECISIONS_MAX = 5;
const REDECIDE_BASE_MS = 20;
const INBOX_KEPT_SECONDS = 30 * 24 * 3600;

/** Remembers that this capability has acted on an event; a second time fails on it (rule 15). */
const inboxPart = (table: string, envelope: Envelope, now: string): Part => ({
  table,
  write: {
    kind: 'put',
    item: {
      pk: `INBOX#${envelope.type}#${envelope.id}`,
      sk: 'SEEN',
      expiresAt: epochSeconds(now) + INBOX_KEPT_SECONDS,
    },
  },
  guards: [{ guard: 'once' }],
  refusal: { problem: 'already-exists', detail: 'this event was acted on before' },
});

/** Decides and commits; decides anew where somebody else was faster. Throws when that does not end. */
const reactOnce = async (runtime: Runtime, table: string, handler: AnyReaction, envelope: Envelope): Promise<void> => {
  for (let decision = 1; ; decision += 1) {
    const now = runtime.now();
    const cause: Cause = {
      actor: `function/${table}`,
      correlationId: envelope.correlationid,
      causationId: envelope.id,
      now,
    };
    const reaction = await handler(envelope.data, envelope, cause);
    if (reaction === undefined) return;
    const inbox = inboxPart(table, envelope, now);
    const committed =
      reaction.change === undefined
        ? ({ ok: true } as const)
        : await commitChanges(runtime, cause, [reaction.change], [inbox]);
    if (committed.ok || committed.refusal === inbox.refusal) {
      await reaction.after?.();
      return;
    }
    if (decision >= DECISIONS_MAX) throw new Error(`${envelope.type} ${envelope.id}: ${committed.refusal.detail}`);
    await runtime.sleep(runtime.random() * REDECIDE_BASE_MS * 2 ** decision);
  }
};

/** The Lambda handler of a capability's reactions to events, called by EventBridge, at least once, in any order. */
export const reactions = <C extends Capability>(contract: C, handlers: ReactionHandlers<C>, runtime: Runtime) => {
  const byType = new Map(
    Object.entries(contract.listens).map(([name, definition]) => [
      definition.type,
      {
        definition,
        needed: contract.onlyWith?.[name] ?? [],
        handler: (handlers as Record<string, AnyReaction>)[name]!,
      },
    ]),
  );
  return middy<EventBridgeEvent<string, Envelope>, void>().handler(async (event) => {
    const known = byType.get(event.detail.type as EventDefinition['type']);
    if (known === undefined) throw new Error(`${contract.name} does not listen to ${event.detail.type}`);
    const data = known.definition.data.parse(event.detail.data) as Record<string, unknown>;
    if (known.needed.some((field) => data[field] === undefined)) return;
    const envelope = { ...event.detail, data };
    await reactOnce(runtime, contract.name, known.handler, envelope);
  });
};

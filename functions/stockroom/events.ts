import type { ReactionHandlers } from '../../shared/events.ts';
import type { Cause } from '../../shared/outbox.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { judge, settled } from './api/posting.ts';
import type stockroom from './contract.ts';
import { type Count, submitted } from './domain/counts.ts';
import { countsOf, type Session } from './domain/sessions.ts';
import { countKey } from './store/counts.ts';
import { documentAt } from './store/documents.ts';
import { sessionKey } from './store/rfid.ts';

const DECISIONS_MAX = 5;

/** Hands in one count of a session, once; decides anew where somebody else was faster. */
const handIn = async (runtime: Runtime, count: Count, session: Session, cause: Cause): Promise<void> => {
  for (let decision = 1; ; decision += 1) {
    if ((await documentAt(runtime.tables, countKey(count.countId))) !== undefined) return;
    const found = await judge(runtime, count, session.found!.from);
    const handed = found.ok ? submitted(found.value.count, cause.now) : found;
    if (!handed.ok) throw new Error(`${count.countId}: ${handed.refusal.detail}`);
    const judgedCount = { ...(found as Extract<typeof found, { ok: true }>).value, count: handed.value };
    const changes = await settled(runtime, judgedCount, undefined, cause);
    if (!changes.ok) throw new Error(`${count.countId}: ${changes.refusal.detail}`);
    const committed = await commitChanges(runtime, cause, changes.value);
    if (committed.ok) return;
    if (decision >= DECISIONS_MAX) throw new Error(`${count.countId}: ${committed.refusal.detail}`);
  }
};

export const handlers = (runtime: Runtime): ReactionHandlers<typeof stockroom> => ({
  // Each count is a transaction of its own: all of them do not fit into one, and a second try finds what is done.
  SessionClosed: async ({ sessionId }, _, cause) => {
    const session = await documentAt<Session>(runtime.tables, sessionKey(sessionId));
    return {
      after: async () => {
        for (const count of countsOf(session!, cause.now)) await handIn(runtime, count, session!, cause);
      },
    };
  },
});

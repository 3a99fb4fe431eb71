import { createHash } from 'node:crypto';
import type { Principal } from '../../../shared/auth.ts';
import { change, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type stockroom from '../contract.ts';
import { readable, type Session, sealed } from '../domain/sessions.ts';
import type { Tags } from '../domain/tags.ts';
import { emits } from '../emits.ts';
import { decode } from '../epc.ts';
import { documentAt, documentPart } from '../store/documents.ts';
import {
  batchParts,
  gtinPart,
  newTalliesParts,
  readSetOf,
  sealParts,
  sessionKey,
  skusOfGtins,
  talliesOf,
} from '../store/rfid.ts';
import { atOwnNode } from './bounds.ts';
import { freshLines } from './posting.ts';

type Handlers = OperationHandlers<typeof stockroom>;
type Asked = 'openSession' | 'session' | 'readTags' | 'closeSession' | 'mapGtin';

const viewOf = ({ lines, ...session }: Session) => ({ ...session, skus: lines.map(({ sku }) => sku) });

/** A batch of EPCs as tags, each once, and what is none of ours with its reason. */
const sortedOut = (epcs: readonly string[]) => {
  const serials = new Map<string, Set<number>>();
  const quarantined: { epc: string; reason: string }[] = [];
  for (const epc of new Set(epcs)) {
    const decoded = decode(epc);
    if ('reason' in decoded) quarantined.push({ epc, reason: decoded.reason });
    else {
      const { gtin14, serial } = decoded.tag;
      serials.set(gtin14, (serials.get(gtin14) ?? new Set()).add(serial));
    }
  }
  const tags: Tags = Object.fromEntries(
    [...serials]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([gtin14, some]) => [gtin14, [...some].sort((a, b) => a - b)]),
  );
  return { tags, accepted: [...serials.values()].reduce((sum, { size }) => sum + size, 0), quarantined };
};

const ownSession = async (
  { tables }: Runtime,
  principal: Principal,
  { nodeId, sessionId }: { nodeId: string; sessionId: string },
): Promise<Result<Session, 'not-found'>> => {
  const own = atOwnNode(principal, nodeId);
  if (!own.ok) return own;
  const session = await documentAt<Session>(tables, sessionKey(sessionId));
  return session?.nodeId === nodeId ? ok(session) : refuse('not-found', `${nodeId} has no session ${sessionId}`);
};

export const rfidHandlers = (runtime: Runtime): Pick<Handlers, Asked> => ({
  openSession: async ({ nodeId, skus, tolerance }, { principal, now }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const lines = (await freshLines(runtime, nodeId, skus)).map(({ entries: _, ...line }) => line);
    const sessionId = runtime.newId('session');
    const session: Session = {
      ...{ sessionId, nodeId, status: 'OPEN', tolerance, lines },
      ...{ openedAt: now, updatedAt: now, version: 1 },
    };
    return reply(
      viewOf(session),
      change([documentPart(sessionKey(sessionId), session), ...newTalliesParts(sessionId)]),
    );
  },

  session: async (one, { principal }) => {
    const session = await ownSession(runtime, principal, one);
    return session.ok ? reply(viewOf(session.value)) : session;
  },

  readTags: async ({ epcs, readAt: given, ...one }, { principal, cause, now }) => {
    const session = await ownSession(runtime, principal, one);
    if (!session.ok) return session;
    const readAt = given ?? now;
    const possible = readable(session.value, readAt, now);
    if (!possible.ok) return possible;
    const { tags, accepted, quarantined } = sortedOut(epcs);
    const output = { ...one, accepted, quarantined };
    if (accepted === 0) return reply(output);
    const batch = { tags, readAt, by: cause.actor };
    const batchId = createHash('sha256').update(JSON.stringify(batch)).digest('base64url');
    return reply(output, change(batchParts(one.sessionId, batchId, batch)));
  },

  closeSession: async (one, { principal, now }) => {
    const { tables } = runtime;
    const before = await ownSession(runtime, principal, one);
    if (!before.ok) return before;
    if (before.value.status === 'CLOSED') return refuse('wrong-state', 'the session is closed');
    // Tallies first: a batch that comes after this makes the seal fail, and it is looked at again.
    const tallies = await talliesOf(tables, one.sessionId);
    if (tallies.includes(undefined)) return refuse('changed-meanwhile', 'the session is being closed');
    const set = await readSetOf(tables, one.sessionId);
    const after = sealed(before.value, set, await skusOfGtins(tables, [...set.tagsByGtin.keys()]), now);
    if (!after.ok) return after;
    const { sessionId, nodeId, result, version } = after.value;
    const { tags, countIds } = result!;
    const said = fact(emits.SessionClosed, `rfid-session/${sessionId}`, version, { nodeId, sessionId, tags, countIds });
    return reply(
      viewOf(after.value),
      change([documentPart(sessionKey(sessionId), after.value), ...sealParts(sessionId, tallies)], [said]),
    );
  },

  mapGtin: async ({ gtin14, sku }) => reply({ gtin14, sku }, change([gtinPart(gtin14, sku)])),
});

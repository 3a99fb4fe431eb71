import { createHash } from 'node:crypto';
import type { ProblemName } from './problem.ts';
import { type Refusal, refuse } from './result.ts';
import type { Key, Part, Tables } from './table.ts';
import { epochSeconds, type Instant } from './time.ts';

/** What was answered to a command, kept so that a repeat gets the same bytes (rule 7). */
export interface StoredAnswer {
  status: number;
  body: string;
}

interface IdempotencyItem extends Key, StoredAnswer {
  requestHash: string;
  expiresAt: number;
}

const KEPT_SECONDS = 7 * 24 * 3600;

/** A command as the caller named it. Keys of different callers or operations never meet. */
export interface CommandKey {
  table: string;
  caller: string;
  operation: string;
  key: string;
  requestHash: string;
}

export const requestHash = (input: unknown): string =>
  createHash('sha256').update(JSON.stringify(input)).digest('base64url');

const keyOf = ({ caller, operation, key }: CommandKey): Key => ({
  pk: `IDEMPOTENCY#${caller}#${operation}#${key}`,
  sk: 'ANSWER',
});

/** Remembers the answer in the very transaction that makes it true; a second commit of the key fails on it. */
export const rememberAnswer = (command: CommandKey, answer: StoredAnswer, now: Instant): Part<'already-exists'> => ({
  table: command.table,
  write: {
    kind: 'put',
    item: {
      ...keyOf(command),
      ...answer,
      requestHash: command.requestHash,
      expiresAt: epochSeconds(now) + KEPT_SECONDS,
    },
  },
  guards: [{ guard: 'once' }],
  refusal: { problem: 'already-exists', detail: 'this command was carried out before' },
});

/**
 * The answer that was given to this key before, undefined where there was none.
 * Asked only after a command was refused: a command that can still be carried out needs no look-up, because its own
 * transaction fails on the stored answer. So the common case pays nothing for being safe.
 */
export const earlierAnswer = async (
  tables: Tables,
  command: CommandKey,
): Promise<StoredAnswer | { refusal: Refusal<ProblemName> } | undefined> => {
  const item = await tables.get<IdempotencyItem>(command.table, keyOf(command));
  if (item === undefined) return undefined;
  if (item.requestHash !== command.requestHash) {
    return refuse('idempotency-key-reused', 'the key was used before with another body; take a new one');
  }
  return { status: item.status, body: item.body };
};

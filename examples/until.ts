import { setTimeout } from 'node:timers/promises';

const DEADLINE_SECONDS = 30;
const FIRST_PAUSE_MS = 10;
const PAUSE_MAX_MS = 250;

/**
 * Asks again and again until `probe` gives an answer: for what happens after a command was answered.
 *
 * @throws Error that says what was waited for, and how it stood last
 */
export const until = async <T>(
  what: string,
  probe: () => Promise<{ done: T } | { still: string }>,
  deadlineSeconds = DEADLINE_SECONDS,
): Promise<T> => {
  const deadlineMs = Date.now() + deadlineSeconds * 1000;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, PAUSE_MAX_MS)) {
    const answer = await probe();
    if ('done' in answer) return answer.done;
    if (Date.now() > deadlineMs) {
      throw new Error(`waited ${deadlineSeconds} s for ${what}; it is still so: ${answer.still}`);
    }
    await setTimeout(pauseMs);
  }
};

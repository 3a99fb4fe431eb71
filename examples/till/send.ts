import tills, { BATCH_ENTRIES_MAX, type Outcome } from '../../functions/tills/contract.ts';
import type { Client } from '../../shared/client.ts';
import type { TillJournal } from './journal.ts';

/**
 * Sends what waits, oldest first, until everything has arrived. It may fail at any moment: call it again whenever there
 * is a connection, nothing is booked twice. Returns what was refused, for somebody to look at.
 *
 * @throws Error if an answer takes nothing in, as when the key is not registered or others are too busy
 */
export const sendJournal = async (client: Client, journal: TillJournal): Promise<Outcome[]> => {
  const refused: Outcome[] = [];
  while (journal.state.waiting.length > 0) {
    const waiting = journal.state.waiting;
    const entries = waiting.slice(0, BATCH_ENTRIES_MAX);
    const answer = await client(tills.operations.journal, { tillId: journal.tillId, entries });
    const turnedDown = answer.entries.filter(({ outcome }) => outcome === 'REFUSED');
    journal.settle(answer);
    if (journal.state.waiting.length === waiting.length) {
      const [first] = turnedDown;
      throw new Error(`${journal.tillId}: nothing was taken in: ${first?.because} at ${first?.sequence}`);
    }
    refused.push(...turnedDown.filter(({ because }) => because !== 'TOO_BUSY'));
  }
  return refused;
};

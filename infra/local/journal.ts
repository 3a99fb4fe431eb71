import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * The one durable record of the local cloud besides the tables: events on their way, checkpoints, executions, users.
 *
 * The file is held exclusively, which makes it the lock of the data directory too (the operating system drops it when
 * the process dies, however it dies) and spares a file lock a transaction. WAL with synchronous=NORMAL survives a
 * kill of the process; only a crash of the whole machine may cost the last moments.
 *
 * @throws Error naming the other process when the directory is in use.
 */
export function openJournal(dataDir: string): DatabaseSync {
  mkdirSync(dataDir, { recursive: true });
  const owner = join(dataDir, 'journal.pid');
  const journal = new DatabaseSync(join(dataDir, 'journal.sqlite'));
  try {
    journal.exec('PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
    journal.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; BEGIN IMMEDIATE; COMMIT;');
  } catch (error) {
    journal.close();
    if (!isBusy(error)) throw error;
    throw new Error(
      `${dataDir} is in use by another local cloud${processIn(owner)}. Stop that one, or name another data directory.`,
    );
  }
  writeFileSync(owner, String(process.pid));
  return journal;
}

/** Runs `work` in one transaction, or in the one already open. `work` must not await: the journal has one connection. */
export function transaction<T>(journal: DatabaseSync, work: () => T): T {
  if (journal.isTransaction) return work();
  journal.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    journal.exec('COMMIT');
    return result;
  } catch (error) {
    journal.exec('ROLLBACK');
    throw error;
  }
}

const isBusy = (error: unknown): boolean => error instanceof Error && /database is locked/.test(error.message);

function processIn(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8')})`;
  } catch {
    return '';
  }
}

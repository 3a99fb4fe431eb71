import { DatabaseSync } from 'node:sqlite';

/**
 * All that this project does inside the engine's own file. Checked against this version; the test beside it measures
 * the effect and fails when the file's layout changes or the fix has become needless.
 *
 * Every write to a table with a stream looks for that table's newest record without an index, and records are never
 * removed: 2,800 writes a second become 560 after 12,000 records. Two indexes and trimming keep the rate flat.
 */
export const CHECKED_VERSION = '1.2.1';

/** Waits for the engine's own writes; the engine waits 5 s for ours, so ours stay short. */
const BUSY_MILLISECONDS = 5_000;
const ROWS_A_TRIM = 2_000;

export function openEngineFile(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA busy_timeout = ${BUSY_MILLISECONDS}; PRAGMA synchronous = NORMAL`);
  return database;
}

/** Call after the tables exist: the record table comes with the first of them. */
export function addStreamIndexes(database: DatabaseSync): void {
  database.exec(`
    CREATE INDEX IF NOT EXISTS ieum_stream_records ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE INDEX IF NOT EXISTS ieum_stream_shards
      ON _stream_records (table_name, shard_id, CAST(sequence_number AS INTEGER));`);
}

/**
 * Removes a table's stream records up to a sequence number, a bounded number at a time. The newest record stays:
 * the engine numbers the next one after it. Returns whether there is more to remove.
 */
export function trimStreamRecords(database: DatabaseSync, table: string, through: number): boolean {
  const { changes } = database
    .prepare(
      `DELETE FROM _stream_records WHERE id IN (
         SELECT id FROM _stream_records WHERE table_name = :table AND CAST(sequence_number AS INTEGER) <= :through
           AND CAST(sequence_number AS INTEGER) <
             (SELECT max(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = :table)
         ORDER BY CAST(sequence_number AS INTEGER) LIMIT ${ROWS_A_TRIM})`,
    )
    .run({ table, through });
  return Number(changes) === ROWS_A_TRIM;
}

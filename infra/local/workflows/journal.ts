import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { transaction } from '../journal.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';

/** Times are epoch milliseconds; `input`, `output` and `history` are JSON. */
export interface ExecutionRow {
  arn: string;
  machine: string;
  name: string;
  definition: string;
  status: ExecutionStatus;
  input: string;
  output: string | null;
  error: string | null;
  cause: string | null;
  started_at: number;
  stopped_at: number | null;
  transitions: number;
  history: string;
}

/**
 * ISSUED: its function has not answered yet (or the process died under it). WAITING: handed over, until its token comes
 * back or its deadline passes. The others are final: a re-run takes the outcome from here instead of calling again.
 */
export type TaskStatus = 'ISSUED' | 'WAITING' | 'SUCCEEDED' | 'FAILED';

export interface TaskRow {
  token: string;
  execution: string;
  state: string;
  kind: string;
  status: TaskStatus;
  output: string | null;
  error: string | null;
  cause: string | null;
  timeout_at: number | null;
  heartbeat_seconds: number | null;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS workflow_definitions (hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS workflow_executions (
    arn TEXT PRIMARY KEY, machine TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, status TEXT NOT NULL,
    input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT, started_at INTEGER NOT NULL, stopped_at INTEGER,
    deadline INTEGER, transitions INTEGER NOT NULL DEFAULT 0, history TEXT NOT NULL DEFAULT '[]');
  CREATE INDEX IF NOT EXISTS workflow_executions_open ON workflow_executions(arn) WHERE status = 'RUNNING';
  CREATE INDEX IF NOT EXISTS workflow_executions_due ON workflow_executions(deadline) WHERE deadline IS NOT NULL;
  CREATE TABLE IF NOT EXISTS workflow_tasks (
    token TEXT PRIMARY KEY, execution TEXT NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
    output TEXT, error TEXT, cause TEXT, timeout_at INTEGER, heartbeat_seconds INTEGER, deadline INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS workflow_tasks_execution ON workflow_tasks(execution);
  CREATE INDEX IF NOT EXISTS workflow_tasks_due ON workflow_tasks(deadline) WHERE deadline IS NOT NULL;
`;

/** What AWS keeps of a closed execution. */
const RETENTION_MILLISECONDS = 90 * 24 * 3600 * 1000;

/** The durable record of executions and of every task they began. Each method is one statement, committed at return. */
export class WorkflowJournal {
  #database: DatabaseSync;
  #prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(database: DatabaseSync, now: number) {
    this.#database = database;
    database.exec(SCHEMA);
    const old = 'SELECT arn FROM workflow_executions WHERE stopped_at < ?';
    this.#run(`DELETE FROM workflow_tasks WHERE execution IN (${old})`, now - RETENTION_MILLISECONDS);
    this.#run('DELETE FROM workflow_executions WHERE stopped_at < ?', now - RETENTION_MILLISECONDS);
  }

  atomically(work: () => void): void {
    transaction(this.#database, work);
  }

  /** @returns true when this definition was already known, hence valid */
  knows(hash: string): boolean {
    return this.#get('SELECT 1 FROM workflow_definitions WHERE hash = ?', hash) !== undefined;
  }

  keepDefinition(hash: string, body: string): void {
    this.#run('INSERT OR IGNORE INTO workflow_definitions VALUES (?, ?)', hash, body);
  }

  definition(hash: string): string {
    return this.#get<{ body: string }>('SELECT body FROM workflow_definitions WHERE hash = ?', hash)!.body;
  }

  /** @returns false when the name is taken */
  start(
    row: Pick<ExecutionRow, 'arn' | 'machine' | 'name' | 'definition' | 'input' | 'started_at'>,
    deadline?: number,
  ) {
    const { changes } = this.#run(
      `INSERT OR IGNORE INTO workflow_executions(arn, machine, name, definition, status, input, started_at, deadline)
       VALUES (?, ?, ?, ?, 'RUNNING', ?, ?, ?)`,
      row.arn,
      row.machine,
      row.name,
      row.definition,
      row.input,
      row.started_at,
      deadline ?? null,
    );
    return changes === 1;
  }

  execution(arn: string): ExecutionRow | undefined {
    return this.#get('SELECT * FROM workflow_executions WHERE arn = ?', arn);
  }

  executions(): ExecutionRow[] {
    return this.#all('SELECT * FROM workflow_executions ORDER BY started_at, arn');
  }

  /** Unfinished executions; `waiting` when a task of theirs waits for its token or the clock. */
  unfinished(): { arn: string; definition: string; waiting: number }[] {
    return this.#all(
      `SELECT arn, definition, EXISTS (SELECT 1 FROM workflow_tasks WHERE execution = arn AND status = 'WAITING') waiting
       FROM workflow_executions WHERE status = 'RUNNING' ORDER BY started_at`,
    );
  }

  progress(arn: string, transitions: number, history: string): void {
    this.#run('UPDATE workflow_executions SET transitions = ?, history = ? WHERE arn = ?', transitions, history, arn);
  }

  /** Closes an execution, once, and every task it still had open, so that a late answer is refused. */
  finish(arn: string, end: Pick<ExecutionRow, 'status' | 'output' | 'error' | 'cause'>, now: number): void {
    this.#run(
      `UPDATE workflow_executions SET status = ?, output = ?, error = ?, cause = ?, stopped_at = ?, deadline = NULL
       WHERE arn = ? AND status = 'RUNNING'`,
      end.status,
      end.output,
      end.error,
      end.cause,
      now,
      arn,
    );
    this.#run(
      `UPDATE workflow_tasks SET output = NULL, deadline = NULL,
       status = CASE WHEN status IN ('ISSUED', 'WAITING') THEN 'FAILED' ELSE status END WHERE execution = ?`,
      arn,
    );
  }

  issue(row: Omit<TaskRow, 'output' | 'error' | 'cause'>, deadline: number | null): void {
    this.#run(
      `INSERT INTO workflow_tasks(token, execution, state, kind, status, timeout_at, heartbeat_seconds, deadline)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      row.token,
      row.execution,
      row.state,
      row.kind,
      row.status,
      row.timeout_at,
      row.heartbeat_seconds,
      deadline,
    );
  }

  task(token: string): TaskRow | undefined {
    return this.#get('SELECT * FROM workflow_tasks WHERE token = ?', token);
  }

  handedOver(token: string): void {
    this.#run(`UPDATE workflow_tasks SET status = 'WAITING' WHERE token = ? AND status = 'ISSUED'`, token);
  }

  /** @returns false when the task was settled before: the first outcome stands */
  settle(token: string, end: { output: string } | { error: string; cause: string }): boolean {
    const [status, output, error, cause] =
      'output' in end ? ['SUCCEEDED', end.output, null, null] : ['FAILED', null, end.error, end.cause];
    const { changes } = this.#run(
      `UPDATE workflow_tasks SET status = ?, output = ?, error = ?, cause = ?, deadline = NULL
       WHERE token = ? AND status IN ('ISSUED', 'WAITING')`,
      status!,
      output!,
      error!,
      cause!,
      token,
    );
    return changes === 1;
  }

  /** @returns false when the task is not open */
  postpone(token: string, deadline: number): boolean {
    const sql = `UPDATE workflow_tasks SET deadline = ? WHERE token = ? AND status IN ('ISSUED', 'WAITING')`;
    return this.#run(sql, deadline, token).changes === 1;
  }

  dueTasks(now: number): TaskRow[] {
    return this.#all('SELECT * FROM workflow_tasks WHERE deadline <= ? ORDER BY deadline LIMIT 1000', now);
  }

  dueExecutions(now: number): { arn: string }[] {
    return this.#all('SELECT arn FROM workflow_executions WHERE deadline <= ? LIMIT 1000', now);
  }

  /** The next instant at which something times out, or undefined. */
  nextDeadline(): number | undefined {
    const earliest = (table: string) =>
      this.#get<{ at: number | null }>(`SELECT min(deadline) at FROM ${table} WHERE deadline IS NOT NULL`)?.at ??
      Infinity;
    const at = Math.min(earliest('workflow_tasks'), earliest('workflow_executions'));
    return at === Infinity ? undefined : at;
  }

  #statement(sql: string) {
    const statement = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint } {
    return this.#statement(sql).run(...values);
  }

  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }
}

import type { TableAction } from '../../shared/contract.ts';
import type { Tables, Write } from '../../shared/table.ts';

const ACTION_OF = {
  put: 'PutItem',
  update: 'UpdateItem',
  delete: 'DeleteItem',
  check: 'ConditionCheckItem',
} as const satisfies Record<Write['kind'], TableAction>;

/** Tables that remember what was done with them, in the words of a policy: to compare what is used with what is granted. */
export const recorded = (tables: Tables) => {
  const actions = new Map<string, Set<string>>();
  const note = (table: string, action: string): void => {
    actions.set(table, (actions.get(table) ?? new Set()).add(action));
  };
  const recording: Tables = {
    get: (table, key) => {
      note(table, 'GetItem');
      return tables.get(table, key);
    },
    query: (table, input) => {
      note(table, input.index === undefined ? 'Query' : `Query:${input.index}`);
      return tables.query(table, input);
    },
    snapshot: (reads) => {
      for (const { table } of reads) note(table, 'GetItem');
      return tables.snapshot(reads);
    },
    commit: (parts) => {
      for (const { table, write } of parts) note(table, ACTION_OF[write.kind]);
      return tables.commit(parts);
    },
    discard: (table, keys) => {
      note(table, 'BatchWriteItem');
      return tables.discard(table, keys);
    },
  };
  return {
    tables: recording,
    /** Actions by table, sorted. */
    used: (): Record<string, string[]> =>
      Object.fromEntries([...actions].sort().map(([table, names]) => [table, [...names].sort()])),
  };
};

/** Grants in the same order, to be compared. */
export const sortedGrants = (grants: Record<string, readonly string[]>): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(grants)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([table, names]) => [table, [...names].sort()]),
  );

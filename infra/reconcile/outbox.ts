import { type Finding, finding, type Item } from './finding.ts';

/** An outbox item is removed once the bus has taken its events: what is there was not published. */
export const outboxDrift = (itemsByTable: ReadonlyMap<string, readonly Item[]>): Finding[] =>
  [...itemsByTable].flatMap(([table, items]) =>
    items
      .filter(({ pk }) => pk.startsWith('OUTBOX#'))
      .map(({ pk, sk }) => finding('outbox', `${table} ${pk} ${sk}`, 'is not published')),
  );

import type { Change } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Page, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { type NodeLevel, totalsOf } from '../domain/availability.ts';
import type { Happening } from '../domain/happened.ts';
import type { Place } from '../domain/movements.ts';
import type { Quantity } from '../emits.ts';
import { onHandSince } from '../store/ledger.ts';
import { levelsAt, levelsHeldAt } from '../store/levels.ts';
import { bookHappenings } from './happened.ts';

/** Units on hand of a SKU at a node as somebody else's books say, e.g. a file's. One of a place. */
export interface Statement extends Place {
  onHand: number;
  /** When so many were there. What moved since stays moved. */
  asOf: Instant;
  movementId: string;
  reference: string;
  reason?: string | undefined;
}

const unitsThen = async (tables: Tables, level: NodeLevel, asOf: Instant): Promise<number> => {
  const { onHand, version } = totalsOf(level);
  return version === 0 ? 0 : onHand - (await onHandSince(tables, level, asOf));
};

/**
 * Corrects the books to what was on hand at a moment, on levels exactly as they were read. What agrees is not touched:
 * `unchanged` says which places. Several nodes and SKUs in one transaction, two writes each where nothing is hot.
 */
export const correctTo = async (
  tables: Tables,
  statements: readonly Statement[],
  cause: Cause,
  whole: { subject: string; version: number },
): Promise<{ change: Change<'changed-meanwhile'>; unchanged: Statement[] }> => {
  const levels = await levelsAt(tables, statements);
  const then = await Promise.all(levels.map((level, at) => unitsThen(tables, level, statements[at]!.asOf)));
  const wrong = statements.flatMap(({ onHand, asOf, ...what }, at) => {
    const units = onHand - then[at]!;
    const happening: Happening = { ...what, kind: 'CORRECTION', units, occurredAt: asOf };
    return units === 0 ? [] : [{ happening, level: levels[at]! }];
  });
  return {
    change: bookHappenings(
      wrong.map(({ happening }) => happening),
      wrong.map(({ level }) => level),
      cause,
      { ...whole, isExact: true },
    ),
    unchanged: statements.filter(({ onHand }, at) => onHand === then[at]),
  };
};

/** What a node holds of every SKU that it ever held, by SKU: a page. */
export const heldAt = async (
  tables: Tables,
  nodeId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<Place & Record<Quantity, number>>> => {
  const { items, ...rest } = await levelsHeldAt(tables, nodeId, page);
  return { items: items.map((level) => ({ sku: level.sku, nodeId: level.nodeId, ...totalsOf(level) })), ...rest };
};

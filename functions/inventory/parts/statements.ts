import type { Change } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Page, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { type NodeLevel, totalsOf } from '../domain/availability.ts';
import type { Happening } from '../domain/happened.ts';
import { type Place, placeOf } from '../domain/movements.ts';
import type { Quantity } from '../emits.ts';
import { onHandSince } from '../store/ledger.ts';
import { levelsAt, levelsHeldAt } from '../store/levels.ts';
import { bookHappenings } from './happened.ts';

/** Units on hand of a SKU at a node as somebody else's books say, e.g. a file's. One of a place. */
interface Statement extends Place {
  onHand: number;
  /** When so many were there. What moved since stays moved. */
  asOf: Instant;
  movementId: string;
  reference: string;
  reason?: string | undefined;
}

const movedAtOf = ({ shards }: NodeLevel): Instant =>
  shards.map(({ movedAt = '' }) => movedAt).reduce((last, one) => (one > last ? one : last), '');

/** Units on hand by the books at a moment; undefined where that cannot be told just now. */
const unitsThen = async (tables: Tables, level: NodeLevel, asOf: Instant): Promise<number | undefined> => {
  const { onHand } = totalsOf(level);
  const movedAt = movedAtOf(level);
  if (movedAt <= asOf) return onHand;
  const since = await onHandSince(tables, level, asOf, movedAt);
  return since === undefined ? undefined : onHand - since;
};

/**
 * Corrects the books to what was on hand at a moment, on levels exactly as they were read. What agrees is not touched:
 * `unchanged` says which places. Several nodes and SKUs in one transaction, two writes each where nothing is hot.
 * Refused, as its change may be, where others move the same stock just now: decide anew.
 */
export const correctTo = async (
  tables: Tables,
  statements: readonly Statement[],
  cause: Cause,
  whole: { subject: string; version: number },
): Promise<Result<{ change: Change<'changed-meanwhile'>; unchanged: Statement[] }, 'changed-meanwhile'>> => {
  const levels = await levelsAt(tables, statements);
  const then = await Promise.all(levels.map((level, at) => unitsThen(tables, level, statements[at]!.asOf)));
  const unclear = then.indexOf(undefined);
  if (unclear >= 0) return refuse('changed-meanwhile', `${placeOf(levels[unclear]!)} is being moved`);
  const wrong = statements.flatMap(({ onHand, asOf, ...what }, at) => {
    const units = onHand - then[at]!;
    const happening: Happening = { ...what, kind: 'CORRECTION', units, occurredAt: asOf };
    return units === 0 ? [] : [{ happening, level: levels[at]! }];
  });
  const booked = bookHappenings(
    wrong.map(({ happening }) => happening),
    wrong.map(({ level }) => level),
    cause,
    { ...whole, isExact: true },
  );
  return ok({ change: booked, unchanged: statements.filter(({ onHand }, at) => onHand === then[at]) });
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

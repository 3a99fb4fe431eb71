import { type Change, change, type Fact, fact } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Tables } from '../../../shared/table.ts';
import { type Allocation, allocationMoves, type Stock } from '../domain/allocate.ts';
import { type Move, sumBySku } from '../domain/movements.ts';
import { emits } from '../emits.ts';
import { bookParts, type MoveRefusal, sharesBooked } from '../store/book.ts';
import { suspicions } from './changes.ts';
import { takeOver } from './holds.ts';

const subjectOf = ({ allocationId }: Pick<Allocation, 'allocationId'>): string => `allocation/${allocationId}`;
const dataOf = ({ allocationId, nodeId, lines }: Allocation) => ({ allocationId, nodeId, lines: sumBySku(lines) });

const UNSEEN: Stock = { levels: new Map(), kept: new Map(), expired: [] };

/**
 * Promises units at the nodes that were chosen, or refuses the whole (rule 11). Two writes a SKU and node. `stock` is
 * what the plan chose from; without it the promise is made of first shards, with no buffer kept.
 */
export const allocate = (
  allocations: readonly Allocation[],
  cause: Cause,
  stock: Stock = UNSEEN,
): Change<MoveRefusal> => {
  const { moves, taken } = allocationMoves(allocations, stock);
  const resolved = takeOver(taken, cause);
  return change<MoveRefusal>(
    [...bookParts(moves, cause, { kept: stock.kept }), ...resolved.parts],
    [
      ...allocations.map((one) => fact(emits.StockCommitted, subjectOf(one), 1, dataOf(one))),
      ...resolved.facts,
      ...suspicions(moves),
    ],
  );
};

/** Movements that end a promise, at the shards that made it. */
const resolve = async (tables: Tables, allocation: Allocation, kind: 'RELEASE' | 'CONSUME'): Promise<Move[]> => {
  const { allocationId, nodeId } = allocation;
  const lines = sumBySku(allocation.lines);
  const booked = await sharesBooked(
    tables,
    lines.map(({ sku, units }) => ({ sku, nodeId, units, movementId: `${allocationId}#ALLOCATED` })),
    'allocated',
  );
  return lines.map(({ sku }, index) => {
    const { shares, onlineOnly, isWatched } = booked[index]!;
    return {
      ...{ sku, nodeId, kind, shares, isWatched, movementId: `${allocationId}#RESOLVED`, reference: allocationId },
      // What was set aside for online is again, unless it has been sold.
      ...(kind === 'RELEASE' && onlineOnly > 0 ? { onlineOnly } : {}),
    };
  });
};

/**
 * Takes the promise back: the units are available again. Releasing and consuming write the same ledger key, so an
 * allocation resolves at most once, by state and never by clock (rule 9).
 */
export const release = async (tables: Tables, allocation: Allocation, cause: Cause): Promise<Change<MoveRefusal>> => {
  const moves = await resolve(tables, allocation, 'RELEASE');
  return change(bookParts(moves, cause), [
    fact(emits.StockReleased, subjectOf(allocation), 2, dataOf(allocation)),
    ...suspicions(moves),
  ]);
};

/** The promised units leave the node. */
export const consume = async (tables: Tables, allocation: Allocation, cause: Cause): Promise<Change<MoveRefusal>> => {
  const moves = await resolve(tables, allocation, 'CONSUME');
  const lines = sumBySku(allocation.lines).map(({ sku, units }) => ({ sku, units: -units }));
  return change(bookParts(moves, cause), [
    fact(emits.StockAdjusted, subjectOf(allocation), 2, { nodeId: allocation.nodeId, lines }),
  ]);
};

/**
 * Re-sourcing in one go: what one node does not supply is released in the transaction that promises it elsewhere, and
 * no level is written twice.
 */
export const reallocate = async (
  tables: Tables,
  from: Allocation,
  to: readonly Allocation[],
  cause: Cause,
  stock: Stock,
): Promise<{ change: Change<MoveRefusal>; released: Fact }> => {
  const back = await resolve(tables, from, 'RELEASE');
  const { moves } = allocationMoves(to, stock);
  return {
    change: change(bookParts([...back, ...moves], cause, { kept: stock.kept }), [
      ...to.map((one) => fact(emits.StockCommitted, subjectOf(one), 1, dataOf(one))),
      ...suspicions([...back, ...moves]),
    ]),
    released: fact(emits.StockReleased, subjectOf(from), 2, dataOf(from)),
  };
};

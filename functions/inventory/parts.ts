import { type Change, change, fact } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Tables } from '../../shared/table.ts';
import inventory, { type MovementKind, type StockLine } from './contract.ts';
import { sumBySku } from './domain.ts';
import { levelsOf, type MoveRefusal, moveParts } from './store.ts';

/** Units of some SKUs at one node that are promised to one order. Allocated once, then consumed or released once. */
export interface Allocation {
  /** Unique; the same id cannot be allocated or resolved twice. */
  allocationId: string;
  nodeId: string;
  lines: readonly StockLine[];
}

type StockRefusal = MoveRefusal<'ALLOCATE' | 'RELEASE' | 'CONSUME'>;

const move = (allocation: Allocation, kind: MovementKind, suffix: string, cause: Cause) =>
  sumBySku(allocation.lines).flatMap((line) =>
    moveParts(
      {
        ...line,
        nodeId: allocation.nodeId,
        kind,
        movementId: `${allocation.allocationId}#${suffix}`,
        reference: allocation.allocationId,
      },
      cause,
    ),
  );

const subjectOf = ({ allocationId }: Allocation): string => `allocation/${allocationId}`;
const dataOf = ({ allocationId, nodeId, lines }: Allocation) => ({ allocationId, nodeId, lines: sumBySku(lines) });

/** Promises units at the node that was chosen, or refuses the whole (rule 11). Two writes a SKU. */
export const allocate = (allocation: Allocation, cause: Cause): Change<StockRefusal> =>
  change(move(allocation, 'ALLOCATE', 'ALLOCATED', cause), [
    fact(inventory.emits.StockCommitted, subjectOf(allocation), 1, dataOf(allocation)),
  ]);

/**
 * Takes the promise back: the units are available again. Releasing and consuming write the same ledger key, so an
 * allocation resolves at most once, by state and never by clock (rule 9).
 */
export const release = (allocation: Allocation, cause: Cause): Change<StockRefusal> =>
  change(move(allocation, 'RELEASE', 'RESOLVED', cause), [
    fact(inventory.emits.StockReleased, subjectOf(allocation), 2, dataOf(allocation)),
  ]);

/** The promised units leave the node. */
export const consume = (allocation: Allocation, cause: Cause): Change<StockRefusal> =>
  change(move(allocation, 'CONSUME', 'RESOLVED', cause), [
    fact(inventory.emits.StockAdjusted, subjectOf(allocation), 2, {
      nodeId: allocation.nodeId,
      lines: sumBySku(allocation.lines).map(({ sku, units }) => ({ sku, units: -units })),
    }),
  ]);

/** Available units by node, for each SKU: what sourcing chooses from. The guard of `allocate` decides, not this. */
export const availableByNode = async (
  tables: Tables,
  skus: readonly string[],
): Promise<Map<string, Map<string, number>>> =>
  new Map(
    await Promise.all(
      [...new Set(skus)].map(
        async (sku) =>
          [sku, new Map((await levelsOf(tables, sku)).map(({ nodeId, available }) => [nodeId, available]))] as const,
      ),
    ),
  );

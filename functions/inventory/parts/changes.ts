import { type Change, change, type Fact, fact } from '../../../shared/change.ts';
import type { Part } from '../../../shared/table.ts';
import { type Move, placeOf } from '../domain/movements.ts';
import { emits, type MovementKind } from '../emits.ts';
import type { MoveRefusal } from '../store/book.ts';

/** They leave what is available of a level as it is. */
const UNSEEN: ReadonlySet<MovementKind> = new Set(['CONSUME', 'REBALANCE', 'ONLINE_ONLY']);

/** Levels with a threshold whose available units changed: whether it was crossed is looked at once this is committed. */
export const suspicions = (moves: readonly Move[]): Fact[] => {
  const watched = moves.filter(({ isWatched, kind }) => isWatched !== false && !UNSEEN.has(kind));
  const [first] = watched;
  if (first === undefined) return [];
  const levels = [...new Map(watched.map(({ sku, nodeId }) => [placeOf({ sku, nodeId }), { sku, nodeId }])).values()];
  return [fact(emits.LowStockSuspected, `movement/${first.movementId}/${placeOf(first)}`, 1, { levels })];
};

export const asMeanwhile = <P extends MoveRefusal>(part: Part<P>): Part<'changed-meanwhile'> => ({
  ...part,
  refusal: { ...part.refusal, problem: 'changed-meanwhile' },
});

/**
 * Too little stock in the transaction means that somebody was faster than this plan: plan again, on another node if
 * there is one. Sold out is what a plan says, never a lost race.
 */
export const asRace = ({ parts, facts }: Change<MoveRefusal>): Change<'changed-meanwhile'> =>
  change(parts.map(asMeanwhile), facts);

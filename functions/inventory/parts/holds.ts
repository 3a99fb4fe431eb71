import { type Change, change, type Fact, fact } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Tables } from '../../../shared/table.ts';
import { plusSeconds } from '../../../shared/time.ts';
import { reservationMoves, type Stock, type TakenHold, unreserve } from '../domain/allocate.ts';
import { type Hold, type HoldLine, sumByPlace } from '../domain/holds.ts';
import { emits } from '../emits.ts';
import { areWatched, bookParts, type MoveRefusal } from '../store/book.ts';
import { newHoldPart, resolvedPart } from '../store/holds.ts';
import { asMeanwhile, suspicions } from './changes.ts';

/** Lines of a hold: each is written with balance and ledger entry, and more where other holds are taken over. */
export const HOLD_LINES_MAX = 20;

/** A transaction takes 100 writes; cart, outbox and the remembered answer take three. */
const HOLD_WRITES_MAX = 97;

/** Whether a hold fits into one transaction; one that lies in many pieces may not. */
export const fits = ({ parts }: Change<MoveRefusal>): Result<void, 'too-busy'> =>
  parts.length <= HOLD_WRITES_MAX
    ? ok(undefined)
    : refuse('too-busy', 'these units lie in too many pieces just now; hold fewer at once, or try again in a minute');

/** What somebody wants to be kept. */
export interface Reservation extends Pick<Hold, 'holdId' | 'holderId' | 'purpose'> {
  lines: readonly HoldLine[];
  holdSeconds: number;
}

/**
 * Holds units at the nodes that were chosen, in place of the holder's hold before if `stock` has one. Refused as a
 * whole where a line cannot be had.
 */
export const reserve = (
  { holdId, holderId, purpose, lines, holdSeconds }: Reservation,
  cause: Cause,
  stock: Stock,
): { hold: Hold; change: Change<MoveRefusal> } => {
  const { moves, held, taken } = reservationMoves(holdId, sumByPlace(lines), stock);
  const heldUntil = plusSeconds(cause.now, holdSeconds);
  const hold: Hold = {
    ...{ holdId, holderId, purpose, lines: held, heldUntil },
    ...{ status: 'HELD', createdAt: cause.now, version: 1 },
  };
  const resolved = takeOver(taken, cause);
  const said = held.map(({ sku, nodeId, units }) => ({ sku, nodeId, units }));
  return {
    hold,
    change: change<MoveRefusal>(
      [newHoldPart(hold), ...bookParts(moves, cause, { kept: stock.kept }), ...resolved.parts],
      [
        fact(emits.StockReserved, `hold/${holdId}`, 1, { holdId, heldUntil, lines: said }),
        ...resolved.facts,
        ...suspicions(moves),
      ],
    ),
  };
};

/** The hold comes to its end without an order: its units are available again. */
export const endHold = async (
  tables: Tables,
  hold: Hold,
  outcome: 'RELEASED' | 'EXPIRED',
  cause: Cause,
): Promise<Change<'changed-meanwhile'>> => {
  const watched = await areWatched(tables, hold.lines);
  const moves = unreserve(hold).map((move, index) => ({ ...move, isWatched: watched[index] }));
  const ended = takeOver([{ hold, outcome }], cause);
  return change([...ended.parts, ...bookParts(moves, cause).map(asMeanwhile)], [...ended.facts, ...suspicions(moves)]);
};

/** Resolves holds whose units the same transaction gives to an order or back to everybody. */
export const takeOver = (taken: readonly TakenHold[], cause: Cause): Change<'changed-meanwhile'> =>
  change(
    taken.map(({ hold, outcome }) => resolvedPart(hold, outcome, cause.now)),
    taken.map(({ hold, outcome }) => released(hold, outcome)),
  );

export const released = (hold: Hold, outcome: 'COMMITTED' | 'RELEASED' | 'EXPIRED'): Fact =>
  fact(emits.HoldReleased, `hold/${hold.holdId}`, hold.version + 1, {
    holdId: hold.holdId,
    lines: hold.lines.map(({ sku, nodeId, units }) => ({ sku, nodeId, units })),
    outcome,
  });

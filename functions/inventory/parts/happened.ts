import { type Change, change, fact } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { type NodeLevel, type Supply, totalsOf } from '../domain/availability.ts';
import { type Belief, counted, type DoubtKind, doubted } from '../domain/confidence.ts';
import { type Happening, happenedMoves } from '../domain/happened.ts';
import { type Place, placeOf } from '../domain/movements.ts';
import { emits, type Quantity } from '../emits.ts';
import { beliefPart } from '../store/beliefs.ts';
import { bookParts } from '../store/book.ts';
import { discrepancyOf, openPart } from '../store/discrepancies.ts';
import { levelsAt } from '../store/levels.ts';
import { supplyPart } from '../store/supply.ts';
import { asMeanwhile, suspicions } from './changes.ts';

const adjustedLines = (moves: readonly Happening[]): { sku: string; units: number }[] => {
  const SIGN: Partial<Record<Happening['kind'], -1 | 0>> = { SALE: -1, TRANSFER_OUT: -1, DAMAGE: 0, QUALITY_HOLD: 0 };
  const bySku = new Map<string, number>();
  for (const { kind, sku, units } of moves) bySku.set(sku, (bySku.get(sku) ?? 0) + units * (SIGN[kind] ?? 1));
  return [...bySku].map(([sku, units]) => ({ sku, units })).filter(({ units }) => units !== 0);
};

/** A count is believed again, the more the less it had to correct. */
const beliefsAfter = (
  happenings: readonly Happening[],
  levels: readonly NodeLevel[],
  now: Instant,
): Map<string, Belief> => {
  const onHand = new Map(levels.map((level) => [placeOf(level), totalsOf(level).onHand]));
  return new Map(
    happenings
      .filter(({ kind }) => kind === 'COUNT')
      .map((count) => {
        const booked = onHand.get(placeOf(count))!;
        return [placeOf(count), counted(booked, booked + count.units, count.occurredAt ?? now)];
      }),
  );
};

interface Whole {
  subject: string;
  version: number;
}

/** Happenings on levels as they were read. `isExact`: they must all still stand so, or it is decided anew. */
export const bookHappenings = (
  happenings: readonly Happening[],
  levels: readonly NodeLevel[],
  cause: Cause,
  { subject, version, isExact = false }: Whole & { isExact?: boolean },
): Change<'changed-meanwhile'> => {
  const { moves, exact, short } = happenedMoves(happenings, levels);
  const booking = {
    exact: new Map((isExact ? levels : exact).map((level) => [placeOf(level), level])),
    attributes: beliefsAfter(happenings, levels, cause.now),
  };
  const open = short.map((one) => discrepancyOf(one, cause.now));
  const byNode = Map.groupBy(happenings, ({ nodeId }) => nodeId);
  const adjusted = [...byNode].map(([nodeId, ofNode]) => ({ nodeId, lines: adjustedLines(ofNode) }));
  return change(
    [...bookParts(moves, cause, booking).map(asMeanwhile), ...open.map(openPart)],
    [
      ...adjusted
        .filter(({ lines }) => lines.length > 0)
        .map((data) =>
          fact(emits.StockAdjusted, byNode.size === 1 ? subject : `${subject}@${data.nodeId}`, version, data),
        ),
      ...open.map(({ discrepancyId, sku, nodeId, units, kind, reference }) =>
        fact(emits.DiscrepancyFound, `discrepancy/${discrepancyId}`, 1, {
          ...{ discrepancyId, sku, nodeId, units },
          cause: `${kind} ${reference}`,
        }),
      ),
      ...suspicions(moves),
    ],
  );
};

/**
 * Books what took place at a node, whatever the books said: it is never refused for want of stock. What was not there
 * falls below zero and opens a discrepancy (rule 13). `subject` names the whole, e.g. `receipt/rcp_01J…`; `version` its
 * version. Refused only where others were faster: decide anew.
 */
export const happened = async (
  tables: Tables,
  happenings: readonly Happening[],
  cause: Cause,
  whole: Whole,
): Promise<Change<'changed-meanwhile'>> => {
  const places = [
    ...new Map(happenings.map(({ sku, nodeId }) => [placeOf({ sku, nodeId }), { sku, nodeId }])).values(),
  ];
  return bookHappenings(happenings, await levelsAt(tables, places), cause, whole);
};

/** Supply on its way: announced, changed, or (with 0 units) settled. `from`: only where it still stands at so many. */
export const expectSupply = (supply: Supply, from?: number): Change<'changed-meanwhile'> =>
  change([supplyPart(supply, from)]);

/** What the books say of some SKUs at a node, each as it stands at one moment. */
export const booksOf = async (
  tables: Tables,
  places: readonly Place[],
): Promise<(Place & Record<Quantity, number> & { version: number })[]> =>
  (await levelsAt(tables, places)).map((level) => ({ sku: level.sku, nodeId: level.nodeId, ...totalsOf(level) }));

/** Somebody did not find what the books say: they are believed less from now on. */
export const doubt = async (
  tables: Tables,
  place: Place,
  kind: DoubtKind,
  at: Instant,
): Promise<Change<'changed-meanwhile'>> => {
  const [level] = await levelsAt(tables, [place]);
  return change([beliefPart(level!, doubted(level!.belief, kind, at))]);
};

import { change } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type inventory from '../contract.ts';
import { extended, HOLD_SECONDS_MAX, type Hold, sumByPlace } from '../domain/holds.ts';
import { asRace } from '../parts/changes.ts';
import { endHold, fits, reserve } from '../parts/holds.ts';
import { type StockView, stockOf, stockToTheLast } from '../parts/stock.ts';
import { extendedPart, holdOf } from '../store/holds.ts';
import { knownPolicies } from '../store/policies.ts';
import { categoriesOf } from './categories.ts';

type Handlers = OperationHandlers<typeof inventory>;

const viewOf = ({ holdId, purpose, status, lines, heldUntil, version }: Hold) => ({
  ...{ holdId, purpose, status, heldUntil, version },
  lines: lines.map(({ sku, nodeId, units }) => ({ sku, nodeId, units })),
});

export const holdHandlers = ({
  tables,
  newId,
}: Runtime): Pick<Handlers, 'hold' | 'heldBy' | 'extendHold' | 'releaseHold'> => {
  /** Somebody else's hold looks like a missing one. */
  const ownHold = async (holdId: string, holderId: string): Promise<Result<Hold, 'not-found'>> => {
    const hold = await holdOf(tables, holdId);
    return hold?.holderId === holderId ? ok(hold) : refuse('not-found', `you have no hold ${holdId}`);
  };

  return {
    hold: async ({ purpose, lines, holdSeconds, channel }, { principal, cause, now }) => {
      if (holdSeconds > HOLD_SECONDS_MAX[purpose]) {
        const longest = `${purpose} holds for ${HOLD_SECONDS_MAX[purpose]} seconds at the longest`;
        return refuse('invalid-input', longest, '/holdSeconds');
      }
      const skus = [...new Set(lines.map(({ sku }) => sku))];
      const categoryOf = await categoriesOf(tables, skus, await knownPolicies(tables, now));
      const wanted = sumByPlace(lines).map((line) => ({ ...line, category: categoryOf(line.sku) }));
      const shortOf = (stock: StockView) =>
        wanted.find(({ sku, nodeId, units }) => (stock.available.get(sku)?.get(nodeId) ?? 0) < units);
      const seen = await stockOf(tables, wanted, { now, channel });
      const stock = shortOf(seen) === undefined ? seen : await stockToTheLast(tables, wanted, { now, channel }, seen);
      const short = shortOf(stock);
      if (short !== undefined) {
        const there = stock.available.get(short.sku)?.get(short.nodeId) ?? 0;
        const at = lines.findIndex(({ sku, nodeId }) => sku === short.sku && nodeId === short.nodeId);
        const detail = `${there} of ${short.units} ${short.sku} are available at ${short.nodeId}`;
        return refuse('insufficient-stock', detail, `/lines/${at}/units`);
      }
      const reservation = { holdId: newId('hold'), holderId: principal.id, purpose, lines: wanted, holdSeconds };
      const { hold, change: held } = reserve(reservation, cause, stock);
      const fitting = fits(held);
      return fitting.ok ? reply(viewOf(hold), asRace(held)) : fitting;
    },

    heldBy: async ({ holdId }, { principal }) => {
      const hold = await ownHold(holdId, principal.id);
      return hold.ok ? reply(viewOf(hold.value)) : hold;
    },

    extendHold: async ({ holdId, holdSeconds }, { principal, now }) => {
      const hold = await ownHold(holdId, principal.id);
      if (!hold.ok) return hold;
      const longer = extended(hold.value, holdSeconds, now);
      return longer.ok ? reply(viewOf(longer.value), change([extendedPart(longer.value)])) : longer;
    },

    releaseHold: async ({ holdId }, { principal, cause }) => {
      const hold = await ownHold(holdId, principal.id);
      if (!hold.ok) return hold;
      if (hold.value.status !== 'HELD') return refuse('wrong-state', `the hold is ${hold.value.status}`);
      return reply(
        { ...viewOf(hold.value), status: 'RELEASED' as const },
        await endHold(tables, hold.value, 'RELEASED', cause),
      );
    },
  };
};

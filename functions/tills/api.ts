import { type Principal, worksAt } from '../../shared/auth.ts';
import { change } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Tables } from '../../shared/table.ts';
import { nodeOf } from '../network/parts.ts';
import { bookSale } from './booking.ts';
import type tills from './contract.ts';
import { isSameSale, maintain, type Till } from './domain.ts';
import { takeInBatch } from './journal.ts';
import { conflictsOf, tillAndSale, tillCheck, tillOf, tillPart, tillsOf } from './store.ts';

const noTill = (tillId: string) => refuse('not-found', `there is no till ${tillId} at your node`);

/** A till of the caller's node; another node's looks like a missing one. */
const ownTill = async (tables: Tables, principal: Principal, tillId: string): Promise<Result<Till, 'not-found'>> => {
  const till = await tillOf(tables, tillId);
  return till === undefined || !worksAt(principal, till.nodeId) ? noTill(tillId) : ok(till);
};

export const handlers = (runtime: Runtime): OperationHandlers<typeof tills> => {
  const { tables } = runtime;
  return {
    maintain: async (wanted) => {
      const [node, earlier] = await Promise.all([nodeOf(tables, wanted.nodeId), tillOf(tables, wanted.tillId)]);
      if (node === undefined) return refuse('not-found', `there is no node ${wanted.nodeId}`, '/nodeId');
      const maintained = maintain(wanted, earlier);
      return maintained.ok ? reply(maintained.value, change([tillPart(maintained.value)])) : maintained;
    },

    till: async ({ tillId }, { principal }) => {
      const till = await ownTill(tables, principal, tillId);
      return till.ok ? reply(till.value) : till;
    },

    tills: async ({ nodeId, limit, cursor }, { principal }) =>
      worksAt(principal, nodeId)
        ? reply(await tillsOf(tables, nodeId, { limit, cursor }))
        : refuse('not-found', `${nodeId} is not your node`),

    sell: async ({ nodeId, ...said }, { principal, cause, now }) => {
      if (!worksAt(principal, nodeId)) return refuse('not-found', `${nodeId} is not your node`);
      const { tillId, saleId } = said;
      const { till, sale } = await tillAndSale(tables, tillId, saleId);
      if (till?.nodeId !== nodeId) return noTill(tillId);
      if (sale !== undefined) {
        return isSameSale(sale, said)
          ? reply(sale)
          : refuse('already-exists', `${saleId} was booked with other goods before`, '/saleId');
      }
      if (till.status === 'RETIRED') return refuse('wrong-state', `${tillId} is retired`);
      const sold = { ...said, nodeId, bookedAt: now };
      const booked = await bookSale(tables, sold, cause);
      return booked.ok ? reply(sold, change([tillCheck(till)]), booked.value) : booked;
    },

    journal: async ({ tillId, entries }, { principal, cause, commit }) => {
      const till = await ownTill(tables, principal, tillId);
      if (!till.ok) return till;
      const taken = await takeInBatch(runtime, tillId, entries, { cause, commit });
      if (!taken.ok) return taken;
      const { highest, missing } = (await tillOf(tables, tillId))!;
      return reply({ tillId, entries: taken.value, highest, missing });
    },

    conflicts: async ({ tillId, limit, cursor }, { principal }) => {
      const till = await ownTill(tables, principal, tillId);
      return till.ok ? reply(await conflictsOf(tables, tillId, { limit, cursor })) : till;
    },
  };
};

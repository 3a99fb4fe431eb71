import type * as z from 'zod';
import { type Principal, worksAt } from '../../../shared/auth.ts';
import { change, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import type { Cause } from '../../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Instant } from '../../../shared/time.ts';
import type { StockLevel } from '../contract/shapes.ts';
import type inventory from '../contract.ts';
import { type NodeLevel, type Supply, totalsOf } from '../domain/availability.ts';
import { confidenceOf } from '../domain/confidence.ts';
import { type Correction, correctionMove } from '../domain/corrections.ts';
import { sumBySku } from '../domain/movements.ts';
import { fewestShards } from '../domain/tending.ts';
import { emits } from '../emits.ts';
import { asMeanwhile, suspicions } from '../parts/changes.ts';
import { expectSupply, happened } from '../parts/happened.ts';
import { bookParts } from '../store/book.ts';
import { movementsOf } from '../store/ledger.ts';
import { levelsAt, levelsOf, settingsPart } from '../store/levels.ts';
import { spreadParts } from '../store/shards.ts';
import { supplyOf } from '../store/supply.ts';

type Handlers = OperationHandlers<typeof inventory>;
type Asked = 'levels' | 'ledger' | 'receive' | 'adjust' | 'setAside' | 'settings' | 'spread' | 'supply';

const viewOf = (level: NodeLevel, supply: readonly Supply[], now: Instant): z.input<typeof StockLevel> => {
  const { sku, nodeId, safetyStock, lowAt, shards, belief } = level;
  const { damaged, qualityHold, ...totals } = totalsOf(level);
  return {
    ...{ sku, nodeId, ...totals, damaged, qualityHold, safetyStock, lowAt },
    unavailable: damaged + qualityHold,
    incoming: supply.reduce((sum, one) => (one.nodeId === nodeId ? sum + one.units : sum), 0),
    shards: shards.length,
    confidence: confidenceOf(belief, now),
  };
};

/** Another node looks like a missing one. */
export const atOwnNode = (principal: Principal, nodeId: string): Result<void, 'not-found'> =>
  worksAt(principal, nodeId) ? ok(undefined) : refuse('not-found', `${nodeId} is not your node`);

export const bookHandlers = ({ tables, newId }: Runtime): Pick<Handlers, Asked> => {
  const levelAt = async (sku: string, nodeId: string): Promise<NodeLevel> =>
    (await levelsAt(tables, [{ sku, nodeId }]))[0]!;

  const corrected = async (correction: Correction, cause: Cause) => {
    const level = await levelAt(correction.sku, correction.nodeId);
    const move = correctionMove(correction, level);
    if (!move.ok) return move;
    const { sku, nodeId, kind, units, movementId } = correction;
    const lines = [{ sku, units }];
    const facts =
      kind === 'CORRECTION' ? [fact(emits.StockAdjusted, `movement/${movementId}`, 1, { nodeId, lines })] : [];
    // What is set aside for online may not exceed what is available, which no guard of one attribute can say.
    const exact = kind === 'ONLINE_ONLY' ? new Map([[`${sku} at ${nodeId}`, level]]) : undefined;
    // A lost race is decided anew: whether there is enough is said of what is there, not of what was.
    const parts = bookParts([move.value], cause, exact === undefined ? {} : { exact }).map(asMeanwhile);
    return ok(change(parts, [...facts, ...suspicions([move.value])]));
  };

  return {
    levels: async ({ sku }, { now }) => {
      const [levels, supply] = await Promise.all([levelsOf(tables, sku), supplyOf(tables, sku)]);
      return reply({ items: levels.map((level) => viewOf(level, supply, now)), asOf: now });
    },

    ledger: async ({ sku, nodeId, from, until, limit, cursor }) =>
      from !== undefined && until !== undefined && until <= from
        ? refuse('invalid-input', 'must be after from', '/until')
        : reply(await movementsOf(tables, { sku, nodeId }, { from, until }, { limit, cursor })),

    receive: async ({ nodeId, lines, reference }, { cause }) => {
      const receiptId = newId('movement');
      const received = sumBySku(lines);
      const happenings = received.map((line) => ({
        ...{ ...line, nodeId, kind: 'RECEIPT' as const, movementId: receiptId, reference: reference ?? receiptId },
      }));
      const booked = await happened(tables, happenings, cause, { subject: `movement/${receiptId}`, version: 1 });
      return reply({ receiptId, nodeId, lines: received }, booked);
    },

    adjust: async ({ nodeId, sku, unitsDelta, reason }, { cause }) => {
      const movementId = newId('movement');
      const booked = await corrected({ kind: 'CORRECTION', sku, nodeId, units: unitsDelta, movementId, reason }, cause);
      return booked.ok ? reply({ adjustmentId: movementId, nodeId, sku, unitsDelta }, booked.value) : booked;
    },

    setAside: async ({ nodeId, sku, unitsDelta, as, reason }, { principal, cause }) => {
      const own = atOwnNode(principal, nodeId);
      if (!own.ok) return own;
      const movementId = newId('movement');
      const booked = await corrected({ kind: as, sku, nodeId, units: unitsDelta, movementId, reason }, cause);
      return booked.ok ? reply({ adjustmentId: movementId, nodeId, sku, unitsDelta, as }, booked.value) : booked;
    },

    settings: async ({ sku, nodeId, safetyStock, lowAt }, { now }) => {
      const level = await levelAt(sku, nodeId);
      const { lowAt: _, ...rest } = level;
      const after: NodeLevel = { ...rest, safetyStock, ...(lowAt === undefined ? {} : { lowAt }) };
      const place = { sku, nodeId };
      // A threshold may be set above what is there: then the stock is low from now on.
      const suspected =
        lowAt === undefined
          ? []
          : [fact(emits.LowStockSuspected, `settings/${newId('movement')}`, 1, { levels: [place] })];
      return reply(
        viewOf(after, await supplyOf(tables, sku), now),
        change([settingsPart(place, { safetyStock, lowAt })], suspected),
      );
    },

    spread: async ({ sku, nodeId, shards }, { now, cause }) => {
      const level = await levelAt(sku, nodeId);
      const fewest = fewestShards(level);
      if (shards < fewest) return refuse('wrong-state', `promises lie on ${fewest} shards; wait until they are kept`);
      const spreading = { wanted: shards, movementId: newId('movement'), reason: 'by hand', busyAt: now };
      const after = { ...viewOf(level, await supplyOf(tables, sku), now), shards };
      return reply(after, change(spreadParts(level, spreading, cause)));
    },

    supply: async (supply) => reply(supply, expectSupply(supply)),
  };
};

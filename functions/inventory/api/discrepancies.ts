import { change } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type inventory from '../contract.ts';
import { happened } from '../parts/happened.ts';
import { discrepanciesOf, openDiscrepancy, resolutionParts } from '../store/discrepancies.ts';
import { atOwnNode } from './books.ts';

type Handlers = OperationHandlers<typeof inventory>;

export const discrepancyHandlers = ({ tables }: Runtime): Pick<Handlers, 'discrepancies' | 'resolveDiscrepancy'> => ({
  discrepancies: async ({ nodeId, status, limit, cursor }, { principal }) => {
    const own = atOwnNode(principal, nodeId);
    return own.ok ? reply(await discrepanciesOf(tables, nodeId, { status, limit, cursor })) : own;
  },

  resolveDiscrepancy: async ({ nodeId, discrepancyId, resolution, unitsDelta, note }, { principal, cause, now }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const open = await openDiscrepancy(tables, nodeId, discrepancyId);
    if (open === undefined) return refuse('not-found', `no discrepancy ${discrepancyId} is open at ${nodeId}`);
    const resolved = { ...open, resolution, note, resolvedAt: now, resolvedBy: cause.actor };
    const { sku } = open;
    const movementId = `${discrepancyId}#RESOLVED`;
    const correction = {
      sku,
      nodeId,
      kind: 'CORRECTION' as const,
      units: unitsDelta,
      movementId,
      reference: discrepancyId,
    };
    const booked =
      unitsDelta === 0
        ? change([])
        : await happened(tables, [{ ...correction, reason: note }], cause, {
            subject: `discrepancy/${discrepancyId}`,
            version: 2,
          });
    return reply(resolved, change(resolutionParts(resolved)), booked);
  },
});

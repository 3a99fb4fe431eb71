import { change, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { doubt } from '../../inventory/parts.ts';
import { Tolerance } from '../contract/shapes.ts';
import type stockroom from '../contract.ts';
import { type Count, isOver } from '../domain/counts.ts';
import { emits } from '../emits.ts';
import { askedCount, askedPart, countKey, countParts, shortPickKey } from '../store/counts.ts';
import { documentAt, onceAt, oncePart } from '../store/documents.ts';
import { atOwnNode } from './bounds.ts';
import { opened, openedFact } from './counts.ts';

export const shortPickHandlers = (runtime: Runtime): Pick<OperationHandlers<typeof stockroom>, 'reportShortPick'> => ({
  reportShortPick: async ({ nodeId, sku, expected, found, reference }, { principal, now }) => {
    const { tables } = runtime;
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    if (found >= expected) return refuse('invalid-input', 'must be less than expected', '/found');
    const key = shortPickKey(nodeId, sku, reference);
    const earlier = await onceAt<{ countId: string }>(tables, key);
    if (earlier !== undefined) return reply({ nodeId, sku, countId: earlier.countId });
    const asked = await askedCount(tables, nodeId, sku);
    const known = asked && (await documentAt<Count>(tables, countKey(asked.countId)));
    const isAsked = known !== undefined && !isOver(known);
    const tolerance = Tolerance.parse({});
    const count = isAsked
      ? known
      : await opened(runtime, { nodeId, because: 'SHORT_PICK', tolerance, reference, skus: [sku] }, now);
    const { countId } = count;
    const data = { nodeId, sku, expected, found, reference, countId };
    const reported = fact(emits.ShortPickReported, `short-pick/${nodeId}/${sku}/${reference}`, 1, data);
    return reply(
      { nodeId, sku, countId },
      change([oncePart(key, { countId, expected, found, at: now })], [reported]),
      await doubt(tables, { sku, nodeId }, 'SHORT_PICK', now),
      ...(isAsked
        ? []
        : [
            change(
              [...countParts(count, undefined), askedPart(nodeId, sku, countId, asked?.countId)],
              [openedFact(count)],
            ),
          ]),
    );
  },
});

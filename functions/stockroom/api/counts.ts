import type { Principal } from '../../../shared/auth.ts';
import { change, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type stockroom from '../contract.ts';
import { type Count, entered, rejected, standing, submitted, take } from '../domain/counts.ts';
import { emits } from '../emits.ts';
import { countKey, countParts } from '../store/counts.ts';
import { documentAt, documentsOf } from '../store/documents.ts';
import { atOwnNode } from './bounds.ts';
import { freshLines, judge, settled } from './posting.ts';

type Handlers = OperationHandlers<typeof stockroom>;
type Working = 'openCount' | 'counts' | 'count' | 'enterCount' | 'cancelCount';
type Judging = 'submitCount' | 'approveCount' | 'rejectCount';

/** Who counts does not see what the books say: the shelf is looked at, not the screen. */
const viewOf = (count: Count) => ({
  ...count,
  lines: count.lines.map((line) => {
    const { units: counted, countedAt } = standing(line) ?? {};
    return {
      ...{ sku: line.sku, counted, countedAt, times: line.entries.length },
      ...(count.status === 'OPEN' ? {} : { booked: line.booked, ...line.judgement }),
    };
  }),
});

const ownCount = async (
  { tables }: Runtime,
  principal: Principal,
  { nodeId, countId }: { nodeId: string; countId: string },
): Promise<Result<Count, 'not-found'>> => {
  const own = atOwnNode(principal, nodeId);
  if (!own.ok) return own;
  const count = await documentAt<Count>(tables, countKey(countId));
  return count?.nodeId === nodeId ? ok(count) : refuse('not-found', `${nodeId} has no count ${countId}`);
};

/** A count that is opened now. */
export const opened = async (
  runtime: Runtime,
  what: Pick<Count, 'nodeId' | 'because' | 'tolerance'> & { reference?: string; skus: readonly string[] },
  now: string,
): Promise<Count> => {
  const { skus, ...rest } = what;
  return {
    ...rest,
    countId: runtime.newId('count'),
    method: 'MANUAL',
    status: 'OPEN',
    lines: await freshLines(runtime, rest.nodeId, skus),
    counters: [],
    openedAt: now,
    countsFrom: now,
    updatedAt: now,
    version: 1,
  };
};

export const openedFact = ({ countId, nodeId, because, version, lines }: Count) =>
  fact(emits.CountOpened, `count/${countId}`, version, {
    ...{ countId, nodeId, because, skus: lines.map(({ sku }) => sku) },
  });

const workingHandlers = (runtime: Runtime): Pick<Handlers, Working> => ({
  openCount: async ({ nodeId, skus, tolerance }, { principal, now }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const count = await opened(runtime, { nodeId, because: 'CYCLE', tolerance, skus }, now);
    return reply(viewOf(count), change(countParts(count, undefined), [openedFact(count)]));
  },

  counts: async ({ nodeId, ...page }, { principal }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const { items, ...rest } = await documentsOf<Count>(runtime.tables, { list: 'COUNTS', nodeId, ...page });
    return reply({ items: items.map(viewOf), ...rest });
  },

  count: async (one, { principal }) => {
    const count = await ownCount(runtime, principal, one);
    return count.ok ? reply(viewOf(count.value)) : count;
  },

  enterCount: async ({ sku, units, countedAt, ...one }, { principal, cause, now }) => {
    const before = await ownCount(runtime, principal, one);
    if (!before.ok) return before;
    const after = entered(before.value, sku, { units, countedAt: countedAt ?? now, by: cause.actor }, now);
    if (!after.ok) return after;
    return after.value === before.value
      ? reply(viewOf(after.value))
      : reply(viewOf(after.value), change(countParts(after.value, before.value)));
  },

  cancelCount: async (one, { principal, now }) => {
    const before = await ownCount(runtime, principal, one);
    if (!before.ok) return before;
    const after = take(before.value, 'cancel', now);
    return after.ok ? reply(viewOf(after.value), change(countParts(after.value, before.value))) : after;
  },
});

const judgingHandlers = (runtime: Runtime): Pick<Handlers, Judging> => ({
  submitCount: async (one, { principal, cause, now }) => {
    const before = await ownCount(runtime, principal, one);
    if (!before.ok) return before;
    if (before.value.status !== 'OPEN') return refuse('wrong-state', `the count is ${before.value.status}`);
    const found = await judge(runtime, before.value);
    if (!found.ok) return found;
    const after = submitted(found.value.count, now);
    if (!after.ok) return after;
    const changes = await settled(runtime, { ...found.value, count: after.value }, before.value, cause);
    return changes.ok ? reply(viewOf(after.value), ...changes.value) : changes;
  },

  approveCount: async (one, { principal, cause, now }) => {
    const before = await ownCount(runtime, principal, one);
    if (!before.ok) return before;
    const after = take(before.value, 'approve', now);
    if (!after.ok) return after;
    if (before.value.counters.includes(cause.actor)) {
      return refuse('forbidden', 'you have counted yourself; somebody else has to approve');
    }
    // What was booked late since then may explain a part of the variance.
    const found = await judge(runtime, after.value);
    if (!found.ok) return found;
    const changes = await settled(runtime, found.value, before.value, cause);
    return changes.ok ? reply(viewOf(found.value.count), ...changes.value) : changes;
  },

  rejectCount: async ({ note, ...one }, { principal, cause, now }) => {
    const before = await ownCount(runtime, principal, one);
    if (!before.ok) return before;
    const after = rejected(before.value, note, now);
    if (!after.ok) return after;
    const { nodeId, countId, version } = after.value;
    const said = fact(emits.CountRejected, `count/${countId}`, version, { nodeId, countId, note });
    return before.value.counters.includes(cause.actor)
      ? refuse('forbidden', 'you have counted yourself; somebody else has to look at it')
      : reply(viewOf(after.value), change(countParts(after.value, before.value), [said]));
  },
});

export const countHandlers = (runtime: Runtime): Pick<Handlers, Working | Judging> => ({
  ...workingHandlers(runtime),
  ...judgingHandlers(runtime),
});

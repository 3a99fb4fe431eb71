import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '../../../shared/auth.ts';
import { change, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { expectSupply, happened } from '../../inventory/parts.ts';
import { ADVICE_LINES_MAX } from '../contract/shapes.ts';
import type stockroom from '../contract.ts';
import { type Advice, announced, closed, received } from '../domain/advices.ts';
import { arrivals, type DeliveredLine, overOf, shortOf, sumDelivered } from '../domain/receiving.ts';
import { emits } from '../emits.ts';
import { adviceKey, adviceParts, deliveryKey } from '../store/advices.ts';
import { documentAt, documentsOf, onceAt, oncePart } from '../store/documents.ts';
import { atOwnNode, fitting } from './bounds.ts';

type Handlers = OperationHandlers<typeof stockroom>;
type Keeping = 'announceAdvice' | 'closeAdvice';
type Reading = 'advices' | 'advice';

const viewOf = (advice: Advice) => ({
  ...advice,
  lines: advice.lines.map((line) => ({ ...line, over: overOf(line), short: shortOf(line) })),
});

const subjectOf = ({ nodeId, adviceId }: Advice): string => `advice/${nodeId}/${adviceId}`;

/** What is still on its way of some lines: supply that the stock counts on. */
const supplyOf = ({ adviceId, nodeId, dueAt }: Advice, lines: readonly { sku: string; units: number }[]) =>
  lines.map(({ sku, units }) => expectSupply({ supplyId: `ADV_${adviceId}`, sku, nodeId, units, dueAt }));

/** The advice was changed: what its lines still lead one to expect. */
const expectedOf = (advice: Advice, skus: readonly string[]) => {
  if (advice.status === 'CLOSED') return [];
  const lines = advice.lines.filter(({ sku, expected }) => expected > 0 && skus.includes(sku));
  return supplyOf(
    advice,
    lines.map((line) => ({ sku: line.sku, units: shortOf(line) })),
  );
};

const adviceOf = ({ tables }: Runtime, nodeId: string, adviceId: string): Promise<Advice | undefined> =>
  documentAt(tables, adviceKey(nodeId, adviceId));

const ownAdvice = async (
  runtime: Runtime,
  principal: Principal,
  { nodeId, adviceId }: { nodeId: string; adviceId: string },
): Promise<Result<Advice, 'not-found'>> => {
  const own = atOwnNode(principal, nodeId);
  if (!own.ok) return own;
  const advice = await adviceOf(runtime, nodeId, adviceId);
  return advice === undefined ? refuse('not-found', `${nodeId} has no advice ${adviceId}`) : ok(advice);
};

const keepingHandlers = (runtime: Runtime): Pick<Handlers, Keeping> => ({
  announceAdvice: async (announcement, { now }) => {
    const before = await adviceOf(runtime, announcement.nodeId, announcement.adviceId);
    const after = announced(announcement, before, now);
    if (!after.ok) return after;
    const advice = after.value;
    const { nodeId, adviceId, dueAt } = advice;
    const lines = advice.lines.map(({ sku, expected }) => ({ sku, units: expected }));
    const dropped = (before?.lines ?? []).filter(({ sku }) => !lines.some((line) => line.sku === sku));
    const said = fact(emits.AdviceAnnounced, subjectOf(advice), advice.version, { nodeId, adviceId, lines, dueAt });
    return reply(
      viewOf(advice),
      change(adviceParts(advice, before), [said]),
      ...supplyOf(advice, [...lines, ...dropped.map(({ sku }) => ({ sku, units: 0 }))]),
    );
  },

  closeAdvice: async ({ nodeId, adviceId }, { principal, now }) => {
    const before = await ownAdvice(runtime, principal, { nodeId, adviceId });
    if (!before.ok) return before;
    const after = closed(before.value, now);
    if (!after.ok) return after;
    const advice = after.value;
    const view = viewOf(advice);
    const lines = view.lines.map(({ sku, over, short }) => ({ sku, over, short }));
    const open = advice.lines.filter((line) => shortOf(line) > 0).map(({ sku }) => ({ sku, units: 0 }));
    return reply(
      view,
      change(adviceParts(advice, before.value), [
        fact(emits.AdviceClosed, subjectOf(advice), advice.version, { nodeId, adviceId, lines }),
      ]),
      ...supplyOf(advice, open),
    );
  },
});

const readingHandlers = (runtime: Runtime): Pick<Handlers, Reading> => ({
  advices: async ({ nodeId, ...page }, { principal }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const { items, ...rest } = await documentsOf<Advice>(runtime.tables, { list: 'ADVICES', nodeId, ...page });
    return reply({ items: items.map(viewOf), ...rest });
  },

  advice: async ({ nodeId, adviceId }, { principal }) => {
    const advice = await ownAdvice(runtime, principal, { nodeId, adviceId });
    return advice.ok ? reply(viewOf(advice.value)) : advice;
  },
});

const receivingHandlers = (runtime: Runtime): Pick<Handlers, 'receiveAdvice'> => ({
  receiveAdvice: async ({ nodeId, adviceId, deliveryId, lines }, { principal, cause, now }) => {
    const before = await ownAdvice(runtime, principal, { nodeId, adviceId });
    if (!before.ok) return before;
    const delivered = sumDelivered(lines);
    const key = deliveryKey(adviceKey(nodeId, adviceId), deliveryId);
    const earlier = await onceAt<{ lines: DeliveredLine[] }>(runtime.tables, key);
    if (earlier !== undefined) {
      return isDeepStrictEqual(earlier.lines, delivered)
        ? reply(viewOf(before.value))
        : refuse('already-exists', `delivery ${deliveryId} was booked before, with other lines`);
    }
    const after = received(before.value, delivered, ADVICE_LINES_MAX, now);
    if (!after.ok) return after;
    const advice = after.value;
    const movementId = `ADV#${adviceId}#${deliveryId}`;
    const arrived = arrivals('RECEIPT', nodeId, delivered, { movementId, reference: adviceId });
    const booked = await happened(runtime.tables, arrived, cause, {
      subject: `movement/${movementId}@${nodeId}`,
      version: 1,
    });
    const data = { nodeId, adviceId, deliveryId, lines: delivered };
    const changes = fitting(
      change(
        [...adviceParts(advice, before.value), oncePart(key, { lines: delivered, at: now, by: cause.actor })],
        [fact(emits.AdviceReceived, subjectOf(advice), advice.version, data)],
      ),
      booked,
      ...expectedOf(
        advice,
        delivered.map(({ sku }) => sku),
      ),
    );
    return changes.ok ? reply(viewOf(advice), ...changes.value) : changes;
  },
});

export const adviceHandlers = (runtime: Runtime): Pick<Handlers, Keeping | Reading | 'receiveAdvice'> => ({
  ...keepingHandlers(runtime),
  ...readingHandlers(runtime),
  ...receivingHandlers(runtime),
});

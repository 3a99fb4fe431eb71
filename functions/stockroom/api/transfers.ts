import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '../../../shared/auth.ts';
import { change, type Fact, fact } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { expectSupply, happened } from '../../inventory/parts.ts';
import { ADVICE_LINES_MAX } from '../contract/shapes.ts';
import type stockroom from '../contract.ts';
import { arrivals, type DeliveredLine, shortOf, sumDelivered } from '../domain/receiving.ts';
import { balanceOf, cancelled, closed, received, requested, shipped, type Transfer } from '../domain/transfers.ts';
import { emits } from '../emits.ts';
import { deliveryKey } from '../store/advices.ts';
import { documentAt, documentsOf, onceAt, oncePart } from '../store/documents.ts';
import { transferKey, transferParts } from '../store/transfers.ts';
import { atOwnNode, fitting } from './bounds.ts';

type Handlers = OperationHandlers<typeof stockroom>;
type Reading = 'transfers' | 'transfer';
type Ending = 'closeTransfer' | 'cancelTransfer';
type Sending = 'requestTransfer' | 'shipTransfer';

const viewOf = (transfer: Transfer) => ({ ...transfer, lines: balanceOf(transfer) });

const betweenOf = ({ transferId, fromNodeId, toNodeId }: Transfer) => ({ transferId, fromNodeId, toNodeId });

/** What is on its way of some SKUs, which the stock of the destination counts on. */
const supplyOf = (transfer: Transfer, skus: readonly string[]) =>
  balanceOf(transfer)
    .filter(({ sku, shipped: left }) => left > 0 && skus.includes(sku))
    .map(({ sku, inTransit }) =>
      expectSupply({
        ...{ supplyId: `TRF_${transfer.transferId}`, sku, nodeId: transfer.toNodeId },
        ...{ units: inTransit, dueAt: transfer.dueAt! },
      }),
    );

/** A transfer is closed once, by its last delivery or by somebody: a fact of its own, beside that of the delivery. */
const closing = (transfer: Transfer): Fact =>
  fact(emits.TransferClosed, `transfer/${transfer.transferId}/closing`, 1, {
    ...betweenOf(transfer),
    lines: balanceOf(transfer).map(({ sku, over, lost }) => ({ sku, over, lost })),
  });

/** A transfer that starts or ends at the node. */
const ownTransfer = async (
  { tables }: Runtime,
  principal: Principal,
  { nodeId, transferId }: { nodeId: string; transferId: string },
): Promise<Result<Transfer, 'not-found'>> => {
  const own = atOwnNode(principal, nodeId);
  if (!own.ok) return own;
  const transfer = await documentAt<Transfer>(tables, transferKey(transferId));
  return transfer?.fromNodeId === nodeId || transfer?.toNodeId === nodeId
    ? ok(transfer)
    : refuse('not-found', `${nodeId} has no transfer ${transferId}`);
};

const readingHandlers = (runtime: Runtime): Pick<Handlers, Reading> => ({
  transfers: async ({ nodeId, direction, ...page }, { principal }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    const list = `TRANSFERS-${direction}` as const;
    const { items, ...rest } = await documentsOf<Transfer>(runtime.tables, { list, nodeId, ...page });
    return reply({ items: items.map(viewOf), ...rest });
  },

  transfer: async (one, { principal }) => {
    const transfer = await ownTransfer(runtime, principal, one);
    return transfer.ok ? reply(viewOf(transfer.value)) : transfer;
  },
});

const endingHandlers = (runtime: Runtime): Pick<Handlers, Ending> => ({
  closeTransfer: async (one, { principal, now }) => {
    const before = await ownTransfer(runtime, principal, one);
    if (!before.ok) return before;
    const after = closed(before.value, one.nodeId, now);
    if (!after.ok) return after;
    const missing = before.value.lines.filter((line) => shortOf(line) > 0).map(({ sku }) => sku);
    const changed = change(transferParts(after.value, before.value), [closing(after.value)]);
    return reply(viewOf(after.value), changed, ...supplyOf(after.value, missing));
  },

  cancelTransfer: async (one, { principal, now }) => {
    const before = await ownTransfer(runtime, principal, one);
    if (!before.ok) return before;
    const after = cancelled(before.value, one.nodeId, now);
    if (!after.ok) return after;
    const { transferId, version } = after.value;
    const facts = [fact(emits.TransferCancelled, `transfer/${transferId}`, version, betweenOf(after.value))];
    return reply(viewOf(after.value), change(transferParts(after.value, before.value), facts));
  },
});

const sendingHandlers = (runtime: Runtime): Pick<Handlers, Sending> => ({
  requestTransfer: async ({ nodeId, fromNodeId, lines }, { principal, now }) => {
    const own = atOwnNode(principal, nodeId);
    if (!own.ok) return own;
    if (fromNodeId === nodeId) return refuse('invalid-input', 'must be another node', '/fromNodeId');
    const transfer = requested({ transferId: runtime.newId('transfer'), fromNodeId, toNodeId: nodeId }, lines, now);
    const wanted = transfer.lines.map(({ sku, requested: units }) => ({ sku, units }));
    const data = { ...betweenOf(transfer), lines: wanted };
    const facts = [fact(emits.TransferRequested, `transfer/${transfer.transferId}`, transfer.version, data)];
    return reply(viewOf(transfer), change(transferParts(transfer, undefined), facts));
  },

  shipTransfer: async ({ lines, dueAt, ...one }, { principal, cause, now }) => {
    const before = await ownTransfer(runtime, principal, one);
    if (!before.ok) return before;
    const after = shipped(before.value, one.nodeId, { lines, dueAt, now });
    if (!after.ok) return after;
    const transfer = after.value;
    const { transferId, version } = transfer;
    const left = transfer.lines
      .filter(({ expected }) => expected > 0)
      .map(({ sku, expected }) => ({ sku, units: expected }));
    const movementId = `${transferId}#SHIPPED`;
    const what = { nodeId: one.nodeId, kind: 'TRANSFER_OUT' as const, movementId, reference: transferId };
    const booked = await happened(
      runtime.tables,
      left.map((line) => ({ ...line, ...what })),
      cause,
      { subject: `movement/${movementId}`, version: 1 },
    );
    const data = { ...betweenOf(transfer), lines: left, dueAt };
    const changes = fitting(
      change(transferParts(transfer, before.value), [
        fact(emits.TransferShipped, `transfer/${transferId}`, version, data),
      ]),
      booked,
      ...supplyOf(
        transfer,
        left.map(({ sku }) => sku),
      ),
    );
    return changes.ok ? reply(viewOf(transfer), ...changes.value) : changes;
  },
});

const receivingHandlers = (runtime: Runtime): Pick<Handlers, 'receiveTransfer'> => ({
  receiveTransfer: async ({ deliveryId, lines, ...one }, { principal, cause, now }) => {
    const before = await ownTransfer(runtime, principal, one);
    if (!before.ok) return before;
    const delivered = sumDelivered(lines);
    const { transferId } = one;
    const key = deliveryKey(transferKey(transferId), deliveryId);
    const earlier = await onceAt<{ lines: DeliveredLine[] }>(runtime.tables, key);
    if (earlier !== undefined) {
      return isDeepStrictEqual(earlier.lines, delivered)
        ? reply(viewOf(before.value))
        : refuse('already-exists', `delivery ${deliveryId} was booked before, with other lines`);
    }
    const after = received(before.value, one.nodeId, delivered, ADVICE_LINES_MAX, now);
    if (!after.ok) return after;
    const transfer = after.value;
    const movementId = `${transferId}#${deliveryId}`;
    const arrived = arrivals('TRANSFER_IN', one.nodeId, delivered, { movementId, reference: transferId });
    const subject = { subject: `movement/${movementId}`, version: 1 };
    const data = { ...betweenOf(transfer), deliveryId, lines: delivered };
    const facts = [fact(emits.TransferReceived, `transfer/${transferId}`, transfer.version, data)];
    const once = oncePart(key, { lines: delivered, at: now, by: cause.actor });
    const isClosing = before.value.status === 'SHIPPED' && transfer.status === 'RECEIVED';
    const skus = delivered.map(({ sku }) => sku);
    const changes = fitting(
      change([...transferParts(transfer, before.value), once], [...facts, ...(isClosing ? [closing(transfer)] : [])]),
      await happened(runtime.tables, arrived, cause, subject),
      ...(before.value.status === 'SHIPPED' ? supplyOf(transfer, skus) : []),
    );
    return changes.ok ? reply(viewOf(transfer), ...changes.value) : changes;
  },
});

export const transferHandlers = (runtime: Runtime): Pick<Handlers, Reading | Sending | 'receiveTransfer' | Ending> => ({
  ...readingHandlers(runtime),
  ...sendingHandlers(runtime),
  ...receivingHandlers(runtime),
  ...endingHandlers(runtime),
});

import type { Caller } from '../support/call.ts';
import {
  ASSOCIATE,
  address,
  CHANNEL,
  COUNTED,
  counterSale,
  EPC,
  HEAD_OFFICE,
  IMPORTS,
  journalEntry,
  type Known,
  node,
  OWNER,
  product,
  profile,
  SKU,
  STORE,
  TILL,
  till,
} from './furnish.ts';

/** One request that its operation accepts, with every field that it knows. Every mutant starts from it. */
export interface Valid {
  as: Caller;
  /** The flat input of the contract: path, query and body. */
  input: Record<string, unknown>;
  /** Fields that exclude others of this request; they are tried by a second valid request. */
  instead?: Record<string, unknown>[];
}

const page = { limit: '20' };

/**
 * By `capability.operation`, in an order in which all of them succeed one after the other. A new operation has to be
 * entered here, or the matrix fails.
 */
export const validRequests = (known: Known): Record<string, Valid> => {
  const { orderId, addressId, cartId, orderToConfirm, toShip, toCollect, toReject } = known;
  const { holdId, holdToRelease, discrepancyId } = known;
  const at = { sku: SKU, nodeId: STORE };
  const price = { amountMinor: 12_900, currency: 'KRW' };
  const step = (fulfilmentOrderId: string): Valid => ({ as: ASSOCIATE, input: { fulfilmentOrderId } });
  const channelOrder = {
    reference: 'MKT-1',
    channel: 'marketplace',
    holdId: known.holdOfChannel,
    buyer: { reference: 'buyer-1' },
    currency: 'KRW',
    expectedTotal: price,
  };
  return {
    'platform.health': { as: undefined, input: {} },
    'platform.openapi': { as: undefined, input: {} },
    'network.maintain': { as: HEAD_OFFICE, input: { nodeId: STORE, ...node } },
    'network.node': { as: undefined, input: { nodeId: STORE } },
    'network.nodes': { as: undefined, input: page },
    'catalog.publish': { as: HEAD_OFFICE, input: { productId: 'prd-tee', ...product } },
    'catalog.product': { as: undefined, input: { productId: 'prd-tee' } },
    'catalog.products': { as: undefined, input: { category: 'apparel/tops', ...page } },
    'catalog.variant': { as: undefined, input: { sku: SKU } },
    'inventory.availability': { as: undefined, input: { sku: SKU, channel: 'app' } },
    'inventory.availabilities': { as: undefined, input: { skus: `${SKU},CAP`, channel: 'app' } },
    'inventory.availabilityAtNode': { as: undefined, input: { nodeId: STORE, skus: `${SKU},CAP`, channel: 'pos' } },
    'inventory.nearestNodes': {
      as: undefined,
      input: { latitude: '37.5', longitude: '127.02', lines: `${SKU}:1`, channel: 'web', limit: '5' },
    },
    'inventory.promise': { as: undefined, input: { sku: SKU, units: '2', channel: 'web' } },
    'inventory.hold': {
      as: OWNER,
      input: {
        purpose: 'CART',
        lines: [{ sku: SKU, nodeId: STORE, units: 2 }],
        holdSeconds: 600,
        channel: 'web',
      },
    },
    'inventory.heldBy': { as: OWNER, input: { holdId } },
    'inventory.extendHold': { as: OWNER, input: { holdId, holdSeconds: 3600 } },
    'inventory.releaseHold': { as: OWNER, input: { holdId: holdToRelease } },
    'inventory.levels': { as: ASSOCIATE, input: { sku: SKU } },
    'inventory.ledger': {
      as: ASSOCIATE,
      input: { ...at, from: '2026-11-01T00:00:00.000Z', until: '2026-12-01T00:00:00.000Z', ...page },
    },
    'inventory.receive': {
      as: HEAD_OFFICE,
      input: { nodeId: STORE, lines: [{ sku: SKU, units: 3 }], reference: 'delivery note 7' },
    },
    'inventory.adjust': {
      as: HEAD_OFFICE,
      input: { nodeId: STORE, sku: SKU, unitsDelta: 2, reason: 'counted' },
    },
    'imports.open': {
      as: HEAD_OFFICE,
      input: {
        ...{ importId: 'imp-new', format: 'csv', meaning: 'ON_HAND', header: 'sku,nodeId,onHand' },
        asOf: '2026-11-20T09:00:00.000Z',
      },
      instead: [{ importId: 'imp-lines', format: 'jsonl', meaning: 'CHANGES' }],
    },
    'imports.load': {
      as: HEAD_OFFICE,
      input: { importId: IMPORTS.changes, firstLine: 10, text: `${SKU},${STORE},1\n"broken,${STORE},1` },
    },
    'imports.progress': { as: HEAD_OFFICE, input: { importId: IMPORTS.levels } },
    'imports.quarantine': { as: HEAD_OFFICE, input: { importId: IMPORTS.levels, ...page } },
    'imports.fix': {
      as: HEAD_OFFICE,
      input: {
        ...{ importId: IMPORTS.levels, line: '2', sku: SKU, nodeId: STORE },
        ...{ onHand: 99_990, reason: 'written wrong' },
      },
      instead: [{ importId: IMPORTS.changes, line: '2', sku: SKU, nodeId: STORE, unitsDelta: 2 }],
    },
    'imports.close': { as: HEAD_OFFICE, input: { importId: IMPORTS.levels, rows: 1 } },
    'imports.exported': { as: ASSOCIATE, input: { format: 'csv', nodeId: STORE, bom: 'true', limit: '20' } },
    'inventory.setAside': { as: ASSOCIATE, input: { ...at, unitsDelta: 2, as: 'DAMAGE', reason: 'a torn seam' } },
    'inventory.settings': { as: HEAD_OFFICE, input: { ...at, safetyStock: 2, lowAt: 5 } },
    'inventory.spread': { as: HEAD_OFFICE, input: { ...at, shards: 2 } },
    'inventory.supply': {
      as: HEAD_OFFICE,
      input: { ...at, supplyId: 'po-1', units: 5, dueAt: '2026-12-01T00:00:00.000Z' },
    },
    'inventory.policies': { as: ASSOCIATE, input: {} },
    'inventory.setPolicy': {
      as: HEAD_OFFICE,
      input: {
        ...{ policyId: 'app-buffer', kind: 'BUFFER', channels: ['app'], nodeIds: [STORE], categories: ['food'] },
        ...{ skus: [SKU], units: 1, percent: 5, from: '2026-11-01T00:00:00.000Z', until: '2026-12-01T00:00:00.000Z' },
      },
    },
    'inventory.endPolicy': { as: HEAD_OFFICE, input: { policyId: 'kiosk-buffer' } },
    'inventory.discrepancies': { as: ASSOCIATE, input: { nodeId: STORE, status: 'OPEN', ...page } },
    'inventory.resolveDiscrepancy': {
      as: ASSOCIATE,
      input: { nodeId: STORE, discrepancyId, resolution: 'FOUND', unitsDelta: 1, note: 'behind the counter' },
    },
    'tills.maintain': { as: HEAD_OFFICE, input: { tillId: TILL, ...till } },
    'tills.till': { as: ASSOCIATE, input: { tillId: TILL } },
    'tills.tills': { as: ASSOCIATE, input: { nodeId: STORE, ...page } },
    'tills.sell': { as: ASSOCIATE, input: { nodeId: STORE, tillId: TILL, ...counterSale } },
    'tills.journal': { as: ASSOCIATE, input: { tillId: TILL, entries: [journalEntry] } },
    'tills.conflicts': { as: ASSOCIATE, input: { tillId: TILL, ...page } },
    ...stockroomRequests(known),
    'customers.profile': { as: OWNER, input: {} },
    'customers.saveProfile': { as: OWNER, input: profile },
    'customers.addAddress': { as: OWNER, input: address },
    'customers.addresses': { as: OWNER, input: page },
    'carts.current': { as: OWNER, input: {} },
    'carts.setLine': { as: OWNER, input: { sku: SKU, units: 2 } },
    'carts.chooseDelivery': {
      as: OWNER,
      input: { choice: 'HOME_DELIVERY', addressId },
      instead: [{ choice: 'PICKUP', nodeId: STORE }],
    },
    'carts.deliveryOptions': { as: OWNER, input: { addressId, channel: 'app' } },
    'carts.hold': { as: OWNER, input: { holdSeconds: 60, channel: 'app' } },
    'orders.place': {
      as: OWNER,
      input: {
        ...{ cartId, expectedTotal: { amountMinor: 25_800, currency: 'KRW' }, channel: 'app' },
        holdId: known.holdToOrder,
      },
    },
    'carts.removeLine': { as: OWNER, input: { sku: SKU } },
    'orders.placeForChannel': {
      as: CHANNEL,
      input: {
        ...channelOrder,
        lines: [{ sku: SKU, units: 1 }],
        delivery: { choice: 'HOME_DELIVERY', shipTo: address },
      },
      instead: [
        {
          ...channelOrder,
          reference: 'MKT-2',
          lines: [{ sku: SKU, units: 1 }],
          delivery: { choice: 'PICKUP', nodeId: STORE },
        },
      ],
    },
    'orders.order': { as: OWNER, input: { orderId } },
    'orders.orders': { as: OWNER, input: page },
    'orders.anyOrder': { as: HEAD_OFFICE, input: { orderId } },
    'payments.pay': { as: OWNER, input: { orderId, method: { kind: 'CARD', token: 'tok_approve' } } },
    'payments.confirm': { as: OWNER, input: { orderId: orderToConfirm, attempt: '1' } },
    'payments.payments': { as: OWNER, input: { orderId } },
    'fulfilment.worklist': { as: ASSOCIATE, input: { nodeId: STORE, ...page } },
    'fulfilment.fulfilmentOrder': step(toShip),
    'fulfilment.ofOrder': { as: OWNER, input: { orderId } },
    'fulfilment.accept': step(toShip),
    'fulfilment.reject': { as: ASSOCIATE, input: { fulfilmentOrderId: toReject, reason: 'damaged', cause: 'DAMAGED' } },
    'fulfilment.pick': step(toShip),
    'fulfilment.pack': step(toShip),
    'fulfilment.dispatch': step(toShip),
    'fulfilment.deliver': step(toShip),
    'fulfilment.ready': step(toCollect),
    'fulfilment.collect': step(toCollect),
    'loyalty.balance': { as: OWNER, input: {} },
    'loyalty.entries': { as: OWNER, input: page },
    'customers.erase': { as: OWNER, input: {} },
  };
};

/** The work of a stockroom, step after step. */
const stockroomRequests = (known: Known): Record<string, Valid> => {
  const { transferToShip, transferToReceive, transferToCancel, countToEnter, countToCancel } = known;
  const at = (input: object = {}, as: Caller = ASSOCIATE): Valid => ({ as, input: { nodeId: STORE, ...input } });
  const dueAt = '2026-11-25T00:00:00.000Z';
  const lines = [{ sku: SKU, units: 3 }];
  const delivered = [{ sku: SKU, good: 1, damaged: 1 }];
  const advice = { adviceId: 'asn-7' };
  const list = { status: 'OPEN', ...page };
  const tolerance = { units: 2, percent: 50 };
  const countedAt = '2026-11-23T01:00:00.000Z';
  const step = (countId: string): Valid => at({ countId });
  return {
    'stockroom.announceAdvice': at({ ...advice, supplier: 'a mill', lines, dueAt }, HEAD_OFFICE),
    'stockroom.advices': at(list),
    'stockroom.advice': at({ adviceId: 'asn-0' }),
    'stockroom.receiveAdvice': at({ adviceId: 'asn-0', deliveryId: 'd-1', lines: delivered }),
    'stockroom.closeAdvice': at({ adviceId: 'asn-0' }),
    'stockroom.requestTransfer': at({ fromNodeId: 'store-mapo', lines }),
    'stockroom.transfers': at({ direction: 'IN', ...list }),
    'stockroom.transfer': at({ transferId: transferToShip }),
    'stockroom.shipTransfer': at({ transferId: transferToShip, lines, dueAt }),
    'stockroom.receiveTransfer': at({
      transferId: transferToReceive,
      deliveryId: 'd-1',
      lines: delivered.map((line) => ({ ...line, damaged: 0 })),
    }),
    'stockroom.closeTransfer': at({ transferId: transferToReceive }),
    'stockroom.cancelTransfer': at({ transferId: transferToCancel }),
    'stockroom.openCount': at({ skus: [COUNTED], tolerance }),
    'stockroom.counts': at(list),
    'stockroom.count': step(countToEnter),
    'stockroom.enterCount': at({ countId: countToEnter, sku: COUNTED, units: 2, countedAt }),
    'stockroom.submitCount': step(countToEnter),
    'stockroom.approveCount': step(known.countToApprove),
    'stockroom.rejectCount': at({ countId: known.countToReject, note: 'look again' }),
    'stockroom.cancelCount': step(countToCancel),
    'stockroom.reportShortPick': at({ sku: COUNTED, expected: 2, found: 1, reference: 'fo-7' }),
    'stockroom.openSession': at({ skus: [COUNTED], tolerance }),
    'stockroom.session': at({ sessionId: known.sessionToRead }),
    'stockroom.readTags': at({ sessionId: known.sessionToRead, epcs: [EPC, 'E2801160600002'], readAt: countedAt }),
    'stockroom.closeSession': at({ sessionId: known.sessionToClose }),
    'stockroom.mapGtin': { as: HEAD_OFFICE, input: { gtin14: '80614141123458', sku: SKU } },
  };
};

import { generateKeyPairSync } from 'node:crypto';
import { publicKeyOf, TillJournal } from '../../examples/till/journal.ts';
import { type CallOptions, channelCaller, customerCaller, staffCaller } from '../support/call.ts';

/** Who acts in the matrix. The owner has everything; the stranger, the other store and the other channel have nothing. */
export const OWNER = customerCaller('owner-0001');
export const STRANGER = customerCaller('stranger-0001');
export const CHANNEL = channelCaller('channel-one');
export const OTHER_CHANNEL = channelCaller('channel-two');
export const STORE = 'store-gangnam';
export const ASSOCIATE = staffCaller(STORE, 'fulfilment:work', 'inventory:read', 'stock:work');
export const OTHER_ASSOCIATE = staffCaller('store-mapo', 'fulfilment:work', 'inventory:read', 'stock:work');
export const HEAD_OFFICE = staffCaller(
  '*',
  ...([
    'catalog:write',
    'network:write',
    'inventory:read',
    'inventory:write',
    'stock:work',
    'orders:read',
    'fulfilment:work',
  ] as const),
);

export const SKU = 'TEE-BLK-M';
/** What is counted is sold by nobody. */
export const COUNTED = 'TEE-COUNTED';
/** The tag of GTIN 80614141123458, serial 6789, as GS1's standard has it. */
export const EPC = '3034257BF7194E4000001A85';
const PICKUP = { choice: 'PICKUP', nodeId: STORE };

export const node = {
  name: { ko: '강남점', en: 'Gangnam', ja: '江南店' },
  kind: 'STORE',
  location: { latitude: 37.4979, longitude: 127.0276 },
  timeZone: 'Asia/Seoul',
  hours: [{ weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '00:00', closes: '23:59' }],
  abilities: ['SHIP', 'PICKUP', 'COLD_CHAIN', 'DAWN', 'SAME_DAY'],
  dawn: { cutOff: '23:00', deliveredBy: '07:00', radiusKm: 50 },
  sameDay: { cutOff: '15:00', deliveredBy: '22:00', radiusKm: 50 },
  answerWithinSeconds: 1800,
  shipDays: 2,
  status: 'OPEN',
};

export const product = {
  name: { ko: '티셔츠', en: 'T-shirt', ja: 'Tシャツ' },
  description: { ko: '면', en: 'Cotton', ja: '綿' },
  category: 'apparel/tops',
  storage: 'AMBIENT',
  variants: [
    {
      sku: SKU,
      options: { colour: 'black' },
      price: { amountMinor: 12_900, currency: 'KRW' },
      taxRatePercent: 10,
    },
  ],
};

export const TILL = 'till-gangnam-1';
const tillKey = generateKeyPairSync('ed25519').privateKey;
/** The till as it is registered, and what it sold. */
export const till = { nodeId: STORE, keys: [publicKeyOf(tillKey)], status: 'ACTIVE' };
export const counterSale = {
  ...{ saleId: '20261123-0001', kind: 'SALE' as const, lines: [{ sku: SKU, units: 1 }] },
  occurredAt: '2026-11-23T00:59:00.000Z',
};
export const journalEntry = new TillJournal(TILL, tillKey).record({ ...counterSale, saleId: '20261123-0002' });

export const address = {
  recipient: 'A customer',
  phone: '+82 10-0000-0001',
  line1: '110 Sejong-daero',
  line2: '3F',
  city: 'Seoul',
  region: 'Seoul',
  postalCode: '04524',
  country: 'KR',
  location: { latitude: 37.5663, longitude: 126.9779 },
};

export const profile = { name: 'A customer', email: 'a@test.example', phone: '+82 10-0000-0001', locale: 'ko' };

/** Two imports, each with line 2 in quarantine. */
export const IMPORTS = { levels: 'imp-levels', changes: 'imp-changes' } as const;

type Done = (name: string, options: CallOptions) => Promise<Record<string, never>>;

/** Fills the tables: one store with stock, and an owner with a cart, orders in several states and work at the store. */
export const furnish = async (
  done: Done,
  { assignWork, sellBelowZero }: { assignWork: () => Promise<void>; sellBelowZero: () => Promise<string> },
) => {
  const as = OWNER;
  await done('network.maintain', { as: HEAD_OFFICE, path: { nodeId: STORE }, body: node });
  await done('catalog.publish', { as: HEAD_OFFICE, path: { productId: 'prd-tee' }, body: product });
  const lines = [{ sku: SKU, units: 100_000 }];
  await done('inventory.receive', { as: HEAD_OFFICE, path: { nodeId: STORE }, body: { lines } });
  for (const [importId, meaning, units] of [
    [IMPORTS.levels, 'ON_HAND', 'onHand'],
    [IMPORTS.changes, 'CHANGES', 'unitsDelta'],
  ]) {
    const path = { importId: importId! };
    const body = { format: 'csv', meaning, header: `sku,nodeId,${units}` };
    await done('imports.open', { as: HEAD_OFFICE, path, body });
    await done('imports.load', { as: HEAD_OFFICE, path, body: { firstLine: 2, text: `NO-SUCH-SKU,${STORE},1` } });
  }
  // So that the stranger is refused because of whose things they name, not for want of a cart.
  await done('carts.setLine', { as: STRANGER, path: { sku: SKU }, body: { units: 1 } });
  await done('customers.saveProfile', { as, body: profile });
  const { addressId } = await done('customers.addAddress', { as, body: address });

  const fillCart = async (delivery: object): Promise<string> => {
    await done('carts.setLine', { as, path: { sku: SKU }, body: { units: 1 } });
    return (await done('carts.chooseDelivery', { as, body: delivery })).cartId as unknown as string;
  };
  const order = async (delivery: object): Promise<string> => {
    const { orderId } = await done('orders.place', { as, body: { cartId: await fillCart(delivery) } });
    return orderId as unknown as string;
  };
  const pay = (orderId: string, token: string) =>
    done('payments.pay', { as, path: { orderId }, body: { method: { kind: 'CARD', token } } });
  const paid = async (delivery: object): Promise<string> => {
    const orderId = await order(delivery);
    await pay(orderId, 'tok_approve');
    return `${orderId}-1`;
  };

  const hold = async (as = OWNER): Promise<string> => {
    const held = await done('inventory.hold', {
      as,
      body: { lines: [{ sku: SKU, nodeId: STORE, units: 1 }], holdSeconds: 600 },
    });
    return held.holdId as unknown as string;
  };
  await done('inventory.setPolicy', {
    as: HEAD_OFFICE,
    path: { policyId: 'kiosk-buffer' },
    body: { kind: 'BUFFER', channels: ['kiosk'] },
  });

  await done('tills.maintain', { as: HEAD_OFFICE, path: { tillId: TILL }, body: till });

  const home = { choice: 'HOME_DELIVERY', addressId };
  const orderId = await order(home);
  const orderToConfirm = await order(home);
  await pay(orderToConfirm, 'tok_needs_action');
  const known = {
    addressId: addressId as unknown as string,
    /** Waits for its payment. */
    orderId,
    /** Its first attempt to pay waits for the buyer. */
    orderToConfirm,
    toShip: await paid(home),
    toCollect: await paid(PICKUP),
    toReject: await paid(home),
    holdId: await hold(),
    holdToRelease: await hold(),
    holdToOrder: await hold(),
    holdOfChannel: await hold(CHANNEL),
    discrepancyId: await sellBelowZero(),
    cartId: await fillCart(home),
  };
  await assignWork();
  await done('fulfilment.accept', { as: ASSOCIATE, path: { fulfilmentOrderId: known.toCollect } });
  return { ...known, ...(await furnishStockroom(done)) };
};

/** Work of a stockroom in each of its states, so that every step has something to be taken on. */
const furnishStockroom = async (done: Done) => {
  const at = (nodeId: string) => ({ as: HEAD_OFFICE, path: { nodeId } });
  const lines = [{ sku: SKU, units: 2 }];
  const transfer = async (fromNodeId: string, toNodeId: string, isShipped: boolean): Promise<string> => {
    const asked = await done('stockroom.requestTransfer', { ...at(toNodeId), body: { fromNodeId, lines } });
    const transferId = asked.transferId as unknown as string;
    const path = { nodeId: fromNodeId, transferId };
    const body = { dueAt: '2026-11-25T00:00:00.000Z' };
    if (isShipped) await done('stockroom.shipTransfer', { as: HEAD_OFFICE, path, body });
    return transferId;
  };
  const count = async (isHandedIn: boolean): Promise<string> => {
    const opened = await done('stockroom.openCount', { ...at(STORE), body: { skus: [COUNTED] } });
    const countId = opened.countId as unknown as string;
    const path = { nodeId: STORE, countId };
    await done('stockroom.enterCount', { as: HEAD_OFFICE, path: { ...path, sku: COUNTED }, body: { units: 9 } });
    if (isHandedIn) await done('stockroom.submitCount', { as: HEAD_OFFICE, path });
    return countId;
  };
  const session = async (): Promise<string> => {
    const opened = await done('stockroom.openSession', { ...at(STORE), body: { skus: [SKU] } });
    return opened.sessionId as unknown as string;
  };
  const advice = { as: HEAD_OFFICE, path: { nodeId: STORE, adviceId: 'asn-0' } };
  await done('stockroom.announceAdvice', { ...advice, body: { lines, dueAt: '2026-11-25T00:00:00.000Z' } });
  const sessionToClose = await session();
  const body = { sessionId: sessionToClose, epcs: [EPC] };
  await done('stockroom.readTags', { ...at(STORE), body });
  return {
    transferToShip: await transfer(STORE, 'store-mapo', false),
    transferToReceive: await transfer('store-mapo', STORE, true),
    transferToCancel: await transfer('store-mapo', STORE, false),
    countToEnter: await count(false),
    countToCancel: await count(false),
    countToApprove: await count(true),
    countToReject: await count(true),
    sessionToRead: await session(),
    sessionToClose,
  };
};

export type Known = Awaited<ReturnType<typeof furnish>>;

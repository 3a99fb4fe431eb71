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

  const hold = async (): Promise<string> => {
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
    discrepancyId: await sellBelowZero(),
    cartId: await fillCart(home),
  };
  await assignWork();
  await done('fulfilment.accept', { as: ASSOCIATE, path: { fulfilmentOrderId: known.toCollect } });
  return known;
};

export type Known = Awaited<ReturnType<typeof furnish>>;

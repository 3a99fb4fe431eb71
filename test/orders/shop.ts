import { randomBytes, randomUUID } from 'node:crypto';
import { handlers as cartHandlers } from '../../functions/carts/api.ts';
import carts from '../../functions/carts/contract.ts';
import { handlers as catalogHandlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { handlers as customerHandlers } from '../../functions/customers/api.ts';
import customers from '../../functions/customers/contract.ts';
import { type Address, sealerFrom } from '../../functions/customers/parts.ts';
import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { handlers as orderHandlers } from '../../functions/orders/api.ts';
import orders from '../../functions/orders/contract.ts';
import { apiOf, type Caller, customerCaller, staffCaller } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

/** 2026-11-23 is a Monday; 10:00 in Seoul. */
export const MONDAY_10_SEOUL = Date.parse('2026-11-23T01:00:00.000Z');

const headOffice = staffCaller('*', 'catalog:write', 'network:write', 'inventory:read', 'inventory:write');
const everyDay = [{ weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '09:00', closes: '22:00' }];

export const homeInSeoul: Address = {
  recipient: '받는 이',
  phone: '+82 10-1234-5678',
  line1: '테헤란로 1',
  city: '서울',
  postalCode: '06130',
  country: 'KR',
  location: { latitude: 37.5, longitude: 127.03 },
};

/** A small business on the real engine: a DC, a store, and customers who can fill carts. Time moves by hand. */
export const openShop = async () => {
  const engine = await startTestEngine(catalog, network, inventory, customers, carts, orders);
  const clock = { nowMs: MONDAY_10_SEOUL };
  const runtime = engine.runtime(clock);
  const sealer = sealerFrom(randomBytes);
  const call = {
    catalog: apiOf(catalog, catalogHandlers(runtime), runtime),
    network: apiOf(network, networkHandlers(runtime), runtime),
    inventory: apiOf(inventory, inventoryHandlers(runtime), runtime),
    customers: apiOf(customers, customerHandlers(runtime, sealer), runtime),
    carts: apiOf(carts, cartHandlers(runtime), runtime),
    orders: apiOf(orders, orderHandlers(runtime, sealer), runtime),
  };

  const succeed = async (answer: ReturnType<typeof call.orders>) => {
    const { status, text, body } = await answer;
    if (status >= 300) throw new Error(`${status} ${text}`);
    return body;
  };

  const openNode = (nodeId: string, kind: 'DC' | 'STORE', latitude: number) =>
    succeed(
      call.network('maintain', {
        as: headOffice,
        path: { nodeId },
        body: {
          name: { ko: nodeId },
          kind,
          location: { latitude, longitude: 127.03 },
          timeZone: 'Asia/Seoul',
          hours: everyDay,
          abilities: kind === 'DC' ? ['SHIP', 'COLD_CHAIN'] : ['SHIP', 'PICKUP'],
          answerWithinSeconds: 1800,
          shipDays: 2,
          status: 'OPEN',
        },
      }),
    );
  await openNode('dc-icheon', 'DC', 37.27);
  await openNode('store-gangnam', 'STORE', 37.49);

  return {
    engine,
    clock,
    runtime,
    sealer,
    call,
    close: engine.close,

    /** Sells SKUs at this price. */
    sell: (sku: string | string[], amountMinor: number, currency = 'KRW') =>
      succeed(
        call.catalog('publish', {
          as: headOffice,
          path: { productId: `prd-${[sku].flat()[0]}` },
          body: {
            name: { ko: '상품' },
            category: 'apparel',
            storage: 'AMBIENT',
            variants: [sku].flat().map((each) => ({
              sku: each,
              price: { amountMinor, currency },
              taxRatePercent: 10,
            })),
          },
        }),
      ),

    receive: (nodeId: string, sku: string | string[], units: number) =>
      succeed(
        call.inventory('receive', {
          as: headOffice,
          path: { nodeId },
          body: { lines: [sku].flat().map((each) => ({ sku: each, units })) },
        }),
      ),

    /** Quantities of a SKU by node. */
    levels: async (sku: string): Promise<Record<string, { available: number; allocated: number; onHand: number }>> => {
      const { items } = await succeed(call.inventory('levels', { as: headOffice, path: { sku } }));
      return Object.fromEntries(
        items.map(({ nodeId, available, allocated, onHand }: Record<string, unknown>) => [
          nodeId,
          { available, allocated, onHand },
        ]),
      );
    },

    addressFor: async (customerId: string): Promise<string> =>
      (await succeed(call.customers('addAddress', { as: customerCaller(customerId), body: homeInSeoul }))).addressId,
  };
};

export type Shop = Awaited<ReturnType<typeof openShop>>;

export interface Customer {
  id: string;
  as: Caller;
  cartId: string;
}

/** A new customer whose cart holds these units and who chose where to get them. */
export const customerWith = async (
  shop: Shop,
  lines: Record<string, number>,
  delivery?: { choice: string; nodeId?: string },
): Promise<Customer> => {
  const id = randomUUID();
  const as = customerCaller(id);
  let cartId = '';
  for (const [sku, units] of Object.entries(lines)) {
    const { status, body, text } = await shop.call.carts('setLine', { as, path: { sku }, body: { units } });
    if (status >= 300) throw new Error(text);
    cartId = body.cartId;
  }
  const wanted = delivery ?? { choice: 'HOME_DELIVERY', addressId: await shop.addressFor(id) };
  const chosen = await shop.call.carts('chooseDelivery', { as, body: wanted });
  if (chosen.status >= 300) throw new Error(chosen.text);
  return { id, as, cartId };
};

export const place = (shop: Shop, { as, cartId }: Customer, extra: { idempotencyKey?: string; body?: object } = {}) =>
  shop.call.orders('place', {
    as,
    ...extra,
    body: { cartId, ...extra.body },
  });

import type { TillJournal } from '../../examples/till/journal.ts';
import { type Caller, channelCaller, customerCaller, staffCaller } from '../support/call.ts';
import type { Chance } from './chance.ts';
import type { Clients } from './client.ts';
import type { Cluster } from './cluster.ts';
import type { Witness } from './witness.ts';

export const SKUS = ['TEE', 'CAP', 'MUG', 'PEN', 'BAG'] as const;
/** What safety stock, buffers, doubts and tills concern: less may be sold of it than is there, or more than was. */
export const DISPUTED = 'BAG';
/** Always open; what sold out is measured by. */
export const NODES = ['dc-icheon', 'store-gangnam', 'store-hongdae', 'store-busan'] as const;
/** Opens and closes as it likes. */
export const POP_UP = 'pop-up';
export const CHANNELS = ['market', 'kiosk'] as const;
export const CUSTOMERS = Array.from({ length: 10 }, (_, index) => `customer-${index + 1}`);

export const headOffice = staffCaller(
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
export const associate = (nodeId: string): Caller =>
  staffCaller(nodeId, 'fulfilment:work', 'inventory:read', 'stock:work');
export const asCustomer = customerCaller;
export const asChannel = channelCaller;

/** What an actor has at hand. */
export interface Shop {
  cluster: Cluster;
  clients: Clients;
  chance: Chance;
  witness: Witness;
  /** Takes one operation from what the run may do; false when there is none left. */
  mayAct(): boolean;
  /** Everything that clients were told and that has to be true at the end. */
  told: Told;
}

export interface Told {
  /** Orders by cart: a cart becomes one order. */
  ordersOfCart: Map<string, Set<string>>;
  /** Orders that were acknowledged. */
  orders: Map<string, { caller: string; units: number; totalMinor: number }>;
  /** Orders by channel and reference. */
  references: Map<string, Set<string>>;
  /** Units received and adjusted that were acknowledged, by movement. */
  movements: Map<string, { nodeId: string; sku: string; units: number }[]>;
  /** What went over the counters, by node: negative for what was sold. */
  counter: Map<string, number>;
  /** Journals of the tills, by till. */
  journals: Map<string, TillJournal>;
  /** Holds that were acknowledged, and until when. */
  holds: Map<string, string>;
  /** Orders whose payment was acknowledged. */
  paid: Set<string>;
}

export const noneTold = (): Told => ({
  ordersOfCart: new Map(),
  orders: new Map(),
  references: new Map(),
  movements: new Map(),
  counter: new Map(),
  journals: new Map(),
  holds: new Map(),
  paid: new Set(),
});

export const home = (latitude: number) => ({
  ...{ recipient: '받는 이', phone: '+82 10-1234-5678', line1: '테헤란로 1', city: '서울', postalCode: '06130' },
  country: 'KR',
  location: { latitude, longitude: 127.03 },
});

const place = (nodeId: string, latitude: number, more: object = {}) => ({
  ...{
    name: { ko: nodeId },
    kind: 'STORE',
    location: { latitude, longitude: 127.03 },
    timeZone: 'Asia/Seoul',
    hours: [],
  },
  ...{ abilities: ['SHIP', 'PICKUP'], answerWithinSeconds: 240, shipDays: 2, status: 'OPEN' },
  ...more,
});

export const popUp = (status: 'OPEN' | 'CLOSED') => place(POP_UP, 37.4, { kind: 'POP_UP', status });

export const product = (sku: string, amountMinor: number) => ({
  ...{ name: { ko: sku }, category: 'things', storage: 'AMBIENT' },
  variants: [{ sku, price: { amountMinor, currency: 'KRW' }, taxRatePercent: 10 }],
});

/** Opens the business while nothing goes wrong yet. */
export const openShop = async ({ clients, chance, told }: Shop): Promise<void> => {
  const must = async (ask: Parameters<Clients['ask']>[1]) => {
    const answer = await clients.ask(headOffice, ask);
    if (answer === undefined || answer.status >= 300) throw new Error(`the shop does not open: ${answer?.text}`);
    return answer.body;
  };
  const express = { cutOff: '20:00', deliveredBy: '23:00', radiusKm: 40 };
  const nodes: Record<string, object> = {
    'dc-icheon': place('dc-icheon', 37.27, { kind: 'DC', abilities: ['SHIP'], answerWithinSeconds: 120 }),
    'store-gangnam': place('store-gangnam', 37.49, { abilities: ['SHIP', 'PICKUP', 'SAME_DAY'], sameDay: express }),
    'store-hongdae': place('store-hongdae', 37.55, { answerWithinSeconds: 400 }),
    'store-busan': place('store-busan', 35.1),
    [POP_UP]: popUp('OPEN'),
  };
  for (const [nodeId, body] of Object.entries(nodes))
    await must({ operation: 'network.maintain', path: { nodeId }, body });
  for (const sku of SKUS) {
    await must({
      operation: 'catalog.publish',
      path: { productId: `prd-${sku}` },
      body: product(sku, 500 * chance.between(1, 60)),
    });
  }
  for (const nodeId of [...NODES, POP_UP]) {
    const lines = SKUS.map((sku) => ({ sku, units: chance.between(1, 8) }));
    const body = await must({
      operation: 'inventory.receive',
      path: { nodeId },
      body: { lines },
      key: clients.newKey(headOffice),
    });
    told.movements.set(
      body.receiptId,
      lines.map((line) => ({ ...line, nodeId })),
    );
  }
};

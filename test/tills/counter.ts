import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type CounterSale, publicKeyOf, type SignedEntry, TillJournal } from '../../examples/till/journal.ts';
import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { handlers } from '../../functions/tills/api.ts';
import tills from '../../functions/tills/contract.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { apiOf, staffCaller } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

export const headOffice = staffCaller('*', 'network:write', 'inventory:read', 'inventory:write', 'stock:work');
export const STORE = 'store-gangnam';
export const cashier = staffCaller(STORE, 'stock:work', 'inventory:read');
export const OTHER_STORE = 'store-mapo';
export const otherCashier = staffCaller(OTHER_STORE, 'stock:work');

/** Ten in the morning of the day on which everything happens, in Seoul. */
export const NOW_MS = Date.parse('2026-11-21T01:00:00.000Z');

const node = (nodeId: string) => ({
  name: { ko: nodeId },
  kind: 'STORE',
  location: { latitude: 37.4979, longitude: 127.0276 },
  timeZone: 'Asia/Seoul',
  hours: [],
  abilities: ['PICKUP'],
  answerWithinSeconds: 1800,
  shipDays: 2,
  status: 'OPEN',
  nodeId,
});

export const newKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

let made = 0;
/** A name that nobody else has in this file. */
export const fresh = (prefix: string): string => {
  made += 1;
  return `${prefix}-${made}`;
};

export type Line = CounterSale['lines'][number];

/** A store's counter on the engine: its tills, its shelves and what the books say of them. */
export const openCounter = async () => {
  const engine = await startTestEngine(tills, inventory, network);
  const clock = { nowMs: NOW_MS };
  const runtime: Runtime = engine.runtime(clock);
  const call = apiOf(tills, handlers(runtime), runtime);
  const stock = apiOf(inventory, inventoryHandlers(runtime), runtime);
  const nodes = apiOf(network, networkHandlers(runtime), runtime);

  const done = async <T extends { status: number; text: string }>(asked: Promise<T>): Promise<T> => {
    const answer = await asked;
    if (answer.status >= 300) throw new Error(answer.text);
    return answer;
  };
  for (const nodeId of [STORE, OTHER_STORE]) {
    const { nodeId: _, ...body } = node(nodeId);
    await done(nodes('maintain', { as: headOffice, path: { nodeId }, body }));
  }

  const register = async (keys: KeyObject[], tillId = fresh('till'), status = 'ACTIVE', nodeId = STORE) => {
    const body = { nodeId, keys: keys.map(publicKeyOf), status };
    await done(call('maintain', { as: headOffice, path: { tillId }, body }));
    return tillId;
  };

  return {
    ...{ engine, clock, runtime, call, stock, register, done },
    /** A new till with a journal of its own. */
    newTill: async (nodeId = STORE): Promise<TillJournal> => {
      const key = newKey();
      return new TillJournal(await register([key], fresh('till'), 'ACTIVE', nodeId), key);
    },
    /** Puts units on the shelf; returns the SKU. */
    goods: async (units: number, sku = fresh('SKU')): Promise<string> => {
      const body = { lines: [{ sku, units }] };
      if (units > 0) await done(stock('receive', { as: headOffice, path: { nodeId: STORE }, body }));
      return sku;
    },
    sell: (tillId: string, sale: CounterSale, as = cashier, nodeId = STORE, idempotencyKey?: string) =>
      call('sell', {
        ...{ as, path: { nodeId }, body: { tillId, ...sale } },
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    send: (tillId: string, entries: readonly SignedEntry[], as = cashier) =>
      call('journal', { as, path: { tillId }, body: { entries } }),
    /** What the books say of a SKU at the store. */
    level: async (sku: string) => {
      const { body } = await done(stock('levels', { as: headOffice, path: { sku } }));
      return body.items.find(({ nodeId }: { nodeId: string }) => nodeId === STORE);
    },
    /** Sales and returns in the ledger of a SKU at the store. */
    booked: async (sku: string) => {
      const asked = stock('ledger', { as: headOffice, path: { sku, nodeId: STORE }, query: { limit: '100' } });
      const { body } = await done(asked);
      return body.items.filter(({ kind }: { kind: string }) => kind === 'SALE' || kind === 'RETURN');
    },
    discrepancies: async (sku: string, status = 'OPEN') => {
      const query = { status, limit: '100' };
      const { body } = await done(stock('discrepancies', { as: cashier, path: { nodeId: STORE }, query }));
      return body.items.filter((one: { sku: string }) => one.sku === sku);
    },
    conflicts: async (tillId: string) =>
      (await done(call('conflicts', { as: cashier, path: { tillId }, query: { limit: '100' } }))).body.items,
  };
};

export type Counter = Awaited<ReturnType<typeof openCounter>>;

/** A sale of so many units, with a number of its own. */
export const saleOf = (lines: Line[], kind: CounterSale['kind'] = 'SALE'): CounterSale => ({
  ...{ saleId: fresh('sale'), kind, lines, occurredAt: '2026-11-21T00:59:00.000Z' },
});

/** What became of each entry, in short. */
export const outcomesOf = ({ body }: { body: { entries: { outcome: string; because?: string }[] } }): string[] =>
  body.entries.map(({ outcome, because }) => because ?? outcome);

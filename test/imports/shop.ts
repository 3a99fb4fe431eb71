import { handlers as catalogHandlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { handlers } from '../../functions/imports/api.ts';
import imports from '../../functions/imports/contract.ts';
import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { apiOf, staffCaller } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

export const OFFICE = staffCaller(
  '*',
  ...(['inventory:read', 'inventory:write', 'catalog:write', 'network:write'] as const),
);
const HEADERS = { ON_HAND: 'sku,nodeId,onHand,reason', CHANGES: 'sku,nodeId,unitsDelta,reason' };

/** A chain with some SKUs and nodes whose stock comes from files. */
export const openShop = async ({ skus, nodeIds }: { skus: readonly string[]; nodeIds: readonly string[] }) => {
  const engine = await startTestEngine(imports, inventory, catalog, network);
  const clock = { nowMs: Date.parse('2026-11-23T01:00:00.000Z') };
  const runtime = engine.runtime(clock);
  const call = apiOf(imports, handlers(runtime), runtime);
  const stock = apiOf(inventory, inventoryHandlers(runtime), runtime);
  const goods = apiOf(catalog, catalogHandlers(runtime), runtime);
  const places = apiOf(network, networkHandlers(runtime), runtime);

  const publish = async (sku: string, name = sku): Promise<void> => {
    const variants = [{ sku, price: { amountMinor: 1_000, currency: 'KRW' }, taxRatePercent: 10 }];
    const body = { name: { ko: name }, category: 'test', storage: 'AMBIENT', variants };
    const { status, text } = await goods('publish', { as: OFFICE, path: { productId: `prd-${sku}` }, body });
    if (status !== 200) throw new Error(text);
  };
  for (const sku of skus) await publish(sku);
  for (const nodeId of nodeIds) {
    const { status, text } = await places('maintain', {
      as: OFFICE,
      path: { nodeId },
      body: {
        ...{ name: { ko: nodeId }, kind: 'STORE', location: { latitude: 37.5, longitude: 127 } },
        ...{ timeZone: 'Asia/Seoul', hours: [], abilities: ['SHIP'], answerWithinSeconds: 60 },
        ...{ shipDays: 1, status: 'OPEN' },
      },
    });
    if (status !== 200) throw new Error(text);
  }

  return {
    engine,
    clock,
    call,
    stock,
    publish,
    open: (importId: string, meaning: 'ON_HAND' | 'CHANGES' = 'ON_HAND', more: object = {}) =>
      call('open', {
        as: OFFICE,
        path: { importId },
        body: { format: 'csv', meaning, header: HEADERS[meaning], ...more },
      }),
    load: (importId: string, firstLine: number, text: string) =>
      call('load', { as: OFFICE, path: { importId }, body: { firstLine, text } }),
    progress: async (importId: string) => (await call('progress', { as: OFFICE, path: { importId } })).body,
    quarantine: async (importId: string) =>
      (await call('quarantine', { as: OFFICE, path: { importId }, query: { limit: '100' } })).body.items,
    fix: (importId: string, line: number, body: object) =>
      call('fix', { as: OFFICE, path: { importId, line: String(line) }, body }),
    close: (importId: string, rows: number) => call('close', { as: OFFICE, path: { importId }, body: { rows } }),
    receive: (nodeId: string, sku: string, units: number) =>
      stock('receive', { as: OFFICE, path: { nodeId }, body: { lines: [{ sku, units }] } }),
    adjust: (nodeId: string, sku: string, unitsDelta: number) =>
      stock('adjust', { as: OFFICE, path: { nodeId }, body: { sku, unitsDelta, reason: 'sold' } }),
    /** Units on hand of a SKU by node. */
    onHand: async (sku: string): Promise<Record<string, number>> => {
      const { body } = await stock('levels', { as: OFFICE, path: { sku } });
      return Object.fromEntries(
        body.items.map(({ nodeId, onHand }: { nodeId: string; onHand: number }) => [nodeId, onHand]),
      );
    },
    ledger: async (sku: string, nodeId: string) =>
      (await stock('ledger', { as: OFFICE, path: { sku, nodeId }, query: { limit: '100' } })).body.items,
    /** The text of a whole export, page by page. */
    exported: async (query: Record<string, string> = {}): Promise<string> => {
      let text = '';
      let cursor: string | undefined;
      do {
        const page = await call('exported', {
          as: OFFICE,
          query: { ...query, ...(cursor === undefined ? {} : { cursor }) },
        });
        if (page.status !== 200) throw new Error(page.text);
        text += page.body.text;
        cursor = page.body.cursor;
      } while (cursor !== undefined);
      return text;
    },
    end: engine.close,
  };
};

export type ImportShop = Awaited<ReturnType<typeof openShop>>;

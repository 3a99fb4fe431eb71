import catalog from '../../functions/catalog/contract.ts';
import { handlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as reactionHandlers } from '../../functions/inventory/events.ts';
import { type Happening, happened } from '../../functions/inventory/parts.ts';
import { handlers as taskHandlers } from '../../functions/inventory/tasks.ts';
import network from '../../functions/network/contract.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { apiOf, customerCaller, listenerOf, outboxOf, staffCaller, taskRunnerOf } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

export const headOffice = staffCaller('*', 'inventory:read', 'inventory:write', 'stock:work');
export const customer = customerCaller('customer-1');
export const somebody = customerCaller('customer-2');
export const NOW_MS = Date.parse('2026-11-23T01:00:00.000Z');

/** Inventory alone on the real engine, with a clock that the test moves. Every SKU belongs to one test. */
export const openStock = async () => {
  const engine = await startTestEngine(inventory, network, catalog);
  const clock = { nowMs: NOW_MS };
  const runtime: Runtime = engine.runtime(clock);
  const call = apiOf(inventory, handlers(runtime), runtime);
  const hear = listenerOf(inventory, reactionHandlers(runtime), runtime);
  const run = taskRunnerOf(inventory, taskHandlers(runtime), runtime);
  let last = 0;

  const did = async (operation: Parameters<typeof call>[0], options: Parameters<typeof call>[1]) => {
    const answer = await call(operation, options);
    if (answer.status >= 300) throw new Error(`${operation}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

  return {
    ...{ engine, clock, runtime, call, did, run },

    receive: (sku: string, nodeId: string, units: number) =>
      did('receive', { as: headOffice, path: { nodeId }, body: { lines: [{ sku, units }] } }),

    /** Books something that took place, as tills and stockrooms do. */
    happen: async (happening: Pick<Happening, 'kind' | 'sku' | 'nodeId' | 'units'>) => {
      last += 1;
      const cause = { actor: 'test', correlationId: 'test', now: runtime.now() };
      const whole = { ...happening, movementId: `m${last}`, reference: `m${last}` };
      const booked = await happened(runtime.tables, [whole], cause, { subject: `test/m${last}`, version: 1 });
      const committed = await commitChanges(runtime, cause, [booked]);
      if (!committed.ok) throw new Error(committed.refusal.detail);
    },

    hold: (as: typeof customer, sku: string, nodeId: string, units: number, holdSeconds = 60) =>
      call('hold', { as, body: { lines: [{ sku, nodeId, units }], holdSeconds } }),

    /** A level as staff see it. */
    level: async (sku: string, nodeId = 'dc') => {
      const { items } = await did('levels', { as: headOffice, path: { sku } });
      return items.find((one: { nodeId: string }) => one.nodeId === nodeId);
    },

    available: async (sku: string, channel = 'web') =>
      (await did('availability', { path: { sku }, query: { channel } })).available as number,

    /** Everything that was said of a SKU by one type of event. */
    told: async (type: string, sku: string) =>
      (await outboxOf(runtime)).filter((one) => one.type === type && JSON.stringify(one.data).includes(`"${sku}"`)),

    /** Inventory hears all that it listens to, each as often as `times` says. */
    hearAll: async (sku: string, times = 1) => {
      const listened = new Set<string>(Object.values(inventory.listens).map(({ type }) => type));
      for (const envelope of await outboxOf(runtime)) {
        if (!listened.has(envelope.type) || !JSON.stringify(envelope.data).includes(`"${sku}"`)) continue;
        for (let time = 0; time < times; time += 1) await hear(envelope);
      }
    },
    hear,
    close: engine.close,
  };
};

export type Stock = Awaited<ReturnType<typeof openStock>>;

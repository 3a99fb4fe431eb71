import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { happened } from '../../functions/inventory/parts.ts';
import { handlers } from '../../functions/stockroom/api.ts';
import stockroom from '../../functions/stockroom/contract.ts';
import { handlers as eventHandlers } from '../../functions/stockroom/events.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import {
  type Answer,
  apiOf,
  type Caller,
  type CallOptions,
  listenerOf,
  outboxOf,
  staffCaller,
} from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

export const DC = 'dc-1';
export const STORE = 'store-1';
export const HEAD_OFFICE = staffCaller('*', 'inventory:read', 'inventory:write', 'stock:work');

/** Somebody who works at a node, by name where it matters who. */
export const associate = (nodeId: string, name = 'kim'): Caller => ({
  ...staffCaller(nodeId, 'inventory:read', 'stock:work')!,
  sub: name,
  username: name,
});

/** Two nodes with their stock, on the real engine. The clock moves only when a test moves it. */
export const openFloor = async () => {
  const engine = await startTestEngine(inventory, stockroom);
  const clock = { nowMs: Date.parse('2026-11-23T01:00:00.000Z') };
  const runtime: Runtime = { ...engine.runtime(clock), sleep: async () => {} };
  const call = apiOf(stockroom, handlers(runtime), runtime);
  const stock = apiOf(inventory, inventoryHandlers(runtime), runtime);
  const hear = listenerOf(stockroom, eventHandlers(runtime), runtime);

  /** The answer's body; anything but success fails the test. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any shape, and fails where it is not there.
  const done = async (answer: Promise<Answer>): Promise<any> => {
    const { status, body, text } = await answer;
    if (status >= 300) throw new Error(`${status} ${text}`);
    return body;
  };

  const levelOf = async (sku: string, nodeId: string) => {
    const { items } = await done(stock('levels', { as: HEAD_OFFICE, path: { sku } }));
    return items.find((level: { nodeId: string }) => level.nodeId === nodeId);
  };

  let movement = 0;
  return {
    engine,
    clock,
    runtime,
    call,
    stock,
    done,
    levelOf,
    now: () => new Date(clock.nowMs).toISOString(),
    later: (seconds: number) => {
      clock.nowMs += seconds * 1000;
      return new Date(clock.nowMs).toISOString();
    },

    /** At a node, as one of its associates unless somebody else is named. */
    at: (nodeId: string, name: keyof typeof stockroom.operations, options: CallOptions = {}) =>
      call(name, { as: associate(nodeId), ...options, path: { nodeId, ...options.path } }),

    /** What takes place beside the stockroom: a delivery, a till. */
    takesPlace: async (
      kind: 'RECEIPT' | 'SALE',
      place: { sku: string; nodeId: string },
      units: number,
      occurredAt?: string,
    ): Promise<void> => {
      movement += 1;
      const cause = { actor: 'test', correlationId: 'test', now: runtime.now() };
      const movementId = `m${movement}`;
      const happening = { ...place, kind, units, movementId, reference: movementId, occurredAt };
      const subject = { subject: `movement/${movementId}`, version: 1 };
      for (;;) {
        const change = await happened(runtime.tables, [happening], cause, subject);
        const committed = await commitChanges(runtime, cause, [change]);
        if (committed.ok) return;
        if (committed.refusal.problem !== 'changed-meanwhile') throw new Error(committed.refusal.detail);
      }
    },

    /** Events of one type, oldest first. */
    told: async (type: string) => (await outboxOf(runtime)).filter((envelope) => envelope.type === type),

    /** What closed sessions lead to, as often as the bus delivers it. */
    hearSessions: async (times = 1) => {
      for (const envelope of await outboxOf(runtime)) {
        if (envelope.type !== 'rfid-session.closed.v1') continue;
        for (let time = 0; time < times; time += 1) await hear(envelope);
      }
    },

    close: engine.close,
  };
};

export type Floor = Awaited<ReturnType<typeof openFloor>>;

import { randomBytes } from 'node:crypto';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { handlers as cartHandlers } from '../../functions/carts/api.ts';
import carts from '../../functions/carts/contract.ts';
import { handlers as catalogHandlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { handlers as customerHandlers } from '../../functions/customers/api.ts';
import customers from '../../functions/customers/contract.ts';
import { sealerFrom } from '../../functions/customers/parts.ts';
import { handlers as fulfilmentHandlers } from '../../functions/fulfilment/api.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import { handlers as reactionHandlers } from '../../functions/fulfilment/events.ts';
import type { Workflow } from '../../functions/fulfilment/step-functions.ts';
import { handlers as taskHandlers } from '../../functions/fulfilment/tasks.ts';
import { handlers as importHandlers } from '../../functions/imports/api.ts';
import imports from '../../functions/imports/contract.ts';
import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { happened } from '../../functions/inventory/parts.ts';
import { discrepanciesOf } from '../../functions/inventory/store/discrepancies.ts';
import { handlers as loyaltyHandlers } from '../../functions/loyalty/api.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { handlers as orderHandlers } from '../../functions/orders/api.ts';
import orders from '../../functions/orders/contract.ts';
import { handlers as paymentHandlers } from '../../functions/payments/api.ts';
import payments from '../../functions/payments/contract.ts';
import { simulatedProvider } from '../../functions/payments/simulated-provider.ts';
import { handlers as platformHandlers } from '../../functions/platform/api.ts';
import platform from '../../functions/platform/contract.ts';
import { handlers as stockroomHandlers } from '../../functions/stockroom/api.ts';
import stockroom from '../../functions/stockroom/contract.ts';
import { handlers as tillHandlers } from '../../functions/tills/api.ts';
import tills from '../../functions/tills/contract.ts';
import { commitChanges } from '../../shared/runtime.ts';
import { type Answer, apiOf, type CallOptions, listenerOf, outboxOf, taskRunnerOf } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';
import { checksumOf } from './checksum.ts';
import { furnish, STORE } from './furnish.ts';

/** Monday, 10:00 in Seoul: everything is open, every cut-off is ahead. */
const NOW_MS = Date.parse('2026-11-23T01:00:00.000Z');

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem']);

export type Call = (operation: string, options: CallOptions) => Promise<Answer>;

/** Every operation of every capability through its real handler, on one engine. */
export const openWorld = async () => {
  const engine = await startTestEngine(...CAPABILITIES.filter(({ name }) => name !== 'outbox'));
  const runtime = engine.runtime({ nowMs: NOW_MS });
  const sealer = sealerFrom(randomBytes);
  const api: Record<string, Call> = {
    catalog: apiOf(catalog, catalogHandlers(runtime), runtime) as Call,
    network: apiOf(network, networkHandlers(runtime), runtime) as Call,
    inventory: apiOf(inventory, inventoryHandlers(runtime), runtime) as Call,
    stockroom: apiOf(stockroom, stockroomHandlers(runtime), runtime) as Call,
    imports: apiOf(imports, importHandlers(runtime), runtime) as Call,
    customers: apiOf(customers, customerHandlers(runtime, sealer), runtime) as Call,
    carts: apiOf(carts, cartHandlers(runtime), runtime) as Call,
    orders: apiOf(orders, orderHandlers(runtime, sealer), runtime) as Call,
    payments: apiOf(payments, paymentHandlers(runtime, simulatedProvider(runtime.tables)), runtime) as Call,
    fulfilment: apiOf(fulfilment, fulfilmentHandlers(runtime), runtime) as Call,
    loyalty: apiOf(loyalty, loyaltyHandlers(runtime), runtime) as Call,
    tills: apiOf(tills, tillHandlers(runtime), runtime) as Call,
    platform: apiOf(platform, platformHandlers('test'), runtime) as Call,
  };

  /** Writes that were carried out since the world was opened. */
  let writes = 0;
  engine.intercept(async (operation, input, next) => {
    const answer = await next(input);
    if (WRITES.has(operation)) writes += 1;
    return answer;
  });

  /** Calls `capability.operation`; anything but success is an error of the test. */
  const done = async (name: string, options: CallOptions) => {
    const [capability, operation] = name.split('.') as [string, string];
    const { status, body, text } = await api[capability]!(operation, options);
    if (status >= 300) throw new Error(`${name}: ${status} ${text}`);
    return body;
  };

  const workflow: Workflow = {
    start: async (input) => void (await runTask({ task: 'offer', input, token: input.fulfilmentOrderId })),
    answer: async () => {},
  };
  const runTask = taskRunnerOf(fulfilment, taskHandlers(runtime, workflow), runtime);
  const hear = listenerOf(fulfilment, reactionHandlers(runtime, workflow), runtime);
  /** What is paid becomes work at its nodes. */
  const assignWork = async (): Promise<void> => {
    for (const envelope of await outboxOf(runtime)) {
      if (envelope.type === 'order.placed.v1') await hear(envelope);
    }
  };

  /** A till sold what was not there by the books. Returns the discrepancy. */
  const sellBelowZero = async (): Promise<string> => {
    const cause = { actor: 'till', correlationId: 'till', now: runtime.now() };
    const sale = { sku: 'UNKNOWN', nodeId: STORE, kind: 'SALE' as const, units: 1, movementId: 's1', reference: 's1' };
    const sold = await happened(runtime.tables, [sale], cause, { subject: 'sale/s1', version: 1 });
    await commitChanges(runtime, cause, [sold]);
    const { items } = await discrepanciesOf(runtime.tables, STORE, { status: 'OPEN', limit: 1 });
    return items[0]!.discrepancyId;
  };

  const tableNames = CAPABILITIES.filter(({ table }) => table !== undefined).map(({ name }) => name);
  return {
    api,
    known: await furnish(done, { assignWork, sellBelowZero }),
    /** One number for everything that all tables hold. */
    checksum: () => checksumOf(engine.client, tableNames),
    writes: () => writes,
    close: engine.close,
  };
};

export type World = Awaited<ReturnType<typeof openWorld>>;

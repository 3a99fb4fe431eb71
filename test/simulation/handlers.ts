import type { Context } from 'aws-lambda';
import { handlers as cartApi } from '../../functions/carts/api.ts';
import carts from '../../functions/carts/contract.ts';
import { handlers as catalogApi } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { handlers as customerApi } from '../../functions/customers/api.ts';
import customers from '../../functions/customers/contract.ts';
import { sealerFrom } from '../../functions/customers/sealing.ts';
import { handlers as fulfilmentApi } from '../../functions/fulfilment/api.ts';
import fulfilment from '../../functions/fulfilment/contract.ts';
import { handlers as fulfilmentEvents } from '../../functions/fulfilment/events.ts';
import { type StepFunctions, workflowOn } from '../../functions/fulfilment/step-functions.ts';
import { handlers as fulfilmentTasks } from '../../functions/fulfilment/tasks.ts';
import { handlers as importApi } from '../../functions/imports/api.ts';
import imports from '../../functions/imports/contract.ts';
import { handlers as inventoryApi } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as inventoryEvents } from '../../functions/inventory/events.ts';
import { handlers as inventoryTasks } from '../../functions/inventory/tasks.ts';
import { handlers as loyaltyApi } from '../../functions/loyalty/api.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import { handlers as loyaltyEvents } from '../../functions/loyalty/events.ts';
import { handlers as loyaltyTasks } from '../../functions/loyalty/tasks.ts';
import { handlers as networkApi } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { handlers as orderApi } from '../../functions/orders/api.ts';
import orders from '../../functions/orders/contract.ts';
import { handlers as orderEvents } from '../../functions/orders/events.ts';
import { handlers as orderTasks } from '../../functions/orders/tasks.ts';
import outbox from '../../functions/outbox/contract.ts';
import { type PutEvents, publish, sweep } from '../../functions/outbox/publish.ts';
import { handlers as paymentApi } from '../../functions/payments/api.ts';
import payments from '../../functions/payments/contract.ts';
import { handlers as paymentEvents } from '../../functions/payments/events.ts';
import { type PaymentProvider, ProviderUnreachable } from '../../functions/payments/provider.ts';
import { simulatedProvider } from '../../functions/payments/simulated-provider.ts';
import { handlers as paymentTasks } from '../../functions/payments/tasks.ts';
import { handlers as stockroomApi } from '../../functions/stockroom/api.ts';
import stockroom from '../../functions/stockroom/contract.ts';
import { handlers as stockroomEvents } from '../../functions/stockroom/events.ts';
import { handlers as tillApi } from '../../functions/tills/api.ts';
import tills from '../../functions/tills/contract.ts';
import type { Capability } from '../../shared/contract.ts';
import { type ReactionHandlers, reactions } from '../../shared/events.ts';
import { type OperationHandlers, operations } from '../../shared/http.ts';
import type { OutboxItem } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import type { Chance } from './chance.ts';
import type { Cluster } from './cluster.ts';
import type { Process } from './wire.ts';

/** A function of the deployment: `<capability>.<role>`. */
export type Place = `${string}.${'api' | 'events' | 'tasks' | 'stream'}`;
export type Handler = (event: unknown, context: Context) => Promise<unknown>;

interface Inside {
  cluster: Cluster;
  process: Process;
  runtime: Runtime;
  chance: Chance;
}

/** The world outside of one process: provider, workflow and bus, each behind the wire. */
const outsideOf = ({ cluster, process, runtime, chance }: Inside) => {
  const { wire, workflows, bus, bug } = cluster;
  const remote = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    wire.through({ process, what, isWrite: true }, act, (fate) => {
      if (fate === 'is throttled' || fate === 'fails inside') throw new Error(`${what} ${fate}`);
      return undefined;
    });
  const silence = async (): Promise<void> => {
    if (chance.happens(cluster.faults.silentProvider)) throw new ProviderUnreachable('made up by the simulation');
  };
  const plain = simulatedProvider(runtime.tables, { before: silence, after: silence });
  const provider: PaymentProvider = bug?.provider?.(plain, cluster) ?? plain;
  const stepFunctions: StepFunctions = {
    startExecution: (execution) => remote('StartExecution', () => workflows.startExecution(execution)),
    sendTaskSuccess: (answer) => remote('SendTaskSuccess', () => workflows.sendTaskSuccess(answer)),
  };
  const put: PutEvents = (entries) => remote('PutEvents', async () => bus.put(entries));
  const putEvents = bug?.putEvents?.(put, cluster) ?? put;
  const random = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, () => chance.between(0, 255));
  return {
    provider,
    workflow: workflowOn(stepFunctions),
    putEvents,
    sealer: sealerFrom(random),
  };
};

/** What runs at a place: the product's own handlers, put together as its lambda.ts does. */
export const handlerOf = (place: Place, inside: Inside): Handler => {
  const { runtime, cluster } = inside;
  const { bug } = cluster;
  const { provider, workflow, putEvents, sealer } = outsideOf(inside);
  const api = <C extends Capability>(contract: C, handlers: OperationHandlers<C>): Handler =>
    operations(contract, bug?.operations?.(contract.name, handlers as never) ?? handlers, runtime) as never;
  const events = <C extends Capability>(contract: C, handlers: ReactionHandlers<C>): Handler =>
    reactions(contract, handlers, runtime) as never;
  switch (place) {
    case 'catalog.api':
      return api(catalog, catalogApi(runtime));
    case 'network.api':
      return api(network, networkApi(runtime));
    case 'inventory.api':
      return api(inventory, inventoryApi(runtime));
    case 'imports.api':
      return api(imports, importApi(runtime));
    case 'inventory.events':
      return events(inventory, inventoryEvents(runtime));
    case 'inventory.tasks':
      return runTasks(inventory, inventoryTasks(runtime), runtime) as never;
    case 'tills.api':
      return api(tills, tillApi(runtime));
    case 'stockroom.api':
      return api(stockroom, stockroomApi(runtime));
    case 'stockroom.events':
      return events(stockroom, stockroomEvents(runtime));
    case 'customers.api':
      return api(customers, customerApi(runtime, sealer));
    case 'carts.api':
      return api(carts, cartApi(runtime));
    case 'orders.api':
      return api(orders, orderApi(runtime, sealer));
    case 'orders.events':
      return events(orders, orderEvents(runtime));
    case 'orders.tasks':
      return runTasks(orders, orderTasks(runtime), runtime) as never;
    case 'payments.api':
      return api(payments, paymentApi(runtime, provider));
    case 'payments.events':
      return events(payments, paymentEvents(runtime, provider));
    case 'payments.tasks':
      return runTasks(payments, paymentTasks(runtime, provider), runtime) as never;
    case 'fulfilment.api':
      return api(fulfilment, fulfilmentApi(runtime));
    case 'fulfilment.events':
      return events(fulfilment, fulfilmentEvents(runtime, workflow));
    case 'fulfilment.tasks':
      return runTasks(fulfilment, fulfilmentTasks(runtime, workflow), runtime) as never;
    case 'loyalty.api':
      return api(loyalty, loyaltyApi(runtime));
    case 'loyalty.events':
      return events(loyalty, loyaltyEvents(runtime));
    case 'loyalty.tasks':
      return runTasks(loyalty, loyaltyTasks(runtime), runtime) as never;
    case 'outbox.stream':
      return (items) => (bug?.publish ?? publish)(runtime.tables, putEvents, items as OutboxItem[]);
    case 'outbox.tasks':
      return runTasks(outbox, { sweep: (_, { now }) => sweep(runtime.tables, putEvents, now) }, runtime) as never;
    default:
      throw new Error(`there is no function ${place}`);
  }
};

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrderUnits } from '../../docs/cost.ts';
import { type LocalCloud, startCloud } from '../../infra/local/cloud.ts';
import { ASSEMBLY } from '../../infra/local/synth.ts';
import { type Meter, startMeter } from './meter.ts';
import { Shop } from './shop.ts';

interface Counted {
  lambdaRequests: number;
  events: number;
  /** Calls that ended, by capability and role, e.g. `fulfilmenttasks`. */
  ended: Map<string, number>;
}

/** Counts calls of functions and entries on the bus of a running cloud. */
const countCalls = ({ functions, bus }: LocalCloud): Counted => {
  const counted: Counted = { lambdaRequests: 0, events: 0, ended: new Map() };
  const { invoke } = functions;
  functions.invoke = async (arn, event) => {
    counted.lambdaRequests += 1;
    const result = await invoke.call(functions, arn, event);
    const [, name] = /-([a-z]+)[0-9A-F]{8}$/.exec(arn)!;
    counted.ended.set(name!, (counted.ended.get(name!) ?? 0) + 1);
    return result;
  };
  const putEvents = bus.putEvents.bind(bus);
  bus.putEvents = (entries) => {
    counted.events += entries.length;
    return putEvents(entries);
  };
  return counted;
};

/** Until a function has ended as many calls as that, and nothing is on its way any more. */
const reached = async (cloud: LocalCloud, counted: Counted, lambda: string, calls: number): Promise<void> => {
  while ((counted.ended.get(lambda) ?? 0) < calls) await new Promise((resolve) => setTimeout(resolve, 20));
  await cloud.whenIdle();
};

const playOrder = async (shop: Shop, cloud: LocalCloud, counted: Counted, token: string) => {
  const calls = (lambda: string): number => counted.ended.get(lambda) ?? 0;
  const [offers, earnings, captures] = [calls('fulfilmenttasks'), calls('loyaltyevents'), calls('paymentsevents')];
  const cartId = await shop.fill(token, 'UNITS');
  const order = await shop.done<{ orderId: string }>('POST', '/v1/orders', token, { cartId });
  await shop.done('POST', `/v1/orders/${order.orderId}/payments`, token, {
    method: { kind: 'CARD', token: 'tok_approve' },
  });
  await reached(cloud, counted, 'fulfilmenttasks', offers + 1);
  const headOffice = await shop.headOffice();
  for (const step of ['accept', 'pick', 'pack', 'dispatch', 'deliver']) {
    await shop.done('POST', `/v1/fulfilment-orders/${order.orderId}-1/${step}`, headOffice, {});
  }
  await reached(cloud, counted, 'loyaltyevents', earnings + 1);
  await reached(cloud, counted, 'paymentsevents', captures + 1);
  const execution = cloud.workflows.list().find(({ name }) => name === `${order.orderId}-1`);
  return { orderId: order.orderId, transitions: execution?.transitions ?? 0 };
};

/** Measures it on the engine's own count of capacity, through a meter between the functions and the engine. */
export const measureOrder = async (): Promise<OrderUnits> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ieum-units-'));
  let meter: Meter | undefined;
  const through = async (engine: string): Promise<string> => {
    meter = await startMeter(engine);
    return meter.endpoint;
  };
  const cloud = await startCloud({ assemblyDir: ASSEMBLY, dataDir, port: 0, through });
  try {
    const { url, awsUrl, dynamodbEndpoint, template } = cloud;
    const shop = new Shop({ url, awsUrl, dynamodbEndpoint, outputs: template.outputs, pid: process.pid });
    await shop.node('dc-1', 37.27, 127.43);
    await shop.product('UNITS');
    await shop.receive('dc-1', [{ sku: 'UNITS', units: 10 }]);
    const token = await shop.person('counted', 'customer');
    const counted = countCalls(cloud);
    // The first order makes the customer's key and points account; the second is the usual one.
    await playOrder(shop, cloud, counted, token);
    meter!.reset();
    const before = { lambdaRequests: counted.lambdaRequests, events: counted.events };
    const { orderId, transitions } = await playOrder(shop, cloud, counted, token);
    const { items } = await shop.done<{ items: { orderId: string }[] }>('GET', '/v1/loyalty/me/entries', token);
    if (!items.some((entry) => entry.orderId === orderId)) throw new Error('the order did not get to its points');
    const { writeUnits, readUnits, transactions } = meter!.counted();
    const placing = transactions.find(
      ({ tables }) => tables.some((table) => /-carts/i.test(table)) && tables.some((table) => /-orders/i.test(table)),
    );
    return {
      placeWriteUnits: placing?.writeUnits ?? Number.NaN,
      writeUnits,
      readUnits,
      events: counted.events - before.events,
      transitions,
      httpRequests: 10,
      lambdaRequests: counted.lambdaRequests - before.lambdaRequests,
    };
  } finally {
    await cloud.close();
    await meter?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
};

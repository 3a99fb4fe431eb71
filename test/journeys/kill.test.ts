import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { accessOf } from '../../examples/access.ts';
import orders from '../../functions/orders/contract.ts';
import { runningIn } from '../../infra/local/running.ts';
import { ASSEMBLY } from '../../infra/local/synth.ts';
import { deploymentOf, loadTemplate } from '../../infra/local/template.ts';
import { clientOf, tableNamesOf } from '../../infra/reconcile/local-tables.ts';
import { startTestCloud, temporaryDirectory } from '../support/cloud.ts';
import { FAR, HASTY, NEAR } from './chain.ts';
import { freePorts, processesOn, type StartedProcess, startProcess } from './process.ts';
import { MOMENTS, type Moment, Purchase } from './purchase.ts';
import { Chain } from './shop.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const SEED = Number(process.env.IEUM_SEED ?? Date.now() % 1_000_000);

/** A number below `size` that is the same for the same seed and question, on every machine. */
const drawn = (question: string, size: number): number =>
  createHash('md5').update(`${SEED} ${question}`).digest().readUInt32BE(0) % size;

const place = deploymentOf(ASSEMBLY);

interface Kill {
  moment: Moment;
  /** After the moment has come. */
  delayMs: number;
  /** The silent store's second runs out meanwhile. */
  isSilent: boolean;
}

const killAt = (moment: Moment, withinMs: number, afterMs = 0, isSilent = false): Kill => ({
  moment,
  delayMs: afterMs + drawn(`${moment} ${afterMs}`, withinMs),
  isSilent,
});

/** Every moment once, and two while a silent store's time runs, and runs out. */
const kills: Kill[] = [
  ...MOMENTS.map((moment) => killAt(moment, 25)),
  killAt('the payment is there', 500, 100, true),
  killAt('the payment is there', 400, 800, true),
];

describe(`a system that is killed again and again (IEUM_SEED=${SEED})`, () => {
  const data = temporaryDirectory('kill');
  const purchases: Purchase[] = [];
  let system: StartedProcess;
  let port: number;
  let chain: Chain;
  /** Processes of one system. */
  let alone: number;

  const start = async (): Promise<void> => {
    system = startProcess(data.path, port);
    await system.ready;
    expect(runningIn(data.path)?.pid).toBe(system.child.pid);
  };

  const killNow = async (): Promise<void> => {
    const { child, ended } = system;
    child.kill('SIGKILL');
    await ended;
  };

  /** Lets a minute pass for the payments of an order: whoever was asking the provider is known to be dead. */
  const makeOld = async (orderId: string): Promise<void> => {
    const client = clientOf(runningIn(data.path)!.dynamodbEndpoint, place.region);
    const documents = DynamoDBDocumentClient.from(client);
    const TableName = tableNamesOf(loadTemplate(ASSEMBLY, place)).payments!;
    const { Items = [] } = await documents.send(
      new QueryCommand({
        ...{ TableName, KeyConditionExpression: 'pk = :pk' },
        ExpressionAttributeValues: { ':pk': `ORDER#${orderId}` },
      }),
    );
    for (const { pk, sk } of Items.filter(({ status }) => status === 'INITIATED')) {
      await documents.send(
        new UpdateCommand({
          ...{ TableName, Key: { pk, sk }, UpdateExpression: 'SET createdAt = :then' },
          ExpressionAttributeValues: { ':then': new Date(Date.now() - 120_000).toISOString() },
        }),
      );
    }
    client.destroy();
  };

  const newPurchase = async (isSilent: boolean): Promise<Purchase> => {
    const [sku, customer] = await Promise.all([
      chain.goods(isSilent ? { [HASTY]: 1, [NEAR]: 1 } : { [NEAR]: 2, [FAR]: 1 }),
      chain.customer(),
    ]);
    await customer.fillCart([{ sku, units: 1 }]);
    const purchase = new Purchase({ customer, sku, sender: chain.associate(NEAR) });
    purchases.push(purchase);
    return purchase;
  };

  beforeAll(async () => {
    port = await freePorts();
    await start();
    alone = processesOn(data.path).length;
    const template = loadTemplate(ASSEMBLY, place);
    chain = new Chain(accessOf({ url: `http://127.0.0.1:${port}`, awsUrl: `http://127.0.0.1:${port + 1}`, template }));
    await chain.open();
  });
  afterAll(async () => {
    system?.child.kill('SIGKILL');
    await system?.ended;
    data.remove();
  });

  test.each(kills)('when $moment ($delayMs ms later, silent store: $isSilent), completes both orders', async (kill) => {
    const both = await Promise.all([newPurchase(kill.isSilent), newPurchase(kill.isSilent)]);
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const victim = both[drawn(`whose ${kill.moment} ${kill.delayMs}`, 2)]!;
    victim.onMoment = (moment) => {
      if (moment === kill.moment) reach();
    };
    const completed = Promise.all(both.map((purchase) => purchase.complete(makeOld)));
    // A start that fails is the news then, not who waits for it in vain.
    completed.catch(() => {});
    await Promise.race([reached, completed.then(() => Promise.reject(new Error(`${kill.moment}: it never came`)))]);
    await setTimeout(kill.delayMs);
    await killNow();
    await start();
    await completed;
    for (const { sku } of both) {
      const stock = await chain.stock(sku);
      expect(stock).toEqual(
        kill.isSilent ? { [HASTY]: [1, 0, 1], [NEAR]: [0, 0, 0] } : { [NEAR]: [1, 0, 1], [FAR]: [1, 0, 1] },
      );
    }
    // What the killed process had started has ended.
    await expect.poll(() => processesOn(data.path).length, { timeout: 5_000 }).toBe(alone);
  });

  test('has lost nothing that it acknowledged, done nothing twice and left no process behind', async () => {
    for (const { customer, orderId } of purchases) {
      const { items } = await customer.client(orders.operations.orders, {});
      expect(items).toMatchObject([{ orderId, status: 'COMPLETED' }]);
      const charged = (await customer.payments(orderId!)).filter(({ captured }) => captured !== undefined);
      expect(charged).toMatchObject([{ status: 'CAPTURED', captured: { amountMinor: 10_000 } }]);
    }
    system.child.kill('SIGINT');
    expect(await system.ended).toEqual([0, null]);
    expect(processesOn(data.path)).toEqual([]);

    const world = await startTestCloud({ path: data.path, remove: () => {} });
    try {
      expect(await world.drift()).toEqual([]);
      const executions = world.cloud.workflows.list();
      expect(executions.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
      const expected = purchases.map(({ orderId }) => orderId);
      expect(new Set(executions.map(({ name }) => name.replace(/-\d+$/, '')))).toEqual(new Set(expected));
      const letters = (await world.cloud.queues.depths()).filter(({ visible }) => visible > 0);
      expect(letters).toEqual([]);
    } finally {
      await world.close();
    }
  });
});

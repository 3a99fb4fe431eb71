import { describe, expect, it } from 'vitest';
import { chanceOf } from './chance.ts';
import type { Answer, Ask } from './client.ts';
import { Cluster } from './cluster.ts';
import { memoryEngine } from './engines.ts';
import type { Fate } from './faults.ts';
import { asCustomer, home, openShop } from './shop.ts';
import { inSilence, Simulation } from './simulation.ts';

type Tell = (ask: Ask) => Promise<Answer['body']>;

/** A line in the cart, an address, the delivery choice, the order: its id. */
const placeOrder = async (told: Tell): Promise<string> => {
  await told({ operation: 'carts.setLine', path: { sku: 'TEE' }, body: { units: 1 } });
  const { addressId } = await told({ operation: 'customers.addAddress', body: home(37.5), key: 'address' });
  const body = { choice: 'HOME_DELIVERY', addressId };
  const { cartId } = await told({ operation: 'carts.chooseDelivery', body });
  return (await told({ operation: 'orders.place', body: { cartId }, key: 'place' })).orderId;
};

/** What simulations and reviews have found, told again in the small. */
describe('an attempt that arrives late', () => {
  it.each<[Fate[]]>([[['arrives late']], [['arrives late', 'conflicts']]])(
    'to open a cart does not bring back the cart that became an order meanwhile: %j',
    (wanted) =>
      inSilence(async () => {
        const fates: Fate[] = [];
        const cluster = new Cluster({
          chance: chanceOf('late'),
          engine: memoryEngine(),
          fate: ({ process, isWrite }) => {
            if (!isWrite || !process.name.startsWith('carts.api') || fates.length === wanted.length) return undefined;
            fates.push(wanted[fates.length]!);
            return fates.at(-1);
          },
        });
        const simulation = new Simulation(cluster);
        const customer = asCustomer('customer-1');
        const told = async (ask: Ask) => {
          const answer = await simulation.clients.ask(customer, ask);
          expect(answer?.status, answer?.text).toBeLessThan(300);
          return answer!.body;
        };
        await simulation.waitFor(openShop(simulation.shop));
        await simulation.waitFor(
          (async () => {
            await placeOrder(told);
            expect(cluster.engine.items('carts')).toMatchObject([{ lines: [], version: 3 }]);
          })(),
        );
        await simulation.quiet();
        expect(fates).toEqual(wanted);
        expect(cluster.engine.items('carts')).toMatchObject([{ lines: [], version: 3 }]);
      }),
  );

  it.each([['a cart’s first change'], ['a later change']])(
    'to change a cart, whose answer was lost, is not decided anew on the cart after the order: %s',
    (which) =>
      inSilence(async () => {
        const fates: Fate[] = [];
        let isTroubled = which === 'a cart’s first change';
        const cluster = new Cluster({
          chance: chanceOf('late'),
          engine: memoryEngine(),
          fate: ({ process, isWrite }) => {
            if (!isTroubled || !isWrite || !process.name.startsWith('carts.api') || fates.length === 2)
              return undefined;
            fates.push(fates.length === 0 ? 'answer is lost' : 'is slow');
            return fates.at(-1);
          },
        });
        const simulation = new Simulation(cluster);
        const customer = asCustomer('customer-1');
        const told = async (asked: Ask) => (await simulation.clients.ask(customer, asked))!.body;
        const until = async (isSo: () => boolean) => {
          while (!isSo()) await cluster.scheduler.sleep(5);
        };
        await simulation.waitFor(openShop(simulation.shop));
        await simulation.waitFor(
          (async () => {
            const { addressId } = await told({ operation: 'customers.addAddress', body: home(37.5), key: 'address' });
            const body = { choice: 'HOME_DELIVERY', addressId };
            if (!isTroubled) await told({ operation: 'carts.chooseDelivery', body });
            isTroubled = true;
            const asked: Ask = { operation: 'carts.setLine', path: { sku: 'TEE' }, body: { units: 1 } };
            // Whoever hears that the cart was changed meanwhile looks at it, and does not just ask again.
            const change = simulation.clients.once(customer, asked);
            await until(() => fates.length === 2);
            const { cartId } = await told({ operation: 'carts.chooseDelivery', body });
            expect(await told({ operation: 'orders.place', body: { cartId }, key: 'place' })).toHaveProperty('orderId');
            expect((await change)?.body).toMatchObject({ type: 'urn:ieum:problem:changed-meanwhile' });
          })(),
        );
        await simulation.quiet();
        expect(fates).toEqual(['answer is lost', 'is slow']);
        expect(cluster.engine.items('carts')).toMatchObject([{ lines: [] }]);
      }),
  );
});

describe('a workflow', () => {
  it('whose tasks fail for ten minutes puts the work of a paid order on record after that, helped by nobody', () =>
    inSilence(async () => {
      const cluster: Cluster = new Cluster({
        chance: chanceOf('outage'),
        engine: memoryEngine(),
        fate: ({ process }) =>
          process.name.startsWith('fulfilment.tasks') && cluster.scheduler.nowMs < untilMs
            ? 'never arrives'
            : undefined,
      });
      let untilMs = Number.POSITIVE_INFINITY;
      const simulation = new Simulation(cluster);
      const told = async (ask: Ask) => (await simulation.clients.ask(asCustomer('customer-1'), ask))!.body;
      await simulation.waitFor(openShop(simulation.shop));
      await simulation.waitFor(
        (async () => {
          const orderId = await placeOrder(told);
          const method = { kind: 'CARD', token: 'tok_approve' };
          const paid = { operation: 'payments.pay', path: { orderId }, body: { method }, key: 'pay' } as const;
          expect(await told(paid)).toMatchObject({ status: 'AUTHORIZED' });
        })(),
      );
      const { scheduler, engine } = cluster;
      const work = () => engine.items('fulfilment').map(({ sk }) => sk);
      untilMs = scheduler.nowMs + 10 * 60_000;
      await scheduler.run(untilMs - 1);
      expect(work()).toEqual([]);
      await scheduler.run(untilMs + 6 * 60_000);
      expect(work()).toEqual(expect.arrayContaining(['FO#1', 'TOKEN#1#ANSWER']));
    }));
});

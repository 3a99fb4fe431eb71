import { describe, expect, it } from 'vitest';
import { chanceOf } from './chance.ts';
import type { Ask } from './client.ts';
import { Cluster } from './cluster.ts';
import { memoryEngine } from './engines.ts';
import type { Fate } from './faults.ts';
import { asCustomer, home, openShop } from './shop.ts';
import { inSilence, Simulation } from './simulation.ts';

/** What simulations have found, told again in the small. */
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
            await told({ operation: 'carts.setLine', path: { sku: 'TEE' }, body: { units: 1 } });
            const { addressId } = await told({ operation: 'customers.addAddress', body: home(37.5), key: 'address' });
            const body = { choice: 'HOME_DELIVERY', addressId };
            const { cartId } = await told({ operation: 'carts.chooseDelivery', body });
            await told({ operation: 'orders.place', body: { cartId }, key: 'place' });
            expect(cluster.engine.items('carts')).toMatchObject([{ lines: [], version: 3 }]);
          })(),
        );
        await simulation.quiet();
        expect(fates).toEqual(wanted);
        expect(cluster.engine.items('carts')).toMatchObject([{ lines: [], version: 3 }]);
      }),
  );
});

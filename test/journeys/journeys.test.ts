import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';
import { fulfilling } from './fulfilling.ts';
import { keeping } from './keeping.ts';
import { ordering } from './ordering.ts';
import { paying } from './paying.ts';
import { Shop } from './shop.ts';

// Longer than anything that a journey waits for, so that it says itself what it waited for in vain.
vi.setConfig({ testTimeout: 60_000 });

let world: TestCloud;
let shop: Shop;

beforeAll(async () => {
  world = await startTestCloud();
  shop = new Shop(world);
  await shop.open();
});
afterAll(async () => {
  await world?.close();
});

describe.each(Object.entries({ ordering, paying, fulfilling, keeping }))('%s', (_, journeys) => {
  test.each(Object.entries(journeys))('%s', async (_name, journey) => {
    await journey(shop);
    expect(await world.drift()).toEqual([]);
  });
});

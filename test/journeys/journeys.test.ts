import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';
import { fulfilling } from './fulfilling.ts';
import { FirstUses, granted, isDeniedWithout, textOf, toBeTried, used } from './grants.ts';
import { keeping } from './keeping.ts';
import { ordering } from './ordering.ts';
import { paying } from './paying.ts';
import { type Journeys, Shop } from './shop.ts';
import { stocking } from './stocking.ts';

// Longer than anything that a journey waits for, so that it says itself what it waited for in vain.
vi.setConfig({ testTimeout: 60_000 });

const GROUPS: Readonly<Record<string, Journeys>> = { ordering, paying, fulfilling, keeping, stocking };
const OPENING = 'the chain opens';
const JOURNEYS: Journeys = Object.assign({ [OPENING]: (shop: Shop) => shop.open() }, ...Object.values(GROUPS));

let world: TestCloud;
let shop: Shop;
const firstUses = new FirstUses();
const played = new Set<string>();

beforeAll(async () => {
  world = await startTestCloud();
  shop = new Shop(world);
  await JOURNEYS[OPENING]!(shop);
  firstUses.note(world, OPENING);
});
afterAll(async () => {
  await world?.close();
});

describe.each(Object.entries(GROUPS))('%s', (_, journeys) => {
  test.each(Object.entries(journeys))('%s', async (name, journey) => {
    played.add(name);
    await journey(shop);
    expect(await world.drift()).toEqual([]);
    firstUses.note(world, name);
  });
});

describe('what functions may do', () => {
  test('is exactly what the journeys use, function by function', () => {
    expect(played.size, 'run the whole file: permissions are compared with what all journeys use').toBe(
      Object.keys(JOURNEYS).length - 1,
    );
    const texts = granted(world).map(textOf).sort();
    expect(texts.length).toBeGreaterThan(50);
    expect(texts).toEqual([...new Set(used(world).map(textOf))].sort());
  });

  test('is needed: without any one permission a journey is denied it', { timeout: 300_000 }, async () => {
    const seed = process.env.IEUM_SEED ?? String(Date.now());
    const tried = toBeTried(world, seed);
    expect(tried.length).toBeGreaterThan(50);
    const needless: string[] = [];
    for (const grant of tried) {
      const first = firstUses.journeyOf.get(textOf(grant))!;
      // Who wins a race may use what the loser does not: then another journey does.
      const others = Object.keys(JOURNEYS).filter((name) => name !== first);
      let isNeeded = false;
      for (const name of [first, ...others]) {
        isNeeded = await isDeniedWithout(shop, grant, JOURNEYS[name]!);
        if (isNeeded) break;
      }
      if (!isNeeded) needless.push(textOf(grant));
    }
    expect(needless, `IEUM_SEED=${seed}`).toEqual([]);
  });
});

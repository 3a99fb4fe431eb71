import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../../functions/stockroom/epc.ts';
import type { CallOptions } from '../support/call.ts';
import { whileDying } from './crashes.ts';
import { associate, type Floor, HEAD_OFFICE, openFloor, STORE } from './floor.ts';
import { tagOf } from './tags.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
});
afterAll(() => floor.close());

const goods = (sku: string, units: number) => floor.takesPlace('RECEIPT', { sku, nodeId: STORE }, units);
const gtinOf = (item: number): string => {
  const decoded = decode(tagOf(item, 1));
  return 'tag' in decoded ? decoded.tag.gtin14 : '';
};
const map = (item: number, sku: string) =>
  floor.done(floor.call('mapGtin', { as: HEAD_OFFICE, path: { gtin14: gtinOf(item) }, body: { sku } }));
const open = async (skus: string[], tolerance: object = {}): Promise<string> =>
  (await floor.done(floor.at(STORE, 'openSession', { body: { skus, tolerance } }))).sessionId;
const read = (sessionId: string, epcs: string[], more: object = {}, options: CallOptions = {}) =>
  floor.at(STORE, 'readTags', { ...options, body: { sessionId, epcs, ...more } });
const close = (sessionId: string) => floor.at(STORE, 'closeSession', { path: { sessionId } });
const countOf = (countId: string) => floor.done(floor.at(STORE, 'count', { path: { countId } }));
const tags = (item: number, serials: number[]) => serials.map((serial) => tagOf(item, serial));
const upTo = (units: number, from = 0) => Array.from({ length: units }, (_, index) => from + index);

describe('counting by radio', () => {
  it('a tag that several readers see, in several batches, is one unit', async () => {
    await goods('TEE', 5);
    await map(100_001, 'TEE');
    const sessionId = await open(['TEE'], { units: 0 });
    await floor.done(read(sessionId, [...tags(100_001, [1, 2, 3]), ...tags(100_001, [1, 2, 3])]));
    await floor.done(read(sessionId, tags(100_001, [3, 4]), {}, { as: associate(STORE, 'lee') }));
    // Another filter value, lower case: the same unit.
    await floor.done(read(sessionId, [tagOf(100_001, 5, 3).toLowerCase(), tagOf(100_001, 5)]));
    const closed = await floor.done(close(sessionId));
    expect(closed).toMatchObject({ status: 'CLOSED', result: { tags: 5, reads: 6, strays: 0, unknownGtins: [] } });
    await floor.hearSessions(2);
    expect(await countOf(closed.result.countIds[0])).toMatchObject({
      status: 'POSTED',
      method: 'RFID',
      lines: [{ sku: 'TEE', counted: 5, variance: 0 }],
    });
    expect(await floor.told('count.posted.v1')).toHaveLength(1);
  });

  it('a bad tag is set aside with its reason, and the rest of the batch counts', async () => {
    const sessionId = await open(['TEE']);
    const batch = await floor.done(read(sessionId, ['nonsense!', 'E2801160600002', ...tags(100_001, [1, 2])]));
    expect(batch).toEqual({
      sessionId,
      nodeId: STORE,
      accepted: 2,
      quarantined: [
        { epc: 'nonsense!', reason: 'is not hexadecimal' },
        { epc: 'E2801160600002', reason: 'has 56 bits instead of 96' },
      ],
    });
    expect(await floor.done(read(sessionId, ['FFFF']))).toMatchObject({ accepted: 0, quarantined: [{ epc: 'FFFF' }] });
  });

  it('what is missing waits for somebody who has not held the reader', async () => {
    await goods('COAT', 10);
    await map(100_002, 'COAT');
    const sessionId = await open(['COAT'], { units: 1 });
    floor.later(30);
    await floor.done(read(sessionId, tags(100_002, upTo(7))));
    const { result } = await floor.done(close(sessionId));
    await floor.hearSessions();
    const countId = result.countIds[0];
    expect(await countOf(countId)).toMatchObject({ status: 'AWAITING_APPROVAL', lines: [{ variance: -3 }] });
    const approve = (name: string) =>
      floor.at(STORE, 'approveCount', { as: associate(STORE, name), path: { countId } });
    expect((await approve('kim')).status).toBe(403);
    await floor.done(approve('lee'));
    expect(await floor.levelOf('COAT', STORE)).toMatchObject({ onHand: 7 });
  });

  it('what is sold while the readers go round is not certain, and waits although the figures agree', async () => {
    await goods('SCARF', 4);
    await map(100_003, 'SCARF');
    const sessionId = await open(['SCARF']);
    await floor.done(read(sessionId, tags(100_003, [1, 2])));
    floor.later(60);
    await floor.takesPlace('SALE', { sku: 'SCARF', nodeId: STORE }, 1);
    floor.later(60);
    await floor.done(read(sessionId, tags(100_003, [3])));
    const { result } = await floor.done(close(sessionId));
    await floor.hearSessions();
    expect(await countOf(result.countIds[0])).toMatchObject({
      status: 'AWAITING_APPROVAL',
      lines: [{ expected: 3, counted: 3, variance: 0, isWithin: false }],
    });
  });

  it('tags of other SKUs and unknown GTINs are told, and count for nothing', async () => {
    await goods('HAT', 2);
    await map(100_004, 'HAT');
    const sessionId = await open(['HAT']);
    await floor.done(read(sessionId, [...tags(100_004, [1, 2]), ...tags(100_001, [1]), ...tags(199_999, [1, 2])]));
    expect(await floor.done(close(sessionId))).toMatchObject({
      result: { tags: 5, strays: 1, unknownGtins: [{ gtin14: gtinOf(199_999), tags: 2 }] },
    });
  });

  it('nothing is read into a closed session, nor from the future, and a session without reads is no count', async () => {
    const sessionId = await open(['HAT']);
    expect((await close(sessionId)).status).toBe(409);
    expect((await read(sessionId, tags(100_004, [1]), { readAt: '2027-01-01T00:00:00.000Z' })).status).toBe(400);
    await floor.done(read(sessionId, tags(100_004, [1]), { readAt: floor.now() }));
    await floor.done(close(sessionId));
    expect((await read(sessionId, tags(100_004, [2]))).status).toBe(409);
    expect((await close(sessionId)).status).toBe(409);
    expect((await floor.at(STORE, 'session', { as: associate('store-2'), path: { sessionId } })).status).toBe(404);
    expect(await floor.done(floor.at(STORE, 'session', { path: { sessionId } }))).toMatchObject({ status: 'CLOSED' });
  });

  it('a batch that comes while the session is closed is either in it or refused', async () => {
    await goods('RACE', 40);
    await map(100_005, 'RACE');
    const sessionId = await open(['RACE'], { units: 40 });
    await floor.done(read(sessionId, tags(100_005, [0])));
    const batches = upTo(12).map((batch) => read(sessionId, tags(100_005, upTo(3, 1 + batch * 3))));
    const [closed, ...answers] = await Promise.all([floor.done(close(sessionId)), ...batches]);
    const accepted = answers.filter(({ status }) => status === 201).length;
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect(closed.result.tags).toBe(1 + 3 * accepted);
  });
});

describe('a process that dies while it makes the counts of a session', () => {
  it.each(['dies before', 'dies after'] as const)(
    'and %s a commit leaves none out and posts none twice',
    async (fate) => {
      const prefix = `D-${fate.slice(5)}`;
      const skus = upTo(20).map((n) => `${prefix}-${n}`);
      for (const sku of skus) await goods(sku, 1);
      const sessionId = await open(skus);
      await floor.done(read(sessionId, tags(190_000, [1])));
      const { result } = await floor.done(close(sessionId));
      expect(result.countIds).toHaveLength(2);
      await whileDying(floor, ['lives', fate], async () => {
        await expect(floor.hearSessions()).rejects.toThrow('the process died');
      });
      await floor.hearSessions();
      const counts = await Promise.all(result.countIds.map(countOf));
      expect(counts.map(({ status }) => status)).toEqual(['POSTED', 'POSTED']);
      const levels = await Promise.all(skus.map((sku) => floor.levelOf(sku, STORE)));
      expect(levels.map(({ onHand }) => onHand)).toEqual(Array(20).fill(0));
    },
  );
});

describe('a large session', () => {
  it('of 20,000 tags and 200 SKUs: batches write three items whatever was read before, all is posted', async () => {
    const skus = upTo(200).map((n) => `L-${String(n).padStart(3, '0')}`);
    for (const [n, sku] of skus.entries()) {
      await map(200_000 + n, sku);
      await goods(sku, 100);
    }
    floor.later(1);
    const sessionId = await open(skus);
    // Serials as long as they get.
    const all = skus.flatMap((_, n) => tags(200_000 + n, upTo(100, 2 ** 37)));
    const units = { batches: 0, closing: 0 };
    const sizes = new Set<number>();
    let doing: keyof typeof units = 'batches';
    const undo = floor.engine.intercept(async (operation, input, next) => {
      const answer = (await next({ ...input, ReturnConsumedCapacity: 'TOTAL' })) as { ConsumedCapacity?: unknown };
      const capacities = [answer.ConsumedCapacity ?? []].flat() as { CapacityUnits: number }[];
      const used = capacities.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
      if (operation === 'TransactWriteItems' || doing === 'closing') units[doing] += used;
      if (doing === 'batches' && operation === 'TransactWriteItems') {
        sizes.add((input as { TransactItems: unknown[] }).TransactItems.length);
      }
      return answer;
    });
    for (let from = 0; from < all.length; from += 500) {
      expect(await floor.done(read(sessionId, all.slice(from, from + 500)))).toMatchObject({ accepted: 500 });
    }
    doing = 'closing';
    const { result } = await floor.done(close(sessionId));
    undo();
    expect(sizes).toEqual(new Set([3]));
    // Write units of 20,000 tags in 40 batches, then read and write units of closing; one item a tag would be 40,000.
    console.log(`RFID session of 20,000 tags: ${units.batches} write units, ${units.closing} units to close`);
    expect(units.batches).toBeGreaterThan(40);
    expect(units.batches).toBeLessThan(1_000);
    expect(result).toMatchObject({ tags: 20_000, reads: 20_000, strays: 0 });
    await floor.hearSessions();
    const counts = await Promise.all(result.countIds.map(countOf));
    expect(counts.map(({ status }) => status)).toEqual(Array(14).fill('POSTED'));
    expect(counts.flatMap(({ lines }) => lines)).toHaveLength(200);
  }, 120_000);
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallOptions } from '../support/call.ts';
import { associate, type Floor, HEAD_OFFICE, openFloor, STORE } from './floor.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
});
afterAll(() => floor.close());

const problemOf = async (answer: Promise<{ body: { type: string } }>) =>
  (await answer).body.type.replace('urn:ieum:problem:', '');
const goods = (sku: string, units: number) => floor.takesPlace('RECEIPT', { sku, nodeId: STORE }, units);
const sale = (sku: string, units: number, occurredAt?: string) =>
  floor.takesPlace('SALE', { sku, nodeId: STORE }, units, occurredAt);
const open = async (skus: string[], tolerance?: object): Promise<string> =>
  (await floor.done(floor.at(STORE, 'openCount', { body: { skus, ...(tolerance && { tolerance }) } }))).countId;
const enter = (countId: string, sku: string, units: number, countedAt?: string, name = 'kim') =>
  floor.at(STORE, 'enterCount', {
    as: associate(STORE, name),
    path: { countId, sku },
    body: { units, ...(countedAt === undefined ? {} : { countedAt }) },
  });
const step = (
  name: 'submitCount' | 'approveCount' | 'cancelCount' | 'count',
  countId: string,
  more: CallOptions = {},
) => floor.at(STORE, name, { ...more, path: { countId } });
const reject = (countId: string, name: string) =>
  floor.at(STORE, 'rejectCount', { as: associate(STORE, name), path: { countId }, body: { note: 'look again' } });

describe('counting', () => {
  it('a count that agrees with the books is posted at once, and its moment is on record', async () => {
    await goods('TEE', 5);
    const countId = await open(['TEE']);
    await floor.done(enter(countId, 'TEE', 5));
    expect(await floor.done(step('submitCount', countId))).toMatchObject({
      status: 'POSTED',
      lines: [{ expected: 5, counted: 5, variance: 0, isWithin: true }],
    });
    const ledger = await floor.done(floor.stock('ledger', { as: HEAD_OFFICE, path: { sku: 'TEE', nodeId: STORE } }));
    expect(ledger.items).toContainEqual(expect.objectContaining({ kind: 'COUNT', onHand: 0, reference: countId }));
  });

  it('who counts is not told what the books say before the count is handed in', async () => {
    await goods('BLIND', 5);
    const countId = await open(['BLIND'], { units: 0 });
    const { lines } = await floor.done(enter(countId, 'BLIND', 4));
    expect(lines).toEqual([{ sku: 'BLIND', counted: 4, countedAt: floor.now(), times: 1 }]);
    const handedIn = await floor.done(step('submitCount', countId));
    expect(handedIn).toMatchObject({ status: 'AWAITING_APPROVAL', lines: [{ booked: 5, expected: 5 }] });
  });

  it('what moved between opening and counting, and between counting and posting, is no variance', async () => {
    await goods('COAT', 10);
    const countId = await open(['COAT']);
    floor.later(60);
    await sale('COAT', 2);
    const countedAt = floor.later(60);
    floor.later(60);
    await sale('COAT', 3);
    await goods('COAT', 4);
    floor.later(60);
    await floor.done(enter(countId, 'COAT', 8, countedAt));
    expect(await floor.done(step('submitCount', countId))).toMatchObject({
      status: 'POSTED',
      lines: [{ booked: 10, expected: 8, counted: 8, variance: 0 }],
    });
    expect(await floor.levelOf('COAT', STORE)).toMatchObject({ onHand: 9 });
  });

  it('a till that was offline while its goods were counted explains the difference', async () => {
    await goods('SCARF', 6);
    const countId = await open(['SCARF'], { units: 0 });
    const soldAt = floor.later(60);
    const countedAt = floor.later(60);
    floor.later(60);
    await floor.done(enter(countId, 'SCARF', 5, countedAt));
    expect(await floor.done(step('submitCount', countId))).toMatchObject({
      status: 'AWAITING_APPROVAL',
      lines: [{ variance: -1 }],
    });
    await sale('SCARF', 1, soldAt);
    const approved = await floor.done(step('approveCount', countId, { as: associate(STORE, 'lee') }));
    expect(approved).toMatchObject({ status: 'POSTED', lines: [{ expected: 5, variance: 0 }] });
    expect(await floor.levelOf('SCARF', STORE)).toMatchObject({ onHand: 5 });
  });

  it.each([
    ['one unit of ten within two units', 10, 9, { units: 2 }, 'POSTED'],
    ['three units of ten beyond two units', 10, 7, { units: 2 }, 'AWAITING_APPROVAL'],
    ['two units of ten beyond ten per cent', 10, 8, { units: 5, percent: 10 }, 'AWAITING_APPROVAL'],
    ['two units of forty within ten per cent', 40, 42, { units: 5, percent: 10 }, 'POSTED'],
    ['a found unit where none was known beyond none', 0, 1, { units: 0 }, 'AWAITING_APPROVAL'],
  ])('%s: %i booked, %i counted', async (name, booked, counted, tolerance, status) => {
    const sku = `T-${name.length}-${booked}-${counted}`;
    if (booked > 0) await goods(sku, booked);
    const countId = await open([sku], tolerance);
    await floor.done(enter(countId, sku, counted));
    expect(await floor.done(step('submitCount', countId))).toMatchObject({ status });
    const onHand = status === 'POSTED' ? counted : booked;
    expect((await floor.levelOf(sku, STORE))?.onHand ?? 0).toBe(onHand);
  });

  it('nobody approves what they have counted themselves; somebody else does, and it is posted once', async () => {
    await goods('RING', 20);
    const countId = await open(['RING'], { units: 0 });
    await floor.done(enter(countId, 'RING', 12));
    await floor.done(step('submitCount', countId));
    expect((await step('approveCount', countId, { as: associate(STORE, 'kim') })).status).toBe(403);
    expect((await reject(countId, 'kim')).status).toBe(403);
    const both = await Promise.all([
      step('approveCount', countId, { as: associate(STORE, 'lee') }),
      step('approveCount', countId, { as: HEAD_OFFICE }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await floor.levelOf('RING', STORE)).toMatchObject({ onHand: 12 });
    expect((await floor.levelOf('RING', STORE)).confidence.percent).toBeLessThan(100);
  });

  it('a second pair of eyes counts again: what was counted last stands, and none of them approves', async () => {
    await goods('SHOE', 9);
    const countId = await open(['SHOE'], { units: 0 });
    const early = floor.later(10);
    const late = floor.later(10);
    await floor.done(enter(countId, 'SHOE', 8, late, 'lee'));
    const entered = await floor.done(enter(countId, 'SHOE', 6, early, 'kim'));
    expect(entered.lines).toMatchObject([{ counted: 8, countedAt: late, times: 2 }]);
    await floor.done(step('submitCount', countId));
    for (const name of ['kim', 'lee']) {
      expect((await step('approveCount', countId, { as: associate(STORE, name) })).status).toBe(403);
    }
    await floor.done(step('approveCount', countId, { as: associate(STORE, 'park') }));
    expect(await floor.levelOf('SHOE', STORE)).toMatchObject({ onHand: 8 });
  });

  it('a rejected count is counted again, by a look at the shelf after the rejection', async () => {
    await goods('BELT', 7);
    const countId = await open(['BELT'], { units: 0 });
    await floor.done(enter(countId, 'BELT', 1));
    await floor.done(step('submitCount', countId));
    const before = floor.now();
    floor.later(60);
    expect(await floor.done(reject(countId, 'lee'))).toMatchObject({ status: 'OPEN', rejection: 'look again' });
    expect(await problemOf(step('submitCount', countId))).toBe('wrong-state');
    expect(await problemOf(enter(countId, 'BELT', 1, before))).toBe('invalid-input');
    await floor.done(enter(countId, 'BELT', 7));
    expect(await floor.done(step('submitCount', countId))).toMatchObject({
      status: 'POSTED',
      lines: [{ variance: 0 }],
    });
    expect(await floor.told('count.rejected.v1')).toHaveLength(1);
  });

  it('two counts of one SKU do not correct the books twice, in whichever order they are posted', async () => {
    for (const [sku, isLaterFirst] of [
      ['TWICE-A', false],
      ['TWICE-B', true],
    ] as const) {
      await goods(sku, 10);
      const counts = [await open([sku], { units: 9 }), await open([sku], { units: 9 })];
      for (const countId of counts) {
        floor.later(60);
        await floor.done(enter(countId, sku, 7));
      }
      for (const countId of isLaterFirst ? counts.reverse() : counts) {
        expect(await floor.done(step('submitCount', countId))).toMatchObject({ status: 'POSTED' });
      }
      expect(await floor.levelOf(sku, STORE)).toMatchObject({ onHand: 7 });
    }
  });

  it('two counts of one SKU that are posted at the same moment do not either', async () => {
    await goods('AT-ONCE', 10);
    const counts = [await open(['AT-ONCE'], { units: 9 }), await open(['AT-ONCE'], { units: 9 })];
    for (const countId of counts) await floor.done(enter(countId, 'AT-ONCE', 7));
    const posted = await Promise.all(counts.map((countId) => step('submitCount', countId)));
    expect(posted.map(({ body }) => body.status)).toEqual(['POSTED', 'POSTED']);
    expect(await floor.levelOf('AT-ONCE', STORE)).toMatchObject({ onHand: 7 });
  });

  it('an older count does not undo a later one', async () => {
    await goods('STOLEN', 10);
    const [older, later] = [await open(['STOLEN'], { units: 9 }), await open(['STOLEN'], { units: 9 })];
    await floor.done(enter(older, 'STOLEN', 10));
    floor.later(60);
    await floor.done(enter(later, 'STOLEN', 8));
    await floor.done(step('submitCount', later));
    const late = await floor.done(step('submitCount', older));
    expect(late).toMatchObject({ status: 'POSTED', lines: [{ isSuperseded: true }] });
    expect(await floor.levelOf('STOLEN', STORE)).toMatchObject({ onHand: 8 });
  });

  it('waits while the ledger is still being written, and takes no movement for a variance', async () => {
    await goods('LAG', 10);
    floor.later(1);
    const countId = await open(['LAG'], { units: 0 });
    const countedAt = floor.later(60);
    floor.later(60);
    await sale('LAG', 4);
    floor.later(60);
    await floor.done(enter(countId, 'LAG', 10, countedAt));
    let hidden = 2;
    const undo = floor.engine.intercept(async (operation, input, next) => {
      const answer = (await next(input)) as { Items?: unknown[] };
      if (operation !== 'Query' || (input as { IndexName?: string }).IndexName !== 'byTime' || hidden === 0)
        return answer;
      hidden -= 1;
      return { ...answer, Items: answer.Items!.slice(0, -1) };
    });
    const posted = await floor.done(step('submitCount', countId));
    undo();
    expect(hidden).toBe(0);
    expect(posted).toMatchObject({ status: 'POSTED', lines: [{ expected: 10, variance: 0 }] });
    expect(await floor.levelOf('LAG', STORE)).toMatchObject({ onHand: 6 });
  });

  it('is not handed in with a line that nobody counted, nor counted in the future or before it began', async () => {
    const countId = await open(['A1', 'A2']);
    const path = { countId, sku: 'A3' };
    await floor.done(enter(countId, 'A1', 0));
    expect(await problemOf(step('submitCount', countId))).toBe('wrong-state');
    expect(await problemOf(enter(countId, 'A2', 0, '2027-01-01T00:00:00.000Z'))).toBe('invalid-input');
    expect(await problemOf(enter(countId, 'A2', 0, '2026-01-01T00:00:00.000Z'))).toBe('invalid-input');
    expect(await problemOf(floor.at(STORE, 'enterCount', { path, body: { units: 1 } }))).toBe('not-found');
    expect(await floor.done(step('cancelCount', countId))).toMatchObject({ status: 'CANCELLED' });
    expect(await problemOf(enter(countId, 'A2', 0))).toBe('wrong-state');
    const { items } = await floor.done(floor.at(STORE, 'counts', { query: { status: 'CLOSED', limit: '100' } }));
    expect(items.map((count: { countId: string }) => count.countId)).toContain(countId);
  });
});

describe('a short pick', () => {
  const report = (sku: string, reference: string) =>
    floor.at(STORE, 'reportShortPick', { body: { sku, expected: 2, found: 0, reference } });

  it('makes the books less believed and asks for a count, once however many pickers come back', async () => {
    await goods('LOST', 5);
    const first = await floor.done(report('LOST', 'fo-1'));
    const believed = (await floor.levelOf('LOST', STORE)).confidence.percent;
    expect(believed).toBe(50);
    expect(await floor.done(report('LOST', 'fo-1'))).toEqual(first);
    expect((await floor.levelOf('LOST', STORE)).confidence.percent).toBe(believed);
    const others = await Promise.all(['fo-2', 'fo-3'].map((reference) => floor.done(report('LOST', reference))));
    expect(others.map(({ countId }) => countId)).toEqual([first.countId, first.countId]);
    expect((await floor.levelOf('LOST', STORE)).confidence.percent).toBeLessThan(believed);
    expect(await floor.done(step('count', first.countId))).toMatchObject({ because: 'SHORT_PICK', reference: 'fo-1' });
  });

  it('is settled by its count, and the next one asks for another', async () => {
    await goods('FOUND', 5);
    const { countId } = await floor.done(report('FOUND', 'fo-1'));
    await floor.done(enter(countId, 'FOUND', 5));
    await floor.done(step('submitCount', countId));
    expect((await floor.levelOf('FOUND', STORE)).confidence.percent).toBe(100);
    const next = await floor.done(report('FOUND', 'fo-2'));
    expect(next.countId).not.toBe(countId);
  });

  it('two that come at the same moment ask for one count', async () => {
    await goods('RACE', 5);
    const both = await Promise.all(['r-1', 'r-2'].map((reference) => floor.done(report('RACE', reference))));
    expect(new Set(both.map(({ countId }) => countId)).size).toBe(1);
  });

  it('that found everything is none', async () => {
    const body = { sku: 'LOST', expected: 2, found: 2, reference: 'fo-9' };
    expect(await problemOf(floor.at(STORE, 'reportShortPick', { body }))).toBe('invalid-input');
  });
});

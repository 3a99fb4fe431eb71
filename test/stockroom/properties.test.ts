import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CallOptions } from '../support/call.ts';
import { type Fate, untilAnswered, whileDying } from './crashes.ts';
import { associate, DC, type Floor, openFloor, STORE } from './floor.ts';
import { tagOf } from './tags.ts';

let floor: Floor;
beforeAll(async () => {
  floor = await openFloor();
});
afterAll(() => floor.close());
// A dying process says so; a test that kills dozens need not.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const RUNS = { numRuns: 20 };
const fates = fc.array(fc.constantFrom<Fate>('lives', 'lives', 'dies before', 'dies after'), { maxLength: 30 });

/** Asks until there is an answer; the process may die each time. */
const ask = (nodeId: string, name: Parameters<Floor['at']>[1], options: CallOptions) => {
  const idempotencyKey = randomUUID();
  return untilAnswered(() => floor.at(nodeId, name, { idempotencyKey, ...options }));
};

const onHand = async (sku: string, nodeId: string): Promise<number> => (await floor.levelOf(sku, nodeId))?.onHand ?? 0;

describe('whatever order things come in, however often, and wherever processes die', () => {
  const units = fc.integer({ min: 0, max: 4 });
  const delivery = fc.record({ good: units, damaged: units }).filter(({ good, damaged }) => good + damaged > 0);

  /** Every unit is at a node, in transit or on record as lost; what was over is on record, too. */
  const isBalanced = async (path: { transferId: string }, sku: string, stock: number) => {
    const [line] = (await ask(STORE, 'transfer', { path })).body.lines;
    expect(line.shipped + line.over).toBe(line.good + line.damaged + line.inTransit + line.lost);
    const there = (await onHand(sku, DC)) + (await onHand(sku, STORE));
    expect(there + line.inTransit + line.lost - line.over).toBe(stock);
    const level = await floor.levelOf(sku, STORE);
    if (level !== undefined) expect(level.incoming).toBe(line.inTransit);
    return line;
  };

  it('stock in transit is conserved: what was shipped is received, in transit or lost', async () => {
    const story = fc.record({
      stock: fc.integer({ min: 0, max: 10 }),
      shipped: fc.integer({ min: 1, max: 9 }),
      deliveries: fc.array(delivery, { maxLength: 4 }),
      /** Which delivery is sent again, and before which closing takes place. */
      order: fc.array(fc.nat(7), { maxLength: 8 }),
      closesAt: fc.nat(9),
      atOnce: fc.boolean(),
      plan: fates,
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ stock, shipped, deliveries, order, closesAt, atOnce, plan }) => {
        const sku = `SKU-${randomUUID()}`;
        if (stock > 0) await floor.takesPlace('RECEIPT', { sku, nodeId: DC }, stock);
        await whileDying(floor, plan, async () => {
          const requested = await ask(STORE, 'requestTransfer', {
            body: { fromNodeId: DC, lines: [{ sku, units: shipped }] },
          });
          const path = { transferId: requested.body.transferId };
          await ask(DC, 'shipTransfer', { path, body: { dueAt: floor.now() } });
          const steps = [...deliveries.keys(), ...order.filter((n) => n < deliveries.length)].map((n) => () => {
            const body = { lines: [{ sku, ...deliveries[n]! }] };
            return ask(STORE, 'receiveTransfer', { path: { ...path, deliveryId: `d${n}` }, body });
          });
          steps.splice(closesAt % (steps.length + 1), 0, () => ask(STORE, 'closeTransfer', { path }));
          if (atOnce) await Promise.all(steps.map((take) => take()));
          else {
            for (const take of steps) {
              await take();
              await isBalanced(path, sku, stock);
            }
          }
          const line = await isBalanced(path, sku, stock);
          const came = deliveries.reduce((sum, { good, damaged }) => sum + good + damaged, 0);
          expect(line.good + line.damaged).toBe(came);
          expect(line.inTransit).toBe(0);
          expect(await onHand(sku, STORE)).toBe(came);
        });
      }),
      RUNS,
    );
  });

  it('an advice has what its deliveries brought, each once, and nothing of it stays incoming', async () => {
    const story = fc.record({
      announced: fc.integer({ min: 1, max: 9 }),
      deliveries: fc.array(delivery, { minLength: 1, maxLength: 4 }),
      again: fc.array(fc.nat(3), { maxLength: 4 }),
      plan: fates,
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ announced, deliveries, again, plan }) => {
        const sku = `SKU-${randomUUID()}`;
        const path = { adviceId: `asn-${randomUUID().slice(0, 8)}` };
        const as = { ...associate('*')!, scope: 'ieum/inventory:write ieum/stock:work ieum/inventory:read' };
        const { body } = await whileDying(floor, plan, async () => {
          await ask(STORE, 'announceAdvice', {
            as,
            path,
            body: { lines: [{ sku, units: announced }], dueAt: floor.now() },
          });
          const sent = [...deliveries.keys(), ...again.filter((n) => n < deliveries.length)];
          await Promise.all(
            sent.map((n) =>
              ask(STORE, 'receiveAdvice', {
                path: { ...path, deliveryId: `d${n}` },
                body: { lines: [{ sku, ...deliveries[n]! }] },
              }),
            ),
          );
          return ask(STORE, 'closeAdvice', { path });
        });
        const good = deliveries.reduce((sum, one) => sum + one.good, 0);
        const damaged = deliveries.reduce((sum, one) => sum + one.damaged, 0);
        const over = Math.max(0, good + damaged - announced);
        expect(body.lines).toEqual([
          { sku, expected: announced, good, damaged, over, short: announced + over - good - damaged },
        ]);
        expect(await floor.levelOf(sku, STORE)).toMatchObject({
          ...{ onHand: good + damaged, damaged, available: good, incoming: 0 },
        });
      }),
      RUNS,
    );
  });
});

describe('whatever moves meanwhile', () => {
  const moment = fc.oneof(
    fc.record({ what: fc.constant('sale' as const), units: fc.integer({ min: 1, max: 3 }), isLate: fc.boolean() }),
    fc.record({ what: fc.constant('receipt' as const), units: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ what: fc.constant('look' as const), who: fc.constantFrom('kim', 'lee') }),
  );

  it('a count posts what was missing before it began, and nothing that moved while it was done', async () => {
    const story = fc.record({
      stock: fc.integer({ min: 0, max: 12 }),
      missing: fc.integer({ min: -3, max: 3 }),
      moments: fc.array(moment, { maxLength: 8 }),
      shuffle: fc.infiniteStream(fc.nat(1000)),
      tolerance: fc.integer({ min: 0, max: 3 }),
      plan: fates,
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ stock, missing, moments, shuffle, tolerance, plan }) => {
        const sku = `SKU-${randomUUID()}`;
        const place = { sku, nodeId: STORE };
        if (stock > 0) await floor.takesPlace('RECEIPT', place, stock);
        // What the shelf really holds. The books never hear of what went missing.
        let truth = stock - Math.min(stock, missing);
        const gone = stock - truth;
        floor.later(1);
        const opening = { body: { skus: [sku], tolerance: { units: tolerance } } };
        const { countId } = (await ask(STORE, 'openCount', opening)).body;
        const late: (() => Promise<unknown>)[] = [];
        for (const happening of [...moments, { what: 'look' as const, who: 'kim' as const }]) {
          const at = floor.later(10);
          if (happening.what === 'look') {
            const { who } = happening;
            const body = { units: truth, countedAt: at };
            const hand = () => ask(STORE, 'enterCount', { as: associate(STORE, who), path: { countId, sku }, body });
            late.push(hand, hand);
          } else if (happening.what === 'receipt') {
            truth += happening.units;
            await floor.takesPlace('RECEIPT', place, happening.units);
          } else {
            const units = Math.min(happening.units, truth);
            truth -= units;
            const sell = () => floor.takesPlace('SALE', place, units, at);
            if (units > 0) await (happening.isLate ? late.push(sell) : sell());
          }
        }
        floor.later(10);
        const order = new Map(late.map((act) => [act, shuffle.next().value]));
        for (const act of late.sort((a, b) => order.get(a)! - order.get(b)!)) await act();
        await whileDying(floor, plan, async () => {
          const submitted = await ask(STORE, 'submitCount', { path: { countId } });
          expect(submitted.body).toMatchObject({ lines: [{ variance: -gone || 0 }] });
          expect(submitted.body.status).toBe(Math.abs(gone) <= tolerance ? 'POSTED' : 'AWAITING_APPROVAL');
          await ask(STORE, 'submitCount', { path: { countId } });
          await Promise.all(
            ['park', 'choi'].map((name) =>
              ask(STORE, 'approveCount', { as: associate(STORE, name), path: { countId } }),
            ),
          );
        });
        expect(await onHand(sku, STORE)).toBe(truth);
      }),
      RUNS,
    );
  });

  it('a session holds each tag once that a reader was thanked for', async () => {
    const story = fc.record({
      batches: fc.array(fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      again: fc.array(fc.nat(5), { maxLength: 4 }),
      plan: fates,
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ batches, again, plan }) => {
        const sku = `SKU-${randomUUID()}`;
        const { sessionId } = (await ask(STORE, 'openSession', { body: { skus: [sku] } })).body;
        const sent = [...batches, ...again.flatMap((n) => (n < batches.length ? [batches[n]!] : []))];
        const closed = await whileDying(floor, plan, async () => {
          const answers = await Promise.all(
            sent.map((serials) => {
              const epcs = serials.map((serial) => tagOf(300_000, serial));
              return ask(STORE, 'readTags', { body: { sessionId, epcs } });
            }),
          );
          expect(answers.every(({ status }) => status === 201)).toBe(true);
          return ask(STORE, 'closeSession', { path: { sessionId } });
        });
        expect(closed.body.result.tags).toBe(new Set(batches.flat()).size);
      }),
      RUNS,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  availableOf,
  promisable,
  type StockPolicy,
  sellableAt,
} from '../../functions/inventory/domain/availability.ts';
import { sumByPlace } from '../../functions/inventory/domain/holds.ts';
import {
  added,
  type Deltas,
  deltasByShard,
  deltasOf,
  placeOf,
  sumBySku,
} from '../../functions/inventory/domain/movements.ts';
import { MOVEMENT_KINDS, QUANTITIES, SALES_CHANNELS } from '../../functions/inventory/emits.ts';
import { plusSeconds } from '../../shared/time.ts';
import { AT, instant, levelOf, NOW, plus, someShards, someUnits, unitsOf, withPool } from './arbitrary.ts';

describe('movements', () => {
  const definition = ({ onHand = 0, reserved = 0, allocated = 0, damaged = 0, qualityHold = 0 }: Deltas): number =>
    onHand - reserved - allocated - damaged - qualityHold;
  const someMove = fc.record({
    kind: fc.constantFrom(...MOVEMENT_KINDS),
    shares: fc.array(fc.record({ shard: fc.nat(5), units: fc.integer({ min: -50, max: 50 }) }), { maxLength: 6 }),
    onlineOnly: fc.integer({ min: -9, max: 9 }),
  });

  it('leave available equal to on hand without what is reserved, allocated, damaged and held for quality', () => {
    fc.assert(
      fc.property(fc.array(someMove, { maxLength: 12 }), (moves) => {
        const byShard = new Map<number, Deltas>();
        for (const move of moves) {
          for (const [shard, deltas] of deltasByShard({ ...AT, ...move, movementId: 'm', reference: 'r' })) {
            byShard.set(shard, added(byShard.get(shard) ?? {}, deltas));
          }
        }
        for (const deltas of byShard.values()) expect(deltas.available ?? 0).toBe(definition(deltas));
      }),
    );
  });

  it('do by units what they do by one, and to all shards what they do in one go', () => {
    fc.assert(
      fc.property(someMove, ({ kind, shares }) => {
        const sum = [...deltasByShard({ ...AT, kind, shares, movementId: 'm', reference: 'r' }).values()];
        const whole = added(deltasOf(kind, unitsOf(shares)), {});
        expect(sum.reduce<Deltas>(added, {})).toEqual(whole);
      }),
    );
  });

  it('add up in any order, and what is undone leaves nothing', () => {
    const someDeltas = fc.record(
      Object.fromEntries(QUANTITIES.map((quantity) => [quantity, fc.integer({ min: -99, max: 99 })])),
      { requiredKeys: [] },
    ) as fc.Arbitrary<Deltas>;
    fc.assert(
      fc.property(someDeltas, someDeltas, someDeltas, (a, b, c) => {
        expect(added(a, b)).toEqual(added(b, a));
        expect(added(added(a, b), c)).toEqual(added(a, added(b, c)));
        expect(added(a, Object.fromEntries(Object.entries(a).map(([name, units]) => [name, -units])))).toEqual({});
      }),
    );
  });

  it('are of lines summed by SKU, and by SKU and node', () => {
    const line = fc.record({
      sku: fc.constantFrom('A', 'B', 'C'),
      nodeId: fc.constantFrom('n1', 'n2'),
      units: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const sums of [sumBySku(lines), sumByPlace(lines)]) {
          expect(plus(sums.map(({ units }) => units))).toBe(plus(lines.map(({ units }) => units)));
        }
        expect(new Set(sumBySku(lines).map(({ sku }) => sku)).size).toBe(sumBySku(lines).length);
        expect(new Set(sumByPlace(lines).map(placeOf)).size).toBe(sumByPlace(lines).length);
      }),
    );
  });
});

describe('what a channel may sell', () => {
  const channel = fc.constantFrom(...SALES_CHANNELS);
  const somePolicy = (kind: StockPolicy['kind']): fc.Arbitrary<StockPolicy> =>
    fc.record({
      policyId: fc.constantFrom('p1', 'p2', 'p3'),
      kind: fc.constant(kind),
      channels: fc.subarray([...SALES_CHANNELS]),
      nodeIds: fc.subarray(['dc-1', 'other']),
      categories: fc.subarray(['apparel']),
      skus: fc.subarray(['TEE', 'CAP']),
      units: someUnits,
      percent: fc.integer({ min: 0, max: 100 }),
      from: fc.option(instant(-2, 2), { nil: undefined }),
      until: fc.option(instant(-2, 2), { nil: undefined }),
    });
  const someLevel = fc
    .record({
      shards: someShards(-20),
      safetyStock: someUnits,
      onlineOnly: someUnits,
      doubt: fc.double({ min: 0, max: 6, noNaN: true }),
    })
    .map(({ shards, safetyStock, onlineOnly, doubt }) =>
      withPool(levelOf(shards, { safetyStock, belief: { doubt, doubtAt: NOW } }), onlineOnly),
    );
  const policies = fc.array(fc.oneof(somePolicy('BUFFER'), somePolicy('PILOT')), { maxLength: 4 });

  it('and what is kept from it are together what is available; neither is ever below zero', () => {
    fc.assert(
      fc.property(someLevel, policies, channel, (level, inForce, who) => {
        const { units, withheld } = sellableAt(level, inForce, { channel: who, now: NOW, category: 'apparel' });
        expect(units).toBeGreaterThanOrEqual(0);
        for (const kept of withheld) expect(kept.units).toBeGreaterThan(0);
        expect(units + plus(withheld.map((kept) => kept.units))).toBe(Math.max(0, availableOf(level)));
      }),
    );
  });

  it('is never more because of one more buffer', () => {
    fc.assert(
      fc.property(someLevel, policies, somePolicy('BUFFER'), channel, (level, inForce, another, who) => {
        const sale = { channel: who, now: NOW, category: 'apparel' };
        const { units } = sellableAt(level, [...inForce, another], sale);
        expect(units).toBeLessThanOrEqual(sellableAt(level, inForce, sale).units);
      }),
    );
  });

  it('at the till is what is on the shelf but for what is set aside for online; elsewhere safety stock is kept', () => {
    const level = withPool(levelOf([10], { safetyStock: 4, belief: { doubt: 1, doubtAt: NOW } }), 3);
    const at = (who: 'pos' | 'web') => sellableAt(level, [], { channel: who, now: NOW });
    expect(at('pos')).toMatchObject({ units: 7, withheld: [{ units: 3, because: 'set aside for online' }] });
    expect(at('web')).toMatchObject({
      units: 1,
      withheld: [
        { units: 4, because: 'safety stock' },
        { units: 5, because: 'confidence in the books is 50 %: the last count had to correct the books' },
      ],
    });
  });

  it('under a pilot is for the channels of the pilot, at its nodes, from its first to before its last moment', () => {
    const pilot: StockPolicy = {
      ...{ policyId: 'live-only', kind: 'PILOT', channels: ['live'], nodeIds: ['dc-1'], categories: [], skus: [] },
      ...{ units: 0, percent: 0, from: NOW, until: plusSeconds(NOW, 60) },
    };
    const sold = (who: 'live' | 'web', seconds: number, level = levelOf([5])) =>
      sellableAt(level, [pilot], { channel: who, now: plusSeconds(NOW, seconds) }).units;
    expect([sold('live', 0), sold('web', 0)]).toEqual([5, 0]);
    expect([sold('web', -1), sold('web', 59), sold('web', 60)]).toEqual([5, 0, 5]);
    expect(sold('web', 0, levelOf([5], { nodeId: 'store-1' }))).toBe(5);
    const { withheld } = sellableAt(levelOf([5]), [pilot], { channel: 'web', now: NOW });
    expect(withheld).toEqual([{ units: 5, because: 'pilot live-only is for live only' }]);
  });

  it('may be promised of dated supply from the day on which it is due, and never of what is overdue', () => {
    const arrival = fc.record({ dueAt: instant(-3, 3), units: someUnits });
    fc.assert(
      fc.property(someUnits, fc.array(arrival, { maxLength: 6 }), (now, arrivals) => {
        const supply = arrivals.map((one, index) => ({ ...AT, supplyId: `s${index}`, ...one }));
        const points = promisable(now, supply, NOW);
        expect(points[0]).toMatchObject({ from: NOW });
        expect(points.map(({ from }) => from)).toEqual([...new Set(points.map(({ from }) => from))].sort());
        const due = supply.filter(({ dueAt }) => dueAt > NOW);
        expect(points.at(-1)!.units).toBe(now + plus(due.map(({ units }) => units)));
        for (const { from, units } of points) {
          expect(units).toBe(now + plus(due.filter(({ dueAt }) => dueAt <= from).map((one) => one.units)));
        }
      }),
    );
  });
});

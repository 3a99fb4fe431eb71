import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocationMoves, reservationMoves, type Stock } from '../../functions/inventory/domain/allocate.ts';
import { availableOf, totalsOf } from '../../functions/inventory/domain/availability.ts';
import type { Hold } from '../../functions/inventory/domain/holds.ts';
import { placeOf } from '../../functions/inventory/domain/movements.ts';
import { evenOut, inSteps, keptAt, type Share, takeAnyway, takeFrom } from '../../functions/inventory/domain/shards.ts';
import { instantOf } from '../../shared/time.ts';
import { AT, left, levelOf, NOW, plus, someShards, someUnits, unitsOf, withPool } from './arbitrary.ts';

describe('shards', () => {
  it('give exactly what is asked for, each no more than it has, as long as all together have it', () => {
    fc.assert(
      fc.property(someShards(-20), fc.integer({ min: 1, max: 99 }), fc.string(), (units, wanted, id) => {
        const shards = left(units);
        const there = plus(units.map((one) => Math.max(0, one)));
        const shares = takeFrom(shards, wanted, [], id);
        expect(shares === undefined).toBe(wanted > there);
        if (shares === undefined) return;
        expect(unitsOf(shares)).toBe(wanted);
        for (const { shard, units: taken } of shares) expect(taken).toBeLessThanOrEqual(units[shard]!);
        // One is enough wherever one has enough.
        if (units.some((one) => one >= wanted)) expect(shares).toHaveLength(1);
      }),
    );
  });

  it('keep back so much that no more than what is sellable can be taken, from wherever it is taken', () => {
    fc.assert(
      fc.property(someShards(-20), someUnits, fc.string(), (units, reserve, id) => {
        const sellable = Math.max(0, plus(units) - reserve);
        const kept = keptAt(left(units), sellable);
        const free = units.map((one, shard) => Math.max(0, one) - kept[shard]!);
        expect(Math.min(...free)).toBeGreaterThanOrEqual(0);
        expect(plus(free)).toBe(sellable);
        if (sellable > 0) expect(unitsOf(takeFrom(left(units), sellable, kept, id)!)).toBe(sellable);
        expect(takeFrom(left(units), sellable + 1, kept, id)).toBeUndefined();
      }),
    );
  });

  it('give what has left anyway, only the first falls below zero, and short is what all together lack', () => {
    fc.assert(
      fc.property(someShards(-20), fc.integer({ min: 1, max: 400 }), fc.string(), (units, gone, id) => {
        const { shares, short } = takeAnyway(left(units), gone, id);
        expect(unitsOf(shares)).toBe(gone);
        expect(short).toBe(Math.max(0, gone - Math.max(0, plus(units))));
        expect(new Set(shares.map(({ shard }) => shard)).size).toBe(shares.length);
        for (const { shard, units: taken } of shares) {
          if (shard !== 0) expect(taken).toBeLessThanOrEqual(Math.max(0, units[shard]!));
        }
      }),
    );
  });

  it('are evened out by moves that add up to nothing, to parts that differ by one unit beside the safety stock', () => {
    fc.assert(
      fc.property(someShards(-20), fc.integer({ min: 1, max: 12 }), someUnits, (units, wanted, safety) => {
        const shares = evenOut(left(units), wanted, safety);
        expect(unitsOf(shares)).toBe(0);
        const after = new Map(units.map((one, shard) => [shard, one]));
        for (const { shard, units: moved } of shares) after.set(shard, (after.get(shard) ?? 0) + moved);
        const atFirst = Math.min(safety, Math.max(0, plus(units)));
        const parts = Array.from({ length: wanted }, (_, shard) => after.get(shard) ?? 0);
        parts[0]! -= atFirst;
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
        for (const [shard, one] of after) if (shard >= wanted) expect(one).toBe(0);
        expect(
          evenOut(
            [...after].map(([shard, available]) => ({ shard, available })),
            wanted,
            safety,
          ),
        ).toEqual([]);
      }),
    );
  });

  it('are evened out in steps that each take from one shard, add up to nothing, and come to the same', () => {
    fc.assert(
      fc.property(someShards(-20), fc.integer({ min: 1, max: 12 }), (units, wanted) => {
        const shares = evenOut(left(units), wanted);
        const sum = new Map<number, number>();
        for (const step of inSteps(shares)) {
          expect(unitsOf(step)).toBe(0);
          expect(step.filter((share) => share.units < 0)).toHaveLength(1);
          expect(new Set(step.map(({ shard }) => shard)).size).toBe(step.length);
          for (const share of step) sum.set(share.shard, (sum.get(share.shard) ?? 0) + share.units);
        }
        const all = [...sum].map(([shard, some]) => ({ shard, units: some }));
        expect(all.toSorted((a, b) => a.shard - b.shard)).toEqual(shares);
      }),
    );
  });
});

describe('a plan of what is promised', () => {
  const holdAt = (holdId: string, shares: readonly Share[], nodeId = AT.nodeId): Hold => ({
    ...{ holdId, holderId: 'somebody', purpose: 'CART', status: 'HELD', createdAt: NOW, version: 1 },
    ...{ heldUntil: instantOf(Date.parse(NOW) - 1), lines: [{ ...AT, nodeId, units: unitsOf(shares), shares }] },
  });
  const somePlan = fc.record({
    shards: someShards(),
    reserve: someUnits,
    held: fc.array(fc.record({ shard: fc.nat(7), units: fc.integer({ min: 1, max: 9 }) }), { maxLength: 5 }),
    isOwn: fc.boolean(),
    wanted: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
  });
  const stockOf = ({
    shards,
    reserve,
    held,
    isOwn,
  }: {
    shards: number[];
    reserve: number;
    held: Share[];
    isOwn: boolean;
  }) => {
    const level = levelOf(shards);
    const sellable = Math.max(0, availableOf(level) - reserve);
    const holds = held.map((share, index) => holdAt(`h${index}`, [{ ...share, shard: share.shard % shards.length }]));
    const stock: Stock = {
      levels: new Map([[placeOf(AT), level]]),
      kept: new Map([[placeOf(AT), keptAt(level.shards, sellable)]]),
      ...(isOwn && holds[0] !== undefined ? { own: holds[0] } : {}),
      expired: isOwn ? holds.slice(1) : holds,
    };
    return { stock, sellable };
  };

  it('takes no more than is sellable and what the holds held that it takes over, and keeps what buffers keep', () => {
    fc.assert(
      fc.property(somePlan, ({ wanted, ...some }) => {
        const { stock, sellable } = stockOf(some);
        const allocations = wanted.map((units, index) => ({
          ...{ allocationId: `a${index}`, nodeId: AT.nodeId, lines: [{ sku: AT.sku, units }] },
        }));
        const { moves, taken } = allocationMoves(allocations, stock);
        const promised = moves.filter(({ kind }) => kind === 'ALLOCATE');
        expect(promised.map(({ shares }) => unitsOf(shares))).toEqual(wanted);
        const given = plus(taken.map(({ hold }) => unitsOf(hold.lines[0]!.shares)));
        const held = plus([...stock.expired, ...(stock.own ? [stock.own] : [])].map((one) => one.lines[0]!.units));
        const left = new Map(some.shards.map((units, shard) => [shard, units]));
        for (const { kind, shares } of moves) {
          for (const { shard, units } of shares)
            left.set(shard, left.get(shard)! + (kind === 'ALLOCATE' ? -units : units));
        }
        const kept = stock.kept.get(placeOf(AT))!;
        const isPossible = [...left].every(([shard, units]) => units >= kept[shard]!);
        // What is not there is asked of the first shard, whose guard refuses.
        expect(isPossible).toBe(plus(wanted) <= sellable + given);
        if (plus(wanted) <= sellable + held) expect(isPossible).toBe(true);
      }),
    );
  });

  it('takes over the own hold always, and somebody else’s only where it does not suffice without', () => {
    fc.assert(
      fc.property(somePlan, fc.boolean(), ({ wanted, ...some }, isHold) => {
        const { stock, sellable } = stockOf(some);
        const units = wanted[0]!;
        const { taken } = isHold
          ? reservationMoves('hld_new', [{ ...AT, units }], stock)
          : allocationMoves([{ allocationId: 'a', nodeId: AT.nodeId, lines: [{ sku: AT.sku, units }] }], stock);
        const own = taken.filter(({ hold }) => hold === stock.own);
        expect(own.map(({ outcome }) => outcome)).toEqual(stock.own ? [isHold ? 'RELEASED' : 'COMMITTED'] : []);
        const others = taken.filter(({ hold }) => hold !== stock.own);
        for (const { outcome } of others) expect(outcome).toBe('EXPIRED');
        // Without the last one that was taken over it would not have been enough.
        let there = sellable + (stock.own?.lines[0]?.units ?? 0);
        for (const { hold } of others) {
          expect(there).toBeLessThan(units);
          there += hold.lines[0]!.units;
        }
        expect(new Set(taken.map(({ hold }) => hold.holdId)).size).toBe(taken.length);
      }),
    );
  });

  it('leaves alone what is held at another node', () => {
    const elsewhere = holdAt('elsewhere', [{ shard: 0, units: 9 }], 'store-1');
    const stock: Stock = {
      levels: new Map([[placeOf(AT), levelOf([1])]]),
      kept: new Map(),
      expired: [elsewhere],
    };
    const { taken } = allocationMoves(
      [{ allocationId: 'a', nodeId: AT.nodeId, lines: [{ sku: AT.sku, units: 5 }] }],
      stock,
    );
    expect(taken).toEqual([]);
  });

  it('takes what is set aside for online along, as long as there is some', () => {
    const level = withPool(levelOf([4, 4]), 3);
    const stock: Stock = { levels: new Map([[placeOf(AT), level]]), kept: new Map(), expired: [] };
    const order = (allocationId: string) => ({ allocationId, nodeId: AT.nodeId, lines: [{ sku: AT.sku, units: 2 }] });
    const { moves } = allocationMoves([order('a'), order('b')], stock);
    expect(moves.map(({ onlineOnly }) => onlineOnly)).toEqual([-2, -1]);
    expect(totalsOf(level).onlineOnly).toBe(3);
  });
});

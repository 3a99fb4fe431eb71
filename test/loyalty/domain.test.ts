import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deltasOf, earned } from '../../functions/loyalty/domain.ts';

const order = (amountMinor: number) => ({
  customerId: 'c',
  orderId: 'ord_1',
  fulfilled: { amountMinor, currency: 'KRW' },
  completedAt: '2026-11-21T09:00:00.000Z',
});

describe('what an order earns', () => {
  it.each([
    [0, undefined],
    [99, undefined],
    [100, 1],
    [199, 1],
    [12_900, 129],
  ])('%i won bring %j points', (amountMinor, points) => {
    expect(earned(order(amountMinor))?.points).toBe(points);
  });

  it('waits for seven days, until nothing can be returned any more', () => {
    expect(earned(order(100))?.maturesAt).toBe('2026-11-28T09:00:00.000Z');
  });

  it('is never worth more than one percent of what was paid', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000_000 }), (amountMinor) => {
        expect((earned(order(amountMinor))?.points ?? 0) * 100).toBeLessThanOrEqual(amountMinor);
      }),
    );
  });

  it('is earned and matured without gaining or losing a point', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (points) => {
        const [earn, mature] = [deltasOf('EARN', points), deltasOf('MATURE', points)];
        expect(earn.pending + mature.pending).toBe(0);
        expect(earn.available + mature.available).toBe(points);
      }),
    );
  });
});

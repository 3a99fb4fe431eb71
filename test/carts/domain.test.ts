import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cart, deliveryOf, NO_CART, priced, removeLine, setLine } from '../../functions/carts/domain.ts';

const won = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });
const sells = (price: { amountMinor: number; currency: string }, taxRatePercent = 10) => ({
  productId: 'p',
  name: { ko: '상품' },
  price,
  taxRatePercent,
});
const cart = (...lines: Cart['lines'][number][]): Cart => ({ customerId: 'kim', cartId: 'crt_1', lines, version: 3 });
const must = <T>(result: { ok: true; value: T } | { ok: false }): T => {
  if (!result.ok) throw new Error('refused');
  return result.value;
};

describe('lines', () => {
  it('the same SKU again replaces the units and keeps its place', () => {
    const changed = must(setLine(cart({ sku: 'A', units: 1 }, { sku: 'B', units: 1 }), { sku: 'A', units: 5 }));
    expect(changed.lines).toEqual([
      { sku: 'A', units: 5 },
      { sku: 'B', units: 1 },
    ]);
    expect(changed.version).toBe(4);
  });

  it('a cart that is full takes no other SKU, and more units of one that is there', () => {
    const full = cart(...Array.from({ length: 100 }, (_, index) => ({ sku: `S${index}`, units: 1 })));
    expect(setLine(full, { sku: 'NEW', units: 1 })).toMatchObject({ ok: false, refusal: { field: '/sku' } });
    expect(must(setLine(full, { sku: 'S7', units: 2 })).lines).toHaveLength(100);
  });

  it('taking a line out leaves the others', () => {
    expect(removeLine(cart({ sku: 'A', units: 1 }, { sku: 'B', units: 2 }), 'A').lines).toEqual([
      { sku: 'B', units: 2 },
    ]);
  });
});

describe('prices', () => {
  it('a line costs its units, and its tax is what the price includes', () => {
    const view = priced(cart({ sku: 'A', units: 3 }), new Map([['A', sells(won(11_000))]]));
    expect(view.lines[0]).toMatchObject({ unitPrice: won(11_000), total: won(33_000), tax: won(3_000) });
    expect(view).toMatchObject({ units: 3, total: won(33_000), tax: won(3_000) });
  });

  it('what is no longer on sale is shown as such and counts for nothing', () => {
    const view = priced(cart({ sku: 'GONE', units: 9 }, { sku: 'A', units: 1 }), new Map([['A', sells(won(500))]]));
    expect(view.lines[0]).toEqual({ sku: 'GONE', units: 9, sellable: false });
    expect(view.total).toEqual(won(500));
  });

  it('a second currency is not added to the first', () => {
    const variants = new Map([
      ['A', sells(won(500))],
      ['B', sells({ amountMinor: 100, currency: 'USD' })],
    ]);
    const view = priced(cart({ sku: 'A', units: 1 }, { sku: 'B', units: 1 }), variants);
    expect(view.total).toEqual(won(500));
    expect(view.lines.map(({ sellable }) => sellable)).toEqual([true, false]);
  });

  it('a cart in which nothing can be sold has no total', () => {
    expect(priced(cart({ sku: 'GONE', units: 1 }), new Map()).total).toBeUndefined();
    expect(priced(NO_CART, new Map())).toMatchObject({ lines: [], units: 0, version: 0 });
  });

  it('for any lines, total and tax are the sums of the lines to the last won, and tax is less than the total', () => {
    const line = fc.record({
      units: fc.integer({ min: 1, max: 999 }),
      price: fc.integer({ min: 0, max: 1_000_000_000 }),
      rate: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (lines) => {
        const variants = new Map(lines.map(({ price, rate }, index) => [`S${index}`, sells(won(price), rate)]));
        const view = priced(cart(...lines.map(({ units }, index) => ({ sku: `S${index}`, units }))), variants);
        const exact = lines.reduce((total, { units, price }) => total + BigInt(units) * BigInt(price), 0n);
        expect(BigInt(view.total!.amountMinor)).toBe(exact);
        expect(view.tax!.amountMinor).toBe(view.lines.reduce((tax, { tax: more }) => tax + more!.amountMinor, 0));
        view.lines.forEach(({ total, tax }, index) => {
          const { rate } = lines[index]!;
          // Within one minor unit of the exact share: rounding may not drift.
          expect(Math.abs(tax!.amountMinor - (total!.amountMinor * rate) / (100 + rate))).toBeLessThan(1.001);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('way of fulfilment', () => {
  it.each([
    [{ choice: 'PICKUP' }, '/nodeId'],
    [{ choice: 'PICKUP', nodeId: 'n', addressId: 'a' }, '/addressId'],
    [{ choice: 'DAWN' }, '/addressId'],
    [{ choice: 'HOME_DELIVERY', addressId: 'a', nodeId: 'n' }, '/nodeId'],
  ] as const)('%j is refused and the field is named', (wanted, field) => {
    expect(deliveryOf(wanted)).toMatchObject({ ok: false, refusal: { problem: 'invalid-input', field } });
  });

  it('pickup keeps the node, everything else the address', () => {
    expect(deliveryOf({ choice: 'PICKUP', nodeId: 'n' })).toEqual({
      ok: true,
      value: { choice: 'PICKUP', nodeId: 'n' },
    });
    expect(deliveryOf({ choice: 'SAME_DAY', addressId: 'a' })).toEqual({
      ok: true,
      value: { choice: 'SAME_DAY', addressId: 'a' },
    });
  });
});

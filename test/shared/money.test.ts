import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CurrencyCode, decimal, sum, taxIncluded, times } from '../../shared/money.ts';

const krw = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });

describe('money', () => {
  it.each([
    ['KRW', 12_900, '12900'],
    ['USD', 1_250, '12.50'],
    ['KWD', 1_500, '1.500'],
    // ISO says two where Intl says none.
    ['HUF', 12_900, '129.00'],
    ['IDR', 12_900, '129.00'],
    ['JPY', 500, '500'],
  ])('%s has the exponent of ISO 4217: %i minor units are %s', (currency, amountMinor, expected) => {
    expect(decimal({ amountMinor, currency })).toBe(expected);
  });

  it('knows ISO 4217 and nothing that only looks like it', () => {
    expect(CurrencyCode.safeParse('KRW').success).toBe(true);
    for (const wrong of ['XXY', 'krw', 'WON', '', 'toString'])
      expect(CurrencyCode.safeParse(wrong).success).toBe(false);
    expect(() => times({ amountMinor: 1, currency: 'QQQ' }, 1)).toThrow('QQQ is not an ISO 4217 currency');
  });

  it('does not add won to dollars', () => {
    expect(sum([krw(100), krw(250)], 'KRW')).toEqual(krw(350));
    expect(() => sum([krw(100), { amountMinor: 1, currency: 'USD' }], 'KRW')).toThrow();
  });

  it('finds the tax inside a price: 11,000 won hold 1,000 won of 10 % VAT', () => {
    expect(taxIncluded(krw(11_000), 10)).toEqual(krw(1_000));
    expect(taxIncluded(krw(11_000), 0)).toEqual(krw(0));
  });

  it('splits every price into net and tax to the last minor unit, within one of the exact share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 30 }), (amountMinor, rate) => {
        const { amountMinor: tax } = taxIncluded(krw(amountMinor), rate);
        expect(Number.isInteger(tax)).toBe(true);
        expect(Math.abs(tax - (amountMinor * rate) / (100 + rate))).toBeLessThanOrEqual(1);
      }),
    );
  });
});

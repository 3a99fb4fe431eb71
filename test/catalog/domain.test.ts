import { describe, expect, it } from 'vitest';
import type { NewProduct } from '../../functions/catalog/contract.ts';
import { publish, type VariantRecord } from '../../functions/catalog/domain.ts';

const won = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });
const variant = (sku: string, priceMinor = 1000) => ({ sku, price: won(priceMinor), taxRatePercent: 10 });
const tee = (...variants: NewProduct['variants']): NewProduct => ({
  productId: 'tee',
  name: { ko: '티셔츠' },
  category: 'apparel',
  storage: 'AMBIENT',
  variants,
});
const NOBODY = new Map<string, VariantRecord>();
const recordsOf = (...records: VariantRecord[]) => new Map(records.map((record) => [record.sku, record]));

/** Publishes one after the other and returns the last publication. */
const publishAll = (first: NewProduct, ...later: NewProduct[]) => {
  const known = new Map<string, VariantRecord>();
  let last = publish(first, undefined, known);
  for (const next of later) {
    if (!last.ok) throw new Error(last.refusal.detail);
    for (const record of last.value.variants) known.set(record.sku, record);
    last = publish(next, last.value.product, known);
  }
  if (!last.ok) throw new Error(last.refusal.detail);
  return last.value;
};

describe('publishing', () => {
  it('a first publication has version 1 and no price change', () => {
    const { product, variants, repriced } = publishAll(tee(variant('A'), variant('B')));
    expect(product.version).toBe(1);
    expect(variants.map(({ sku, version, withdrawn }) => [sku, version, withdrawn])).toEqual([
      ['A', 1, false],
      ['B', 1, false],
    ]);
    expect(repriced).toEqual([]);
  });

  it('only the variant whose price changed is repriced', () => {
    const { repriced } = publishAll(tee(variant('A'), variant('B')), tee(variant('A', 900), variant('B')));
    expect(repriced).toMatchObject([{ sku: 'A', price: won(900), version: 2 }]);
  });

  it('a new currency is a new price, even with the same number', () => {
    const inDollars = { ...variant('A'), price: { amountMinor: 1000, currency: 'USD' } };
    expect(publishAll(tee(variant('A')), tee(inDollars)).repriced).toHaveLength(1);
  });

  it('a variant that is left out is withdrawn, and keeps its record', () => {
    const { variants } = publishAll(tee(variant('A'), variant('B')), tee(variant('B')));
    expect(variants.find(({ sku }) => sku === 'A')).toMatchObject({ withdrawn: true, version: 2, productId: 'tee' });
    expect(variants.find(({ sku }) => sku === 'B')).toMatchObject({ withdrawn: false, version: 2 });
  });

  it('a withdrawn variant comes back with a later version, never with an earlier one', () => {
    const back = publishAll(tee(variant('A'), variant('B')), tee(variant('B')), tee(variant('A', 500), variant('B')));
    expect(back.variants.find(({ sku }) => sku === 'A')).toMatchObject({ withdrawn: false, version: 3 });
    expect(back.repriced.map(({ sku }) => sku)).toEqual(['A']);
  });

  it('a variant carries name and storage of its product, because carts and orders read only the variant', () => {
    const { variants } = publishAll({ ...tee(variant('A')), storage: 'COLD' });
    expect(variants[0]).toMatchObject({ name: { ko: '티셔츠' }, storage: 'COLD', productId: 'tee' });
  });
});

describe('what may not be published', () => {
  const dollars = { amountMinor: 1000, currency: 'USD' };
  const foreign: VariantRecord = {
    ...variant('C'),
    productId: 'cap',
    name: { ko: '모자' },
    category: 'apparel/caps',
    storage: 'AMBIENT',
    withdrawn: true,
    version: 4,
  };

  it.each([
    ['the same SKU twice', tee(variant('A'), variant('A')), NOBODY, 'invalid-input', '/variants/1/sku'],
    [
      'two currencies',
      tee(variant('A'), { ...variant('B'), price: dollars }),
      NOBODY,
      'invalid-input',
      '/variants/1/price/currency',
    ],
    [
      "another product's SKU, even a withdrawn one",
      tee(variant('A'), variant('C')),
      recordsOf(foreign),
      'already-exists',
      '/variants/1/sku',
    ],
  ] as const)('%s is refused and the field is named', (_, wanted, known, problem, field) => {
    const refused = publish(wanted, undefined, known);
    expect(refused).toMatchObject({ ok: false, refusal: { problem, field } });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import { sellable } from '../../functions/catalog/parts.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { apiOf, customerCaller, outboxOf, staffCaller } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const headOffice = staffCaller('*', 'catalog:write');
let engine: TestEngine;
let runtime: Runtime;
let call: ReturnType<typeof apiOf<typeof catalog>>;

beforeAll(async () => {
  engine = await startTestEngine(catalog);
  runtime = engine.runtime();
  call = apiOf(catalog, handlers(runtime), runtime);
});
afterAll(() => engine.close());

const variant = (sku: string, amountMinor = 12_900) => ({
  sku,
  options: { size: 'M' },
  price: { amountMinor, currency: 'KRW' },
  taxRatePercent: 10,
});
const product = (variants: unknown[], extra: object = {}) => ({
  name: { ko: '반팔 티셔츠', en: 'T-shirt' },
  category: 'apparel',
  storage: 'AMBIENT',
  variants,
  ...extra,
});
const publish = (productId: string, variants: unknown[], extra: object = {}) =>
  call('publish', { as: headOffice, path: { productId }, body: product(variants, extra) });
const eventsAbout = async (...subjects: string[]) =>
  (await outboxOf(runtime)).filter(({ subject }) => subjects.includes(subject));

describe('publishing a product', () => {
  it('everybody can read the product and each of its variants', async () => {
    const description = { ko: '부드러운 면' };
    const published = await publish('tee', [variant('TEE-M'), variant('TEE-L', 13_900)], { description });
    expect(published.status).toBe(200);
    const { body } = await call('product', { path: { productId: 'tee' } });
    expect(body).toEqual(published.body);
    expect(body).toEqual({
      productId: 'tee',
      ...product([variant('TEE-M'), variant('TEE-L', 13_900)], { description }),
      version: 1,
    });
    const large = await call('variant', { path: { sku: 'TEE-L' } });
    expect(large.body).toEqual({
      ...variant('TEE-L', 13_900),
      productId: 'tee',
      name: { ko: '반팔 티셔츠', en: 'T-shirt' },
      category: 'apparel',
      storage: 'AMBIENT',
    });
  });

  it('says so in one event, and in one more for each price that changed', async () => {
    await publish('cap', [variant('CAP-S'), variant('CAP-M')]);
    await publish('cap', [variant('CAP-S', 9_900), variant('CAP-M')]);
    const events = await eventsAbout('product/cap', 'variant/CAP-S', 'variant/CAP-M');
    expect(events.map(({ type, id }) => [type, id])).toEqual([
      ['product.published.v1', 'product/cap#1'],
      ['product.published.v1', 'product/cap#2'],
      ['price.changed.v1', 'variant/CAP-S#2'],
    ]);
    expect(events[0]!.data).toEqual({ productId: 'cap', skus: ['CAP-S', 'CAP-M'] });
    expect(events[2]!.data).toEqual({ sku: 'CAP-S', price: { amountMinor: 9_900, currency: 'KRW' } });
  });

  it('a variant that is left out is not on sale any more', async () => {
    await publish('sock', [variant('SOCK-S'), variant('SOCK-M')]);
    await publish('sock', [variant('SOCK-M')]);
    expect((await call('variant', { path: { sku: 'SOCK-S' } })).status).toBe(404);
    expect([...(await sellable(runtime.tables, ['SOCK-S', 'SOCK-M', 'NEVER'])).keys()]).toEqual(['SOCK-M']);
    await publish('sock', [variant('SOCK-S'), variant('SOCK-M')]);
    expect((await call('variant', { path: { sku: 'SOCK-S' } })).status).toBe(200);
  });

  it('a SKU belongs to one product, also while it is withdrawn, and a refusal changes nothing', async () => {
    await publish('mug', [variant('MUG'), variant('MUG-XL')]);
    await publish('mug', [variant('MUG')]);
    const refused = await publish('bowl', [variant('BOWL'), variant('MUG-XL')]);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      type: 'urn:ieum:problem:already-exists',
      errors: [{ field: '/variants/1/sku' }],
    });
    expect((await call('product', { path: { productId: 'bowl' } })).status).toBe(404);
    expect((await call('variant', { path: { sku: 'BOWL' } })).status).toBe(404);
  });

  it('two products that want one SKU at the same moment: exactly one gets it', async () => {
    const answers = await Promise.all(
      ['pen-a', 'pen-b', 'pen-c'].map((productId) => publish(productId, [variant('PEN')])),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = answers.find(({ status }) => status === 200)!.body.productId;
    expect((await call('variant', { path: { sku: 'PEN' } })).body.productId).toBe(winner);
  });

  it('who publishes the same product at the same moment follows the other, and no version is given twice', async () => {
    await publish('pot', [variant('POT', 9)]);
    const answers = await Promise.all([1, 2, 3].map((price) => publish('pot', [variant('POT', price)])));
    expect(answers.map(({ body }) => body.version).sort()).toEqual([2, 3, 4]);
    const last = answers.find(({ body }) => body.version === 4)!.body;
    expect((await call('product', { path: { productId: 'pot' } })).body).toEqual(last);
    expect((await call('variant', { path: { sku: 'POT' } })).body.price).toEqual(last.variants[0].price);
    const ids = (await eventsAbout('product/pot', 'variant/POT')).map(({ id }) => id);
    const versions = [2, 3, 4];
    expect(ids.sort()).toEqual([
      'product/pot#1',
      ...versions.map((version) => `product/pot#${version}`),
      ...versions.map((version) => `variant/POT#${version}`),
    ]);
  });

  it('sent twice with one key it is published once, and answered with the same bytes', async () => {
    const again = () =>
      call('publish', {
        as: headOffice,
        path: { productId: 'bag' },
        body: product([variant('BAG')]),
        idempotencyKey: 'bag-1',
      });
    const first = await again();
    const second = await again();
    expect(second.text).toBe(first.text);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(await eventsAbout('product/bag')).toHaveLength(1);
  });

  it('the largest product there may be can be replaced by an entirely new one', async () => {
    const forty = (prefix: string) => Array.from({ length: 40 }, (_, index) => variant(`${prefix}-${index}`));
    expect((await publish('big', forty('OLD'))).status).toBe(200);
    expect((await publish('big', forty('NEW'))).status).toBe(200);
    const skus = [...forty('OLD'), ...forty('NEW'), ...forty('NONE')].map(({ sku }) => sku);
    expect((await sellable(runtime.tables, skus)).size).toBe(40);
  });
});

describe('listing', () => {
  beforeAll(async () => {
    await publish('kimchi', [variant('KIMCHI-1KG', 15_000), variant('KIMCHI-500G', 8_000)], {
      category: 'food',
      storage: 'COLD',
    });
    await publish('rice', [variant('RICE')], { category: 'food' });
    await publish('saw', [variant('SAW')], { category: 'food-tools' });
  });

  it('shows a category, and only that one, with the lowest price of each product', async () => {
    const { body } = await call('products', { query: { category: 'food' } });
    expect(body.items.map(({ productId }: { productId: string }) => productId)).toEqual(['kimchi', 'rice']);
    expect(body.items[0]).toEqual({
      productId: 'kimchi',
      name: { ko: '반팔 티셔츠', en: 'T-shirt' },
      category: 'food',
      storage: 'COLD',
      priceFrom: { amountMinor: 8_000, currency: 'KRW' },
      skus: ['KIMCHI-1KG', 'KIMCHI-500G'],
    });
  });

  it('a product that changes its category is found in the new one only', async () => {
    await publish('rice', [variant('RICE')], { category: 'grain' });
    const idsIn = async (category: string) =>
      (await call('products', { query: { category } })).body.items.map((item: { productId: string }) => item.productId);
    expect(await idsIn('grain')).toEqual(['rice']);
    expect(await idsIn('food')).toEqual(['kimchi']);
  });

  it('page by page shows each product once', async () => {
    const all = (await call('products', { query: { limit: '100' } })).body.items;
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await call('products', { query: { limit: '2', ...(cursor === undefined ? {} : { cursor }) } });
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items);
      cursor = body.cursor;
    } while (cursor !== undefined);
    expect(all.length).toBeGreaterThan(4);
    expect(seen).toEqual(all);
  });

  it('a cursor that was made up is refused', async () => {
    const { status, body } = await call('products', { query: { cursor: 'bm9uc2Vuc2U' } });
    expect([status, body.errors[0].field]).toEqual([400, '/cursor']);
  });
});

describe('foreign hands and bad input', () => {
  const good = variant('X');
  it.each([
    [product([]), '/variants'],
    [product([{ ...good, price: { amountMinor: -1, currency: 'KRW' } }]), '/variants/0/price/amountMinor'],
    [product([{ ...good, price: { amountMinor: 1_000_000_001, currency: 'KRW' } }]), '/variants/0/price/amountMinor'],
    [product([{ ...good, price: { amountMinor: 9.5, currency: 'KRW' } }]), '/variants/0/price/amountMinor'],
    [product([{ ...good, price: { amountMinor: 1, currency: 'XXQ' } }]), '/variants/0/price/currency'],
    [product([{ ...good, price: { amountMinor: 1, currency: 'KRW', discount: 1 } }]), '/variants/0/price/discount'],
    [product([{ ...good, taxRatePercent: 31 }]), '/variants/0/taxRatePercent'],
    [product([{ ...good, sku: 'a b' }]), '/variants/0/sku'],
    [product([{ ...good, options: { note: '4242 4242 4242 4242' } }]), '/variants/0/options/note'],
    [product([good, good]), '/variants/1/sku'],
    [product([good], { name: { en: 'no Korean' } }), '/name/ko'],
    [product([good], { description: { ko: 'x'.repeat(2001) } }), '/description/ko'],
    [product([good], { category: 'a#b' }), '/category'],
    [product([good], { storage: 'HOT' }), '/storage'],
    [product([good], { version: 7 }), '/version'],
  ])('%j is refused and the field is named', async (body, field) => {
    const answer = await call('publish', { as: headOffice, path: { productId: 'x' }, body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('nobody publishes without the scope', async () => {
    const options = { path: { productId: 'x' }, body: product([good]) };
    expect((await call('publish', options)).status).toBe(401);
    expect((await call('publish', { ...options, as: customerCaller('kim') })).status).toBe(403);
    expect((await call('product', { path: { productId: 'x' } })).status).toBe(404);
  });
});

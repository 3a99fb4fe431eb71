import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/carts/api.ts';
import carts from '../../functions/carts/contract.ts';
import { cartOf, checkOut } from '../../functions/carts/parts.ts';
import { handlers as catalogHandlers } from '../../functions/catalog/api.ts';
import catalog from '../../functions/catalog/contract.ts';
import customers from '../../functions/customers/contract.ts';
import { rememberAddress, sealerFrom } from '../../functions/customers/parts.ts';
import { handlers as inventoryHandlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import { handlers as networkHandlers } from '../../functions/network/api.ts';
import network from '../../functions/network/contract.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { apiOf, customerCaller, staffCaller } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const headOffice = staffCaller('*', 'catalog:write', 'network:write', 'inventory:write');
const SEOUL = { latitude: 37.5, longitude: 127 };
/** Stands still: whatever is shown was read at this instant. */
const clock = { nowMs: Date.parse('2026-11-18T03:00:00Z') };
let engine: TestEngine;
let runtime: Runtime;
let call: ReturnType<typeof apiOf<typeof carts>>;

const won = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });
const publish = async (productId: string, skus: string[], price = won(11_000)) => {
  const published = await apiOf(
    catalog,
    catalogHandlers(runtime),
    runtime,
  )('publish', {
    as: headOffice,
    path: { productId },
    body: {
      name: { ko: `${productId} 상품` },
      category: 'any',
      storage: 'AMBIENT',
      variants: skus.map((sku) => ({ sku, options: { size: sku }, price, taxRatePercent: 10 })),
    },
  });
  expect(published.status).toBe(200);
};
const openNode = async (nodeId: string, abilities: string[], extra: object = {}) => {
  const opened = await apiOf(
    network,
    networkHandlers(runtime),
    runtime,
  )('maintain', {
    as: headOffice,
    path: { nodeId },
    body: {
      name: { ko: nodeId },
      kind: 'STORE',
      location: SEOUL,
      timeZone: 'Asia/Seoul',
      hours: [{ weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '09:00', closes: '21:00' }],
      abilities,
      answerWithinSeconds: 600,
      shipDays: 1,
      status: 'OPEN',
      ...extra,
    },
  });
  expect(opened.status).toBe(200);
};
const address = async (customerId: string, addressId: string) => {
  const sealed = await rememberAddress(runtime.tables, sealerFrom(randomBytes), customerId, addressId, {
    recipient: 'A. Recipient',
    phone: '+82 10-0000-0000',
    line1: '1 Test-ro',
    city: 'Seoul',
    postalCode: '04524',
    country: 'KR',
    location: SEOUL,
  });
  const cause = { actor: 'test', correlationId: 'test', now: runtime.now() };
  expect(await commitChanges(runtime, cause, [sealed])).toMatchObject({ ok: true });
};

const put = (customerId: string, sku: string, units: number, idempotencyKey?: string) =>
  call('setLine', {
    as: customerCaller(customerId),
    path: { sku },
    body: { units },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
const remove = (customerId: string, sku: string) =>
  call('removeLine', { as: customerCaller(customerId), path: { sku } });
const choose = (customerId: string, body: object) => call('chooseDelivery', { as: customerCaller(customerId), body });
const current = async (customerId: string) => (await call('current', { as: customerCaller(customerId) })).body;
const optionsFor = (customerId: string, query: Record<string, string> = {}) =>
  call('deliveryOptions', { as: customerCaller(customerId), query });

beforeAll(async () => {
  engine = await startTestEngine(carts, catalog, customers, network, inventory);
  runtime = engine.runtime(clock);
  call = apiOf(carts, handlers(runtime), runtime);
  await publish('tee', ['TEE-M', 'TEE-L']);
  await publish('abroad', ['USD-1'], { amountMinor: 500, currency: 'USD' });
  await openNode('store-1', ['PICKUP', 'SHIP', 'DAWN'], {
    dawn: { cutOff: '23:00', deliveredBy: '07:00', radiusKm: 10 },
  });
  await openNode('dc-1', ['SHIP']);
  await openNode('store-closed', ['PICKUP'], { status: 'CLOSED' });
  await apiOf(
    inventory,
    inventoryHandlers(runtime),
    runtime,
  )('receive', {
    as: headOffice,
    path: { nodeId: 'store-1' },
    body: { lines: [{ sku: 'TEE-M', units: 5 }] },
  });
  await Promise.all(['lee', 'oh'].map((customerId) => address(customerId, `adr_${customerId}`)));
});
afterAll(() => engine.close());

describe('the cart', () => {
  it('is empty, and not even there, until something is put into it', async () => {
    expect(await current('new')).toEqual({ lines: [], units: 0, version: 0 });
    expect(await cartOf(runtime.tables, 'new')).toBeUndefined();
  });

  it('every command answers the whole cart with names, prices, tax and totals', async () => {
    await put('kim', 'TEE-M', 2);
    const { status, body } = await put('kim', 'TEE-L', 1);
    expect(status).toBe(200);
    expect(body).toEqual({
      cartId: expect.stringMatching(/^crt_/),
      lines: [
        {
          ...{ sku: 'TEE-M', units: 2, sellable: true, productId: 'tee', name: { ko: 'tee 상품' } },
          ...{ options: { size: 'TEE-M' }, unitPrice: won(11_000), total: won(22_000), tax: won(2_000) },
        },
        {
          ...{ sku: 'TEE-L', units: 1, sellable: true, productId: 'tee', name: { ko: 'tee 상품' } },
          ...{ options: { size: 'TEE-L' }, unitPrice: won(11_000), total: won(11_000), tax: won(1_000) },
        },
      ],
      units: 3,
      total: won(33_000),
      tax: won(3_000),
      version: 2,
    });
    expect(await current('kim')).toEqual(body);
    expect((await remove('kim', 'TEE-M')).body).toMatchObject({ lines: [{ sku: 'TEE-L' }], units: 1, version: 3 });
  });

  it('belongs to its customer, and nobody else sees it or changes it', async () => {
    await put('park', 'TEE-M', 4);
    await remove('choi', 'TEE-M');
    expect((await current('park')).units).toBe(4);
    expect(await current('choi')).toEqual({ lines: [], units: 0, version: 0 });
  });

  it('costs what the catalog says now, not what it said then', async () => {
    await publish('sale', ['SALE']);
    await put('jung', 'SALE', 2);
    await publish('sale', ['SALE'], won(5_500));
    expect(await current('jung')).toMatchObject({ total: won(11_000), tax: won(1_000), version: 1 });
  });

  it('shows for less than a second what it knew, and then what the catalog says', async () => {
    await publish('soon', ['SOON']);
    await put('gil', 'SOON', 1);
    await publish('soon', ['SOON'], won(5_500));
    clock.nowMs += 999;
    expect((await current('gil')).total).toEqual(won(11_000));
    clock.nowMs += 1;
    expect((await current('gil')).total).toEqual(won(5_500));
  });

  it('shows what has gone from sale meanwhile, does not count it, and lets it be taken out', async () => {
    await publish('gone', ['GONE', 'STAYS']);
    await put('yoon', 'GONE', 1);
    await put('yoon', 'STAYS', 1);
    await publish('gone', ['STAYS']);
    const seen = await current('yoon');
    expect(seen.lines[0]).toEqual({ sku: 'GONE', units: 1, sellable: false });
    expect(seen.total).toEqual(won(11_000));
    expect((await put('yoon', 'GONE', 2)).body.type).toBe('urn:ieum:problem:not-sellable');
    expect((await optionsFor('yoon')).body.type).toBe('urn:ieum:problem:not-sellable');
    expect((await remove('yoon', 'GONE')).body.lines).toMatchObject([{ sku: 'STAYS' }]);
  });

  it('takes only what is on sale, in one currency', async () => {
    const never = await put('seo', 'NEVER', 1);
    expect([never.status, never.body.errors[0].field]).toEqual([409, '/sku']);
    await put('seo', 'TEE-M', 1);
    expect((await put('seo', 'USD-1', 1)).body.type).toBe('urn:ieum:problem:not-sellable');
    expect((await current('seo')).lines).toHaveLength(1);
  });

  it('two devices that change it at the same moment both get their line', async () => {
    await put('shin', 'TEE-M', 9);
    await Promise.all([put('shin', 'TEE-M', 1), put('shin', 'TEE-L', 1)]);
    const seen = await current('shin');
    expect(seen.lines.map(({ sku }: { sku: string }) => sku).sort()).toEqual(['TEE-L', 'TEE-M']);
    expect(seen).toMatchObject({ units: 2, version: 3 });
  });

  it('two devices that open it at the same moment share one cart', async () => {
    const opened = await Promise.all([put('han', 'TEE-M', 1), put('han', 'TEE-L', 1)]);
    const seen = await current('han');
    expect(seen).toMatchObject({ units: 2, version: 2 });
    expect(opened.map(({ body }) => body.cartId)).toEqual([seen.cartId, seen.cartId]);
  });

  it('a change that is sent twice with one key happens once and is answered with the same bytes', async () => {
    const first = await put('kwon', 'TEE-M', 2, 'key-1');
    const second = await put('kwon', 'TEE-M', 2, 'key-1');
    expect(second.text).toBe(first.text);
    expect((await current('kwon')).version).toBe(1);
    expect((await put('kwon', 'TEE-M', 3, 'key-1')).status).toBe(422);
  });

  it('taking out what is not there changes nothing, with or without a key', async () => {
    await put('hwang', 'TEE-M', 2);
    const as = customerCaller('hwang');
    const bare = await call('removeLine', { as, path: { sku: 'TEE-L' }, idempotencyKey: null });
    expect([bare.status, bare.body.version]).toEqual([200, 1]);
    expect((await remove('hwang', 'TEE-L')).body.version).toBe(1);
  });
});

describe('checking out', () => {
  const commit = (...changes: ReturnType<typeof checkOut>[]) =>
    runtime.tables.commit(changes.flatMap(({ parts }) => parts));
  const read = async (customerId: string) => (await cartOf(runtime.tables, customerId))!;

  it('one cart becomes one order: the second who takes it away is refused', async () => {
    await put('ahn', 'TEE-M', 1);
    const cart = await read('ahn');
    const taken = await Promise.all([commit(checkOut(cart, 'crt_2')), commit(checkOut(cart, 'crt_3'))]);
    expect(taken.map(({ ok }) => ok).sort()).toEqual([false, true]);
    expect(await current('ahn')).toMatchObject({ lines: [], version: 2 });
  });

  it('a cart that was changed after it was read is not taken away', async () => {
    await put('song', 'TEE-M', 1);
    const cart = await read('song');
    await put('song', 'TEE-M', 2);
    expect(await commit(checkOut(cart, 'crt_2'))).toMatchObject({
      ok: false,
      refusal: { problem: 'changed-meanwhile' },
    });
    expect((await current('song')).units).toBe(2);
  });

  it("the customer's next cart is another one, and counts on", async () => {
    await put('jang', 'TEE-M', 1);
    const first = await read('jang');
    await commit(checkOut(first, 'crt_next'));
    await put('jang', 'TEE-L', 1);
    const next = await read('jang');
    expect(next).toMatchObject({ cartId: 'crt_next', version: first.version + 2 });
    expect(await commit(checkOut(first, 'crt_other'))).toMatchObject({ ok: false });
    expect((await current('jang')).lines).toMatchObject([{ sku: 'TEE-L' }]);
  });
});

describe('choosing a way of fulfilment', () => {
  it('delivery goes to an address of one’s own', async () => {
    const chosen = await choose('lee', { choice: 'HOME_DELIVERY', addressId: 'adr_lee' });
    expect(chosen.body).toMatchObject({ delivery: { choice: 'HOME_DELIVERY', addressId: 'adr_lee' }, version: 1 });
    const foreign = await choose('lee', { choice: 'HOME_DELIVERY', addressId: 'adr_oh' });
    expect([foreign.status, foreign.body.errors[0].field]).toEqual([404, '/addressId']);
    expect((await current('lee')).delivery.addressId).toBe('adr_lee');
  });

  it('the choice stays while lines come and go, and a new choice replaces it', async () => {
    await choose('oh', { choice: 'DAWN', addressId: 'adr_oh' });
    await put('oh', 'TEE-M', 1);
    expect((await remove('oh', 'TEE-M')).body.delivery).toEqual({ choice: 'DAWN', addressId: 'adr_oh' });
    const { body } = await choose('oh', { choice: 'PICKUP', nodeId: 'store-1' });
    expect(body.delivery).toEqual({ choice: 'PICKUP', nodeId: 'store-1' });
    expect((await cartOf(runtime.tables, 'oh'))?.delivery).toEqual({ choice: 'PICKUP', nodeId: 'store-1' });
  });

  it.each([
    ['a node that never was', 'nowhere', 404],
    ['a node that hands nothing over', 'dc-1', 409],
    ['a node that is closed', 'store-closed', 409],
  ])('nothing is collected at %s', async (_, nodeId, status) => {
    const refused = await choose('moon', { choice: 'PICKUP', nodeId });
    expect([refused.status, refused.body.errors[0].field]).toEqual([status, '/nodeId']);
    expect(await cartOf(runtime.tables, 'moon')).toBeUndefined();
  });
});

describe('delivery options', () => {
  it('an empty cart has none', async () => {
    expect((await optionsFor('nobody')).body.type).toBe('urn:ieum:problem:cart-empty');
    await put('bae', 'TEE-M', 1);
    await remove('bae', 'TEE-M');
    expect((await optionsFor('bae')).body.type).toBe('urn:ieum:problem:cart-empty');
  });

  it('say what is possible and by when, and why the rest is not', async () => {
    await put('lee', 'TEE-M', 2);
    const { status, body } = await optionsFor('lee', { addressId: 'adr_lee' });
    expect(status).toBe(200);
    const of = (choice: string) => body.items.find((item: { choice: string }) => item.choice === choice);
    expect(of('HOME_DELIVERY')).toMatchObject({ available: true, promise: { by: expect.any(String) } });
    expect(of('PICKUP')).toMatchObject({ available: true, nodeId: 'store-1' });
    expect(of('DAWN')).toMatchObject({ available: true, promise: { by: expect.any(String) } });
    expect(of('SAME_DAY')).toMatchObject({ available: false, reason: expect.stringMatching(/./) });
    expect(of('SAME_DAY').promise).toBeUndefined();
  });

  it('delivery against the clock needs to know where to', async () => {
    await put('lee', 'TEE-M', 2);
    const { body } = await optionsFor('lee');
    const dawn = body.items.find((item: { choice: string }) => item.choice === 'DAWN');
    expect(dawn).toMatchObject({ available: false, reason: expect.stringMatching(/./) });
  });

  it('more units than anybody has are not possible in any way', async () => {
    await put('ryu', 'TEE-M', 6);
    const { body } = await optionsFor('ryu');
    expect(body.items.length).toBeGreaterThan(0);
    expect(body.items.filter(({ available }: { available: boolean }) => available)).toEqual([]);
  });

  it("nobody learns anything from somebody else's address", async () => {
    await put('nam', 'TEE-M', 1);
    const foreign = await optionsFor('nam', { addressId: 'adr_lee' });
    const missing = await optionsFor('nam', { addressId: 'adr_none' });
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });
});

describe('foreign hands and bad input', () => {
  it.each([
    [{ units: 0 }, '/units'],
    [{ units: 1000 }, '/units'],
    [{ units: 1.5 }, '/units'],
    [{ units: 1, price: 1 }, '/price'],
    [{ units: 1, sku: 'TEE-L' }, '/sku'],
  ])('a line %j is refused and the field is named', async (body, field) => {
    const refused = await call('setLine', { as: customerCaller('bad'), path: { sku: 'TEE-M' }, body });
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it.each([
    [{ choice: 'TELEPORT', addressId: 'a' }, '/choice'],
    [{ choice: 'PICKUP' }, '/nodeId'],
    [{ choice: 'DAWN' }, '/addressId'],
    [{ choice: 'DAWN', addressId: 'a', fee: 0 }, '/fee'],
  ])('a choice %j is refused and the field is named', async (body, field) => {
    const refused = await choose('bad', body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('only customers have carts', async () => {
    expect((await call('current')).status).toBe(401);
    expect((await call('current', { as: staffCaller('*', 'orders:read') })).status).toBe(403);
    expect((await call('current', { as: { sub: 'till', scope: 'ieum/shop' } })).status).toBe(403);
  });
});

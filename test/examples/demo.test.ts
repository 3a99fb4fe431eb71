import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOfAnyone, clientOfPerson } from '../../examples/access.ts';
import { loadDemo } from '../../examples/demo/load.ts';
import { NODES } from '../../examples/demo/nodes.ts';
import { CUSTOMERS, DEMO_PASSWORD, HEAD_OFFICE } from '../../examples/demo/people.ts';
import { playDemo } from '../../examples/demo/play.ts';
import { PRODUCTS } from '../../examples/demo/products.ts';
import { OPENING_STOCK } from '../../examples/demo/stock.ts';
import catalog from '../../functions/catalog/contract.ts';
import customers from '../../functions/customers/contract.ts';
import inventory from '../../functions/inventory/contract.ts';
import network from '../../functions/network/contract.ts';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';

describe('the demo chain on paper', () => {
  it('is two distribution centres, twenty stores and sixty products, each named in Korean, English and Japanese', () => {
    const kinds = Map.groupBy(NODES, ({ kind }) => kind);
    expect([kinds.get('DC')?.length, kinds.get('STORE')?.length, PRODUCTS.length]).toEqual([2, 20, 60]);
    for (const { name } of [...NODES, ...PRODUCTS]) expect(Object.keys(name).sort()).toEqual(['en', 'ja', 'ko']);
  });

  it('is what the API takes', () => {
    for (const node of NODES) network.operations.maintain.input.strict().parse(node);
    for (const product of PRODUCTS) catalog.operations.publish.input.strict().parse(product);
    for (const { profile, address } of CUSTOMERS) {
      customers.operations.saveProfile.input.strict().parse(profile);
      customers.operations.addAddress.input.strict().parse(address);
    }
  });

  it('sells no SKU twice, and keeps chilled goods out of stores', () => {
    const skus = PRODUCTS.flatMap(({ variants }) => variants.map(({ sku }) => sku));
    expect(new Set(skus).size).toBe(skus.length);
    const cold = new Set(
      PRODUCTS.filter(({ storage }) => storage === 'COLD').flatMap(({ variants }) => variants.map(({ sku }) => sku)),
    );
    const inStores = OPENING_STOCK.filter(({ nodeId }) => nodeId.startsWith('store-')).flatMap(({ lines }) => lines);
    expect(inStores.length).toBeGreaterThan(100);
    expect(inStores.filter(({ sku }) => cold.has(sku))).toEqual([]);
  });

  it('gives every customer a name that says what it is for', () => {
    for (const { profile } of CUSTOMERS) expect(profile.name).toMatch(/^데모 고객 \d \/ Demo customer \d$/);
  });
});

describe('the demo on the local cloud', () => {
  let test: TestCloud;

  beforeAll(async () => {
    test = await startTestCloud();
    await loadDemo(test.access);
  });
  afterAll(() => test.close());

  /** Everything that loading could have changed, of a few things of each kind. */
  const standing = async () => {
    const anyone = clientOfAnyone(test.access);
    const headOffice = clientOfPerson(test.access, HEAD_OFFICE, DEMO_PASSWORD);
    const customer = clientOfPerson(test.access, CUSTOMERS[0]!.username, DEMO_PASSWORD);
    return Promise.all([
      anyone(network.operations.nodes, { limit: 100 }),
      anyone(catalog.operations.product, { productId: 'prd-tee' }),
      headOffice(inventory.operations.levels, { sku: 'TEE-BLK-M' }).then(({ items }) => items),
      headOffice(inventory.operations.levels, { sku: 'POSTER' }).then(({ items }) => items),
      customer(customers.operations.addresses, {}),
    ]);
  };

  it('loaded twice changes nothing, and says that it was there', async () => {
    const before = await standing();
    expect(await loadDemo(test.access)).toBeUndefined();
    expect(await standing()).toEqual(before);
  });

  it('goes on loading where it was killed, without booking stock again', async () => {
    const headOffice = clientOfPerson(test.access, HEAD_OFFICE, DEMO_PASSWORD);
    const before = await standing();
    // As if the products had not been published yet: this one is not as wanted.
    const [product] = PRODUCTS;
    await headOffice(catalog.operations.publish, { ...product!, category: 'elsewhere' });
    expect(await loadDemo(test.access)).toMatchObject({ nodes: 0, products: 1 });
    const [nodes, tee, ...others] = await standing();
    expect([nodes, ...others]).toEqual([before[0], ...before.slice(2)]);
    expect(tee).toEqual({ ...before[1], version: before[1].version + 2 });
  });

  it.each(['first', 'second'])('tells its four stories to the end when it is played the %s time', async () => {
    const out = new PassThrough();
    const told = out.setEncoding('utf8').toArray();
    await playDemo({ access: test.access, out });
    out.end();
    const text = (await told).join('');
    expect(text.match(/✓ COMPLETED: ₩[\d,]+ captured, [1-9]\d* points pending/g)).toHaveLength(4);
    expect(text).toMatch(/customer 5 +orders the same a moment later: sold-out\n +because 0 of 1 POSTER are available/);
    expect(text).toMatch(/store-jamsil +takes over from store-gangnam\n +because dc-icheon has 0 of 1 TOTE-GRN/);
    expect(text).toMatch(/places ord_\w+ for DAWN: delivered by [\d-]+ 07:00/);
    expect(text).toMatch(/Ship from store +ord_\w+ +COMPLETED +\(store-gangnam\) → store-jamsil +CAPTURED +₩29,900/);
    expect(text).not.toContain('\u001b');
    expect(await test.drift()).toEqual([]);
  });
});

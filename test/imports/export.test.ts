import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportShop, OFFICE, openShop } from './shop.ts';

let shop: ImportShop;

beforeAll(async () => {
  shop = await openShop({ skus: [], nodeIds: ['dc-1', 'store-1', 'store-2'] });
  await shop.publish('A', '=HYPERLINK("http://example.com")');
  await shop.publish('B', '@SUM(1)');
  await shop.publish('C', '양말, 검정');
  for (const [nodeId, sku, units] of [
    ['dc-1', 'A', 5],
    ['dc-1', 'B', 6],
    ['dc-1', 'C', 7],
    ['store-2', 'B', 1],
  ] as const) {
    await shop.receive(nodeId, sku, units);
  }
  shop.clock.nowMs += 60_000;
});
afterAll(() => shop.end());

const CSV = [
  'sku,nodeId,onHand,available,name',
  `A,dc-1,5,5,"'=HYPERLINK(""http://example.com"")"`,
  "B,dc-1,6,6,'@SUM(1)",
  'C,dc-1,7,7,"양말, 검정"',
  "B,store-2,1,1,'@SUM(1)",
];

describe('an export', () => {
  it.each(['1', '2', '3', '100'])('holds every node and SKU once, pages of %s, formulas neutralised', async (limit) => {
    expect((await shop.exported({ limit })).trimEnd().split('\r\n')).toEqual(CSV);
  });

  it('begins with a BOM if a spreadsheet is to read it, on its first page', async () => {
    const text = await shop.exported({ limit: '2', bom: 'true' });
    expect(text.lastIndexOf('\uFEFF')).toBe(0);
  });

  it('of one node holds that node, as JSON lines if you like', async () => {
    const text = await shop.exported({ nodeId: 'store-2', format: 'jsonl' });
    expect(JSON.parse(text)).toEqual({ sku: 'B', nodeId: 'store-2', onHand: 1, available: 1, name: '@SUM(1)' });
    expect(await shop.exported({ nodeId: 'store-1', format: 'jsonl' })).toBe('');
  });

  it("does not go on by another node's cursor", async () => {
    const { body } = await shop.call('exported', { as: OFFICE, query: { nodeId: 'dc-1', limit: '1' } });
    const query = { nodeId: 'store-2', cursor: body.cursor };
    expect((await shop.call('exported', { as: OFFICE, query })).status).toBe(400);
  });

  it.each(['csv', 'jsonl'] as const)('as %s is imported again, and changes nothing', async (format) => {
    const text = await shop.exported({ format, bom: 'true' });
    const [header, ...rows] = text.split('\r\n');
    const file = `again-${format}`;
    await shop.open(file, 'ON_HAND', format === 'csv' ? { header } : { format, header: undefined });
    const loaded = await shop.load(file, format === 'csv' ? 2 : 1, format === 'csv' ? rows.join('\r\n') : text);
    expect(loaded.body).toMatchObject({ rows: 4, loaded: 0, unchanged: 4, quarantined: 0 });
    expect(await shop.ledger('A', 'dc-1')).toHaveLength(1);
  });

  it('keeps numbers below zero numbers', async () => {
    await shop.open('below', 'CHANGES');
    await shop.load('below', 2, 'C,store-1,-2,');
    expect(await shop.exported({ nodeId: 'store-1' })).toContain('C,store-1,-2,-2,');
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { customerWith, openShop, place, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const hold = (as: Awaited<ReturnType<typeof customerWith>>['as'], sku: string, nodeId: string) =>
  shop.call.inventory('hold', { as, body: { lines: [{ sku, nodeId, units: 1 }], holdSeconds: 3600 } });

it('who has had the last unit kept at a store orders it there, by naming the hold', async () => {
  await shop.sell('KEPT', 9_000);
  await shop.receive('store-gangnam', 'KEPT', 1);
  const pickup = { choice: 'PICKUP', nodeId: 'store-gangnam' };
  const [holder, other] = [
    await customerWith(shop, { KEPT: 1 }, pickup),
    await customerWith(shop, { KEPT: 1 }, pickup),
  ];
  const { body } = await hold(holder.as, 'KEPT', 'store-gangnam');
  expect((await place(shop, other)).status).toBe(409);
  const stolen = await place(shop, other, { body: { holdId: body.holdId } });
  expect([stolen.status, stolen.body.errors[0].field]).toEqual([404, '/holdId']);
  const ordered = await place(shop, holder, { body: { holdId: body.holdId } });
  expect(ordered.status, ordered.text).toBe(201);
  const { body: after } = await shop.call.inventory('heldBy', { as: holder.as, path: { holdId: body.holdId } });
  expect(after.status).toBe('COMMITTED');
});

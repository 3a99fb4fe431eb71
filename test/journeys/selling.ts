import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'vitest';
import { publicKeyOf, TillJournal } from '../../examples/till/journal.ts';
import { sendJournal } from '../../examples/till/send.ts';
import inventory from '../../functions/inventory/contract.ts';
import tills from '../../functions/tills/contract.ts';
import { FAR, NEAR } from './chain.ts';
import { type Journeys, refusalOf, type Shop } from './shop.ts';

const { operations } = tills;

/** A new till at a store, as head office registers it. */
const tillAt = async (shop: Shop, nodeId: string): Promise<TillJournal> => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const till = new TillJournal(`till-${crypto.randomUUID()}`, privateKey);
  const registration = { tillId: till.tillId, nodeId, keys: [publicKeyOf(privateKey)], status: 'ACTIVE' as const };
  await shop.headOffice(operations.maintain, registration);
  return till;
};

const saleOf = (sku: string, units: number, kind: 'SALE' | 'RETURN' = 'SALE') => ({
  ...{ saleId: crypto.randomUUID(), kind, lines: [{ sku, units }] },
  occurredAt: new Date(Date.now() - 8 * 3600 * 1000).toISOString(),
});

/** What goes over the counter, with a connection and without. */
export const selling: Journeys = {
  'what is sold over the counter is gone for everybody at once, and what comes back is there': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 3 });
    const { tillId } = await tillAt(shop, NEAR);
    const near = shop.associate(NEAR).client;
    const sale = { nodeId: NEAR, tillId, ...saleOf(sku, 2) };
    const sold = await near(operations.sell, sale);
    expect(await near(operations.sell, sale)).toEqual(sold);
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [1, 0, 1] });
    await near(operations.sell, { nodeId: NEAR, tillId, ...saleOf(sku, 1, 'RETURN') });
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [2, 0, 2] });
    expect(await refusalOf(shop.associate(FAR).client(operations.sell, sale))).toBe('not-found');
  },

  'a till that was offline while its stock was sold online sends its journal: the store finds out what is missing':
    async (shop) => {
      const sku = await shop.goods({ [NEAR]: 2 });
      const till = await tillAt(shop, NEAR);
      const near = shop.associate(NEAR).client;
      for (let sale = 0; sale < 3; sale += 1) till.record(saleOf(sku, 1));
      const { orderId } = await (await shop.customer()).buy([{ sku, units: 1 }]);
      expect(await sendJournal(near, till)).toEqual([]);
      expect(await near(operations.till, { tillId: till.tillId })).toMatchObject({ highest: 3, missing: [] });
      expect(await shop.stock(sku)).toEqual({ [NEAR]: [-1, 1, -2] });
      const { items } = await near(inventory.operations.discrepancies, { nodeId: NEAR, limit: 100 });
      const open = items.filter((one) => one.sku === sku);
      expect(open.map(({ units }) => units)).toEqual([1, 1]);
      for (const { discrepancyId } of open) {
        const found = { nodeId: NEAR, discrepancyId, resolution: 'FOUND' as const, unitsDelta: 1, note: 'in the back' };
        await near(inventory.operations.resolveDiscrepancy, found);
      }
      await shop.associate(NEAR).deliver(orderId);
      expect(await shop.stock(sku)).toEqual({ [NEAR]: [0, 0, 0] });
    },

  'a till that was restored from a backup is found out, and replaced': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 9 });
    const till = await tillAt(shop, NEAR);
    const near = shop.associate(NEAR).client;
    const restored = new TillJournal(till.tillId, till.privateKey);
    till.record(saleOf(sku, 1));
    restored.record(saleOf(sku, 4));
    await sendJournal(near, till);
    expect(await sendJournal(near, restored)).toMatchObject([{ sequence: 1, because: 'FORKED' }]);
    const { items } = await near(operations.conflicts, { tillId: till.tillId });
    expect(items).toMatchObject([{ sequence: 1, because: 'FORKED', lines: [{ sku, units: 4 }] }]);
    const registered = { tillId: till.tillId, nodeId: NEAR, keys: [publicKeyOf(till.privateKey)] };
    await shop.headOffice(operations.maintain, { ...registered, status: 'RETIRED' });
    till.record(saleOf(sku, 1));
    expect(await refusalOf(sendJournal(near, till))).toBe('wrong-state');
    const listed = await near(operations.tills, { nodeId: NEAR, limit: 100 });
    expect(listed.items).toContainEqual(expect.objectContaining({ tillId: till.tillId, status: 'RETIRED' }));
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [8, 0, 8] });
  },

  'the last units of what is spread over shards are sold over the counter, and one that is not there': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 2 });
    await shop.headOffice(inventory.operations.spread, { sku, nodeId: NEAR, shards: 4 });
    const till = await tillAt(shop, NEAR);
    const sale = { nodeId: NEAR, tillId: till.tillId, ...saleOf(sku, 3) };
    await shop.associate(NEAR).client(operations.sell, sale);
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [-1, 0, -1] });
  },
};

import { expect } from 'vitest';
import { until } from '../../examples/until.ts';
import inventory from '../../functions/inventory/contract.ts';
import stockroom from '../../functions/stockroom/contract.ts';
import { decode } from '../../functions/stockroom/epc.ts';
import { tagOf } from '../stockroom/tags.ts';
import { CENTRE, FAR, NEAR } from './chain.ts';
import { type Journeys, refusalOf } from './shop.ts';

const { operations } = stockroom;

const dueAt = (): string => new Date(Date.now() + 86_400_000).toISOString();
/** Tags of an item that nobody else sells, and its GTIN. */
const tagged = (units: number): { epcs: string[]; gtin14: string } => {
  const item = Math.floor(Math.random() * 999_999);
  const epcs = Array.from({ length: units }, (_, serial) => tagOf(item, serial));
  const decoded = decode(epcs[0]!);
  if ('reason' in decoded) throw new Error(decoded.reason);
  return { epcs, gtin14: decoded.tag.gtin14 };
};

/** What people in stores and warehouses do with the goods. */
export const moving: Journeys = {
  'goods come to the centre short and damaged, go on to a store, and one of them gets lost': async (shop) => {
    const sku = await shop.goods({});
    const adviceId = `asn-${sku.slice(-12)}`;
    await shop.headOffice(operations.announceAdvice, {
      ...{ nodeId: CENTRE, adviceId, lines: [{ sku, units: 10 }], dueAt: dueAt() },
    });
    const centre = shop.associate(CENTRE).client;
    const advice = { nodeId: CENTRE, adviceId };
    const lines = [{ sku, good: 7, damaged: 1 }];
    await centre(operations.receiveAdvice, { ...advice, deliveryId: 'd-1', lines });
    const closed = await centre(operations.closeAdvice, advice);
    expect(closed.lines).toEqual([{ sku, expected: 10, good: 7, damaged: 1, over: 0, short: 2 }]);
    expect((await centre(operations.advices, { nodeId: CENTRE })).items).not.toContainEqual(closed);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [8, 0, 7] });

    const near = shop.associate(NEAR).client;
    const asked = { nodeId: NEAR, fromNodeId: CENTRE, lines: [{ sku, units: 4 }] };
    const { transferId } = await near(operations.requestTransfer, asked);
    expect(await refusalOf(shop.associate(FAR).client(operations.transfer, { nodeId: NEAR, transferId }))).toBe(
      'not-found',
    );
    await centre(operations.shipTransfer, { nodeId: CENTRE, transferId, dueAt: dueAt() });
    const transfer = { nodeId: NEAR, transferId };
    await near(operations.receiveTransfer, { ...transfer, deliveryId: 'd-1', lines: [{ sku, good: 3 }] });
    expect((await near(operations.closeTransfer, transfer)).lines).toMatchObject([{ shipped: 4, good: 3, lost: 1 }]);
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [4, 0, 3], [NEAR]: [3, 0, 3] });
  },

  'a picker does not find what the books say; it is counted, by when it was looked at, and approved': async (shop) => {
    const sku = await shop.goods({ [NEAR]: 9 });
    const near = shop.associate(NEAR).client;
    const report = { nodeId: NEAR, sku, expected: 2, found: 0, reference: 'fo-1' };
    const { countId } = await near(operations.reportShortPick, report);
    const count = { nodeId: NEAR, countId };
    const countedAt = new Date().toISOString();
    await near(operations.enterCount, { ...count, sku, units: 4, countedAt });
    // What comes after the look at the shelf is no variance.
    await shop.headOffice(inventory.operations.receive, { nodeId: NEAR, lines: [{ sku, units: 2 }] });
    expect(await near(operations.submitCount, count)).toMatchObject({ status: 'AWAITING_APPROVAL' });
    expect(await refusalOf(near(operations.approveCount, count))).toBe('forbidden');
    expect(await shop.headOffice(operations.approveCount, count)).toMatchObject({
      status: 'POSTED',
      lines: [{ expected: 9, counted: 4, variance: -5 }],
    });
    expect(await shop.stock(sku)).toEqual({ [NEAR]: [6, 0, 6] });
  },

  'a hot SKU leaves although the books do not know of it, and somebody has to look at that': async (shop) => {
    const sku = await shop.goods({});
    await shop.headOffice(inventory.operations.spread, { sku, nodeId: CENTRE, shards: 2 });
    const lines = [{ sku, units: 1 }];
    const near = shop.associate(NEAR).client;
    const { transferId } = await near(operations.requestTransfer, { nodeId: NEAR, fromNodeId: CENTRE, lines });
    const centre = shop.associate(CENTRE).client;
    await centre(operations.shipTransfer, { nodeId: CENTRE, transferId, dueAt: dueAt() });
    expect(await shop.stock(sku)).toEqual({ [CENTRE]: [-1, 0, -1] });
    const { items } = await centre(inventory.operations.discrepancies, { nodeId: CENTRE, limit: 100 });
    expect(items).toContainEqual(expect.objectContaining({ sku, units: 1, kind: 'TRANSFER_OUT' }));
  },

  'a store is counted by radio: one SKU agrees, and of another all are promised and none is there': async (shop) => {
    const [there, gone] = [await shop.goods({ [FAR]: 1 }), await shop.goods({})];
    await shop.headOffice(inventory.operations.spread, { sku: gone, nodeId: FAR, shards: 2 });
    await shop.headOffice(inventory.operations.receive, { nodeId: FAR, lines: [{ sku: gone, units: 1 }] });
    await (await shop.customer()).order([{ sku: gone, units: 1 }]);
    const { epcs, gtin14 } = tagged(2);
    await shop.headOffice(operations.mapGtin, { gtin14, sku: there });
    const far = shop.associate(FAR).client;
    const { sessionId } = await far(operations.openSession, { nodeId: FAR, skus: [there, gone] });
    await shop.headOffice(inventory.operations.receive, { nodeId: FAR, lines: [{ sku: there, units: 1 }] });
    const session = { nodeId: FAR, sessionId };
    const batch = await far(operations.readTags, { ...session, epcs: [...epcs, ...epcs, 'E2801160600002'] });
    expect(batch).toMatchObject({ accepted: 2, quarantined: [{ epc: 'E2801160600002' }] });
    const { result } = await far(operations.closeSession, session);
    expect(result).toMatchObject({ tags: 2, strays: 0, unknownGtins: [] });
    const countId = result!.countIds[0]!;
    const posted = await until(`the count ${countId}`, async () => {
      const { items } = await far(operations.counts, { nodeId: FAR, status: 'CLOSED', limit: 100 });
      const found = items.find((item) => item.countId === countId);
      return found === undefined ? { still: 'not there' } : { done: found };
    });
    expect(posted.lines.map(({ sku, variance }) => [sku, variance])).toEqual(
      [
        [there, 0],
        [gone, -1],
      ].sort(),
    );
    expect(await shop.stock(there)).toEqual({ [FAR]: [2, 0, 2] });
    expect(await shop.stock(gone)).toEqual({ [FAR]: [0, 1, -1] });
  },
};

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalForm, publicKeyOf, type SignedEntry, TillJournal } from '../../examples/till/journal.ts';
import { sendJournal } from '../../examples/till/send.ts';
import { BATCH_ENTRIES_MAX, SALE_LINES_MAX } from '../../functions/tills/contract.ts';
import { hashOf, isSignedBy } from '../../functions/tills/signature.ts';
import type { Client } from '../../shared/client.ts';
import { customerCaller, outboxOf } from '../support/call.ts';
import {
  type Counter,
  cashier,
  fresh,
  headOffice,
  newKey,
  openCounter,
  otherCashier,
  outcomesOf,
  STORE,
  saleOf,
} from './counter.ts';

let counter: Counter;
beforeAll(async () => {
  counter = await openCounter();
});
afterAll(() => counter?.engine.close());

/** A till that sold one unit so many times while it was offline. */
const offline = async (sku: string, sales: number): Promise<{ till: TillJournal; entries: SignedEntry[] }> => {
  const till = await counter.newTill();
  const entries = Array.from({ length: sales }, () => till.record(saleOf([{ sku, units: 1 }])));
  return { till, entries };
};

const stateOf = async (tillId: string) => {
  const { highest, missing } = (await counter.call('till', { as: cashier, path: { tillId } })).body;
  return { highest, missing };
};

describe('the journal of a till that was offline', () => {
  it('is booked entry by entry, with what happened when by its clock', async () => {
    const sku = await counter.goods(5);
    const till = await counter.newTill();
    const sold = till.record(saleOf([{ sku, units: 3 }]));
    const returned = till.record(saleOf([{ sku, units: 1 }], 'RETURN'));
    const answer = await counter.send(till.tillId, [sold, returned]);
    expect(answer.body).toEqual({
      tillId: till.tillId,
      entries: [
        { index: 0, sequence: 1, outcome: 'APPLIED' },
        { index: 1, sequence: 2, outcome: 'APPLIED' },
      ],
      highest: 2,
      missing: [],
    });
    expect(await counter.level(sku)).toMatchObject({ onHand: 3, available: 3 });
    expect(await counter.booked(sku)).toMatchObject([
      { kind: 'SALE', onHand: -3, occurredAt: sold.occurredAt, reference: `${till.tillId}/${sold.saleId}` },
      { kind: 'RETURN', onHand: 1 },
    ]);
  });

  it('that arrives eight hours late, after its stock was sold online, is accepted and becomes a discrepancy', async () => {
    const sku = await counter.goods(2);
    const { till, entries } = await offline(sku, 2);
    const buyer = customerCaller('buyer-1');
    const lines = [{ sku, nodeId: STORE, units: 2 }];
    await counter.done(counter.stock('hold', { as: buyer, body: { lines, holdSeconds: 604_800 } }));
    counter.clock.nowMs += 8 * 3600 * 1000;
    expect(outcomesOf(await counter.send(till.tillId, entries))).toEqual(['APPLIED', 'APPLIED']);
    // The hold stands: whoever has it is asked, the shelf is empty.
    expect(await counter.level(sku)).toMatchObject({ onHand: 0, reserved: 2, available: -2 });
    const open = await counter.discrepancies(sku);
    expect(open.map(({ units }: { units: number }) => units)).toEqual([1, 1]);
  });

  it.each(['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])(
    'is booked although its clock says %s',
    async (at) => {
      const sku = await counter.goods(2);
      const till = await counter.newTill();
      const entries = [till.record({ ...saleOf([{ sku, units: 1 }]), occurredAt: at })];
      expect(outcomesOf(await counter.send(till.tillId, entries))).toEqual(['APPLIED']);
      expect(await counter.booked(sku)).toMatchObject([{ occurredAt: at }]);
    },
  );

  it('that is sent twice, overlapping and in any order is booked once', async () => {
    const sku = await counter.goods(9);
    const { till, entries } = await offline(sku, 4);
    const [one, two, three, four] = entries as [SignedEntry, SignedEntry, SignedEntry, SignedEntry];
    expect(outcomesOf(await counter.send(till.tillId, [three, two, three]))).toEqual([
      'APPLIED',
      'APPLIED',
      'REPEATED',
    ]);
    expect(outcomesOf(await counter.send(till.tillId, [four, three]))).toEqual(['APPLIED', 'REPEATED']);
    expect(outcomesOf(await counter.send(till.tillId, [one, two, three, four]))).toEqual([
      'APPLIED',
      ...Array(3).fill('REPEATED'),
    ]);
    expect(await counter.booked(sku)).toHaveLength(4);
    expect(await counter.level(sku)).toMatchObject({ onHand: 5, version: 5 });
  });

  it('says what is missing, and books what comes after it all the same', async () => {
    const sku = await counter.goods(9);
    const { till, entries } = await offline(sku, 7);
    const later = await counter.send(till.tillId, [entries[6]!, entries[2]!]);
    expect(outcomesOf(later)).toEqual(['APPLIED', 'APPLIED']);
    const gaps = [
      { from: 1, to: 2 },
      { from: 4, to: 6 },
    ];
    expect(later.body).toMatchObject({ highest: 7, missing: gaps });
    expect(await stateOf(till.tillId)).toEqual({ highest: 7, missing: gaps });
    const { body } = await counter.send(till.tillId, [entries[4]!, entries[0]!, entries[1]!]);
    expect(body.missing).toEqual([
      { from: 4, to: 4 },
      { from: 6, to: 6 },
    ]);
    await counter.send(till.tillId, entries);
    expect(await stateOf(till.tillId)).toEqual({ highest: 7, missing: [] });
    expect(await counter.level(sku)).toMatchObject({ onHand: 2 });
  });

  it('that is sent by three at once is booked once', async () => {
    const sku = await counter.goods(20);
    const { till, entries } = await offline(sku, 8);
    const sends = [entries, entries.toReversed(), entries.slice(3)];
    const statuses = await Promise.all(sends.map(async (some) => (await counter.send(till.tillId, some)).status));
    expect(statuses).toEqual([200, 200, 200]);
    await counter.send(till.tillId, entries);
    expect(await counter.booked(sku)).toHaveLength(8);
    expect(await counter.level(sku)).toMatchObject({ onHand: 12 });
    expect(await stateOf(till.tillId)).toEqual({ highest: 8, missing: [] });
  });

  it('holds a sale that was booked online although its answer was lost: it is booked once', async () => {
    const sku = await counter.goods(5);
    const till = await counter.newTill();
    const sale = saleOf([{ sku, units: 2 }]);
    await counter.sell(till.tillId, sale);
    expect(outcomesOf(await counter.send(till.tillId, [till.record(sale)]))).toEqual(['REPEATED']);
    expect(await stateOf(till.tillId)).toEqual({ highest: 1, missing: [] });
    const journalled = till.record(saleOf([{ sku, units: 1 }]));
    await counter.send(till.tillId, [journalled]);
    const { sequence: _, previous: __, signature: ___, ...told } = journalled;
    expect((await counter.sell(till.tillId, told)).status).toBe(201);
    expect(await counter.booked(sku)).toHaveLength(2);
    expect(await counter.level(sku)).toMatchObject({ onHand: 2 });
  });

  it('takes as many entries and lines as it says, in transactions that are small enough', async () => {
    const till = await counter.newTill();
    const skus = await Promise.all(Array.from({ length: SALE_LINES_MAX }, () => counter.goods(0)));
    // All of them are short: each line opens a discrepancy.
    const large = till.record(saleOf(skus.map((sku) => ({ sku, units: 1 }))));
    const small = Array.from({ length: BATCH_ENTRIES_MAX - 1 }, () =>
      till.record(saleOf([{ sku: skus[0]!, units: 1 }])),
    );
    let most = 0;
    const release = counter.engine.intercept((operation, input, next) => {
      if (operation === 'TransactWriteItems')
        most = Math.max(most, (input as { TransactItems: [] }).TransactItems.length);
      return next(input);
    });
    expect(new Set(outcomesOf(await counter.send(till.tillId, [large, ...small])))).toEqual(new Set(['APPLIED']));
    release();
    expect(most).toBe(3 * SALE_LINES_MAX + 4);
    expect(await counter.level(skus[0]!)).toMatchObject({ onHand: -BATCH_ENTRIES_MAX });
  });

  it('goes on after a sale that has to wait, and comes back to it', async () => {
    const [plain, ...spread] = [await counter.goods(5), await counter.goods(1), await counter.goods(1)];
    const spreadOver = (sku: string, shards: number) =>
      counter.done(counter.stock('spread', { as: headOffice, path: { sku, nodeId: STORE }, body: { shards } }));
    for (const sku of spread) await spreadOver(sku, 64);
    const till = await counter.newTill();
    const waits = till.record(saleOf(spread.map((sku) => ({ sku, units: 2 }))));
    const answer = await counter.send(till.tillId, [waits, till.record(saleOf([{ sku: plain, units: 1 }]))]);
    expect(outcomesOf(answer)).toEqual(['TOO_BUSY', 'APPLIED']);
    expect(answer.body).toMatchObject({ highest: 2, missing: [{ from: 1, to: 1 }] });
    await spreadOver(spread[0]!, 1);
    till.settle(answer.body);
    expect(outcomesOf(await counter.send(till.tillId, till.state.waiting))).toEqual(['APPLIED']);
  });
});

describe('an entry that is not to be trusted', () => {
  it('is refused and named, and those around it are booked', async () => {
    const sku = await counter.goods(20);
    const { till, entries } = await offline(sku, 5);
    const foreign = await offline(sku, 2);
    const [one, two, three, four, five] = entries as [SignedEntry, SignedEntry, SignedEntry, SignedEntry, SignedEntry];
    const forged = new TillJournal(till.tillId, newKey(), { ...till.state }).record(saleOf([{ sku, units: 1 }]));
    const batch = [
      one,
      { ...two, lines: [{ sku, units: 2 }] },
      { ...three, occurredAt: '2026-11-21T00:00:00.001Z' },
      { ...four, signature: five.signature },
      foreign.entries[1]!,
      five,
      forged,
    ];
    const answer = await counter.send(till.tillId, batch);
    expect(answer.body.entries).toMatchObject([
      { index: 0, outcome: 'APPLIED' },
      { index: 1, sequence: 2, outcome: 'REFUSED', because: 'BAD_SIGNATURE' },
      { index: 2, sequence: 3, outcome: 'REFUSED', because: 'BAD_SIGNATURE' },
      { index: 3, sequence: 4, outcome: 'REFUSED', because: 'BAD_SIGNATURE' },
      { index: 4, sequence: 2, outcome: 'REFUSED', because: 'BAD_SIGNATURE' },
      { index: 5, outcome: 'APPLIED' },
      { index: 6, sequence: 6, outcome: 'REFUSED', because: 'BAD_SIGNATURE' },
    ]);
    expect(answer.body).toMatchObject({ highest: 5, missing: [{ from: 2, to: 4 }] });
    // Anybody may make up what nobody signed: it is not worth a record.
    expect(await counter.conflicts(till.tillId)).toEqual([]);
    await counter.send(till.tillId, entries);
    expect(await counter.booked(sku)).toHaveLength(5);
  });

  it('of another till with the same key is refused, too', async () => {
    const sku = await counter.goods(2);
    const key = newKey();
    const [one, other] = [await counter.register([key]), await counter.register([key])];
    const entry = new TillJournal(one, key).record(saleOf([{ sku, units: 1 }]));
    expect(outcomesOf(await counter.send(other, [entry]))).toEqual(['BAD_SIGNATURE']);
  });

  it('that makes the journal fork is refused and on record, with its signature, once', async () => {
    const sku = await counter.goods(9);
    const { till, entries } = await offline(sku, 3);
    await counter.send(till.tillId, entries);
    const restored = new TillJournal(till.tillId, till.privateKey, {
      ...{ sequence: 1, hash: entries[1]!.previous, waiting: [] },
    });
    const [second, third, fourth] = [1, 2, 3].map((units) => restored.record(saleOf([{ sku, units }])));
    const forks = [second!, third!, fourth!];
    for (const _ of [1, 2]) {
      expect(outcomesOf(await counter.send(till.tillId, forks))).toEqual(['FORKED', 'FORKED', 'CHAIN_BROKEN']);
    }
    expect(await counter.conflicts(till.tillId)).toEqual(
      forks.map((entry, index) => ({
        ...entry,
        because: index < 2 ? 'FORKED' : 'CHAIN_BROKEN',
        arrivedAt: expect.any(String),
      })),
    );
    const told = (await outboxOf(counter.runtime)).filter(({ type }) => type === 'till.entry-conflicted.v1');
    expect(told.filter(({ data }) => (data as { tillId: string }).tillId === till.tillId)).toHaveLength(3);
    expect(await counter.level(sku)).toMatchObject({ onHand: 6 });
    expect(await stateOf(till.tillId)).toEqual({ highest: 3, missing: [] });
  });

  it('that does not lead to the next one is refused, although it comes last', async () => {
    const sku = await counter.goods(9);
    const { till, entries } = await offline(sku, 2);
    const other = new TillJournal(till.tillId, till.privateKey).record(saleOf([{ sku, units: 5 }]));
    await counter.send(till.tillId, [entries[1]!]);
    expect(outcomesOf(await counter.send(till.tillId, [other]))).toEqual(['CHAIN_BROKEN']);
    expect(outcomesOf(await counter.send(till.tillId, [entries[0]!]))).toEqual(['APPLIED']);
  });

  it('that forks at once from two sides is booked on one of them', async () => {
    for (let round = 0; round < 5; round += 1) {
      const sku = await counter.goods(9);
      const { till, entries } = await offline(sku, 2);
      const other = new TillJournal(till.tillId, till.privateKey).record(saleOf([{ sku, units: 5 }]));
      const answers = await Promise.all([[other], [entries[1]!]].map((some) => counter.send(till.tillId, some)));
      expect(answers.flatMap(outcomesOf).sort()).toEqual(['APPLIED', 'CHAIN_BROKEN']);
    }
  });

  it('whose saleId stands for other goods keeps its place in the journal, and is on record', async () => {
    const sku = await counter.goods(9);
    const till = await counter.newTill();
    const sale = saleOf([{ sku, units: 1 }]);
    const entries = [
      till.record(sale),
      till.record({ ...sale, lines: [{ sku, units: 2 }] }),
      till.record(saleOf([{ sku, units: 1 }])),
    ];
    for (const first of ['APPLIED', 'REPEATED']) {
      expect(outcomesOf(await counter.send(till.tillId, entries))).toEqual([first, 'SALE_ID_TAKEN', first]);
    }
    expect(await counter.conflicts(till.tillId)).toMatchObject([{ sequence: 2, because: 'SALE_ID_TAKEN' }]);
    expect(await stateOf(till.tillId)).toEqual({ highest: 3, missing: [] });
    expect(await counter.level(sku)).toMatchObject({ onHand: 7 });
  });

  it("does not come by another store's staff", async () => {
    const { till, entries } = await offline('A', 1);
    expect((await counter.send(till.tillId, entries, otherCashier)).status).toBe(404);
    expect((await counter.send(fresh('till'), entries, headOffice)).status).toBe(404);
  });
});

describe('the keys of a till', () => {
  it('are rotated: both are trusted until the old one is taken away', async () => {
    const sku = await counter.goods(9);
    const { till } = await offline(sku, 1);
    const [oldKey, newer] = [till.privateKey, newKey()];
    await counter.register([oldKey, newer], till.tillId);
    till.privateKey = newer;
    till.record(saleOf([{ sku, units: 1 }]));
    expect(outcomesOf(await counter.send(till.tillId, till.state.waiting))).toEqual(['APPLIED', 'APPLIED']);
    await counter.register([newer], till.tillId);
    const thief = new TillJournal(till.tillId, oldKey, till.state).record(saleOf([{ sku, units: 5 }]));
    const genuine = till.record(saleOf([{ sku, units: 1 }]));
    expect(outcomesOf(await counter.send(till.tillId, [thief, genuine]))).toEqual(['BAD_SIGNATURE', 'APPLIED']);
  });

  it('are worth nothing once the till is retired, also to a batch that is under way', async () => {
    const sku = await counter.goods(9);
    const { till, entries } = await offline(sku, 2);
    let sent = 0;
    const release = counter.engine.intercept(async (operation, input, next) => {
      if (operation === 'TransactWriteItems') sent += 1;
      if (sent === 2) {
        sent += 1;
        await counter.register([till.privateKey], till.tillId, 'RETIRED');
      }
      return next(input);
    });
    const answer = await counter.send(till.tillId, entries);
    release();
    expect([answer.status, answer.body.type]).toEqual([409, 'urn:ieum:problem:wrong-state']);
    expect(await counter.booked(sku)).toHaveLength(1);
  });
});

describe('the client for tills', () => {
  const client: Client = async (operation, input) => {
    const { tillId, ...body } = input as { tillId: string };
    const answer = await counter.call('journal', { as: cashier, path: { tillId }, body });
    if (answer.status >= 300) throw new Error(answer.text);
    return operation.output.parse(answer.body) as never;
  };

  it('sends its journal until all of it has arrived, and keeps what has not', async () => {
    const sku = await counter.goods(100);
    const { till } = await offline(sku, BATCH_ENTRIES_MAX + 10);
    const saved = JSON.parse(JSON.stringify(till.state));
    expect(await sendJournal(client, till)).toEqual([]);
    expect(till.state.waiting).toEqual([]);
    // The till lost power before it knew: it goes on from its disk.
    const restarted = new TillJournal(till.tillId, till.privateKey, saved);
    restarted.record(saleOf([{ sku, units: 1 }]));
    expect(await sendJournal(client, restarted)).toEqual([]);
    expect(await counter.level(sku)).toMatchObject({ onHand: 100 - BATCH_ENTRIES_MAX - 11 });
  });

  it('says so when nothing is taken in', async () => {
    const { till } = await offline('A', 1);
    const stranger = new TillJournal(till.tillId, newKey());
    stranger.record(saleOf([{ sku: 'A', units: 1 }]));
    await expect(sendJournal(client, stranger)).rejects.toThrow('BAD_SIGNATURE at 1');
  });

  it('signs the example of the README as the README says, and as we verify it', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'functions', 'tills', 'README.md'), 'utf8');
    // The key of RFC 8037, appendix A.
    const key = createPrivateKey({
      format: 'jwk',
      key: {
        ...{ kty: 'OKP', crv: 'Ed25519', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' },
        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      },
    });
    const till = new TillJournal('till-gangnam-1', key);
    const entry = till.record({
      ...{ saleId: '20261121-0001', kind: 'SALE', lines: [{ sku: 'TEE-BLK-M', units: 2 }] },
      occurredAt: '2026-11-21T09:00:00.000Z',
    });
    expect(page).toContain(canonicalForm('till-gangnam-1', entry));
    expect(page).toContain(entry.signature);
    expect(page).toContain(till.state.hash);
    expect(hashOf('till-gangnam-1', entry)).toBe(till.state.hash);
    expect(isSignedBy([publicKeyOf(key)], 'till-gangnam-1', entry)).toBe(true);
  });
});

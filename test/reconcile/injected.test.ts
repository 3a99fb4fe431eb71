import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import inventory from '../../functions/inventory/contract.ts';
import { allocate, happened, reserve, stockOf } from '../../functions/inventory/parts.ts';
import { levelsAt } from '../../functions/inventory/store/levels.ts';
import { spreadParts } from '../../functions/inventory/store/shards.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { proposalOf, raise, repair } from '../../infra/reconcile/repair.ts';
import { describeReport, reconcile } from '../../infra/reconcile.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Key, Part } from '../../shared/table.ts';
import { outboxOf } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const TABLES = { inventory: 'inventory', orders: 'orders', payments: 'payments', loyalty: 'loyalty' };
const NOW = '2026-11-21T09:00:00.000Z';
const cause = { actor: 'staff/test', correlationId: 'test', now: NOW };

let engine: TestEngine;
let runtime: Runtime;
let documents: DynamoDBDocumentClient;

const level = (sku: string, shard = 0): Key => ({
  pk: shard === 0 ? `SKU#${sku}` : `SKU#${sku}#${shard}`,
  sk: 'NODE#dc',
});
const entry = (sku: string, id: string): Key => ({ pk: `LEDGER#${sku}#dc`, sk: id });

const commit = async (parts: readonly Part[]) => expect(await runtime.tables.commit(parts)).toMatchObject({ ok: true });
const set = (key: Key, attribute: string, value: unknown) =>
  documents.send(
    new UpdateCommand({
      ...{ TableName: 'inventory', Key: key, UpdateExpression: 'SET #a = :v' },
      ...{ ExpressionAttributeNames: { '#a': attribute }, ExpressionAttributeValues: { ':v': value } },
    }),
  );
const remove = (key: Key) => documents.send(new DeleteCommand({ TableName: 'inventory', Key: key }));
const read = async (key: Key) => (await documents.send(new GetCommand({ TableName: 'inventory', Key: key }))).Item!;
const write = (Item: Record<string, unknown>) => documents.send(new PutCommand({ TableName: 'inventory', Item }));

/** Ten came in, one is held, two are damaged; spread over two shards. */
const stocked = async (sku: string): Promise<void> => {
  const { tables } = runtime;
  const happening = { sku, nodeId: 'dc', reference: 'r1', movementId: 'r1' };
  const receipt = { ...happening, kind: 'RECEIPT' as const, units: 10 };
  await commit((await happened(tables, [receipt], cause, { subject: `receipt/${sku}`, version: 1 })).parts);
  const damage = { ...happening, kind: 'DAMAGE' as const, units: 2, movementId: 'd1' };
  await commit((await happened(tables, [damage], cause, { subject: `damage/${sku}`, version: 1 })).parts);
  const stock = await stockOf(tables, [{ sku }], { now: NOW });
  const lines = [{ sku, nodeId: 'dc', units: 1 }];
  const wanted = { holdId: `hld-${sku}`, holderId: 'customer-1', purpose: 'CART' as const, lines, holdSeconds: 600 };
  await commit(reserve(wanted, cause, stock).change.parts);
  const [read] = await levelsAt(tables, [{ sku, nodeId: 'dc' }]);
  const spreading = { wanted: 2, movementId: 's1', reason: 'test', busyAt: NOW };
  await commit(spreadParts(read!, spreading, cause));
};

beforeAll(async () => {
  engine = await startTestEngine(inventory, orders, payments, loyalty);
  runtime = engine.runtime({ nowMs: Date.parse(NOW) });
  documents = DynamoDBDocumentClient.from(engine.client);
});
afterAll(() => engine.close({ hasDrift: true }));

const INJECTED: readonly (readonly [what: string, inject: (sku: string) => Promise<unknown>])[] = [
  ['a unit on hand that no movement brought', (sku) => set(level(sku), 'onHand', 99)],
  ['an available unit too many', (sku) => set(level(sku), 'available', 5)],
  ['an allocation that no order asked for', (sku) => set(level(sku), 'allocated', 1)],
  ['a reservation that nobody holds', (sku) => set(level(sku), 'reserved', 2)],
  ['a damaged unit that nobody set aside', (sku) => set(level(sku), 'damaged', 3)],
  ['a lost version', (sku) => set(level(sku), 'version', 1)],
  ['a ledger entry that was lost', (sku) => remove(entry(sku, 'd1'))],
  ['a movement that was booked twice', async (sku) => write({ ...(await read(entry(sku, 'r1'))), sk: 'r1-again' })],
  ['a balance that was lost', (sku) => remove(level(sku))],
  ['a shard with other units than moved there', (sku) => set(level(sku, 1), 'available', 9)],
  ['a shard that nobody looks at any more', (sku) => set(level(sku), 'shards', 1)],
  ['a hold that vanished with its units', (sku) => remove({ pk: `HOLD#hld-${sku}`, sk: 'HOLD' })],
];

describe('drift that was put into the books', () => {
  it('is none before', async () => {
    for (const [index] of INJECTED.entries()) await stocked(`SKU-${index}`);
    const report = await reconcile(engine.client, TABLES);
    expect(report.findings).toEqual([]);
    expect(report.compared).toMatchObject({ 'stock levels': 2 * INJECTED.length, holds: INJECTED.length });
  });

  it.each(INJECTED.map(([what, inject], index) => ({ what, inject, sku: `SKU-${index}` })))(
    'is found: $what',
    async ({ inject, sku }) => {
      await inject(sku);
      const { findings } = await reconcile(engine.client, TABLES);
      expect(findings.filter(({ subject }) => subject.includes(sku)).length).toBeGreaterThan(0);
    },
  );

  it('is told once for each version of a balance, with what the ledger says that it should be', async () => {
    const report = await reconcile(engine.client, TABLES);
    await raise(runtime, report.drifts);
    await raise(runtime, report.drifts);
    const raised = (await outboxOf(runtime)).filter(({ type }) => type === 'inventory.drift-detected.v1');
    expect(new Set(raised.map(({ id }) => id)).size).toBe(report.drifts.length);
    expect(report.drifts.length).toBeGreaterThanOrEqual(10);
    const [first] = report.drifts.filter((drift) => drift.level.sku === 'SKU-0').map(proposalOf);
    expect(first).toBe('SKU-0 at dc: onHand 99 → 7');
    expect(describeReport(report)).toContain(`PROPOSAL ${first}`);
  });

  it('is repaired where a balance is wrong, and stays with what only a person can decide', async () => {
    const report = await reconcile(engine.client, TABLES);
    await repair(runtime, report.drifts);
    const { findings } = await reconcile(engine.client, TABLES);
    expect(findings.map(({ check, subject }) => `${check} ${subject}`).sort()).toEqual([
      'holds hld-SKU-11 of SKU-11 at dc',
      // Which of them is right, the number of shards or what lies on them, no ledger says.
      'stock SKU-10 at dc, shard 1',
      // The number of shards was lost with the balance.
      'stock SKU-8 at dc, shard 1',
    ]);
  });
});

it('a promise to an order that does not exist is found, too', async () => {
  await stocked('SKU-X');
  const lines = [{ sku: 'SKU-X', units: 1 }];
  await commit(allocate([{ allocationId: 'ord_0-1', nodeId: 'dc', lines }], cause).parts);
  const { findings } = await reconcile(engine.client, TABLES);
  expect(findings).toContainEqual({
    ...{ check: 'allocations', subject: 'ord_0-1 of SKU-X at dc' },
    detail: '1 units are promised to an order that does not exist',
  });
});

import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import inventory from '../../functions/inventory/contract.ts';
import { allocate, consume, happened } from '../../functions/inventory/parts.ts';
import { levelKey } from '../../functions/inventory/store/levels.ts';
import loyalty from '../../functions/loyalty/contract.ts';
import orders from '../../functions/orders/contract.ts';
import payments from '../../functions/payments/contract.ts';
import { describeReport, reconcile } from '../../infra/reconcile.ts';
import type { Cause } from '../../shared/outbox.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const TABLES = { inventory: 'inventory', orders: 'orders', payments: 'payments', loyalty: 'loyalty' };
const cause: Cause = { actor: 'staff/test', correlationId: 'test', now: '2026-11-21T09:00:00.000Z' };

let engine: TestEngine;
let runtime: Runtime;
let sku: string;
let count = 0;

beforeAll(async () => {
  engine = await startTestEngine(inventory, orders, payments, loyalty);
  runtime = engine.runtime();
});
afterAll(() => engine.close());

const raw = () => DynamoDBDocumentClient.from(engine.client);
const dc = () => ({ nodeId: 'dc', lines: [{ sku, units: 2 }] });

/** Ten of a new SKU come in; two of them go out with an order that was paid, captured and brought points. */
beforeEach(async () => {
  count += 1;
  sku = `SKU-${count}`;
  const orderId = `ord_${count}`;
  const won = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });
  const receipt = { sku, nodeId: 'dc', kind: 'RECEIPT', units: 10, movementId: 'r1', reference: 'r1' } as const;
  const items = [
    ['orders', { pk: `ORDER#${orderId}`, sk: 'ORDER', ...order(orderId) }],
    [
      'payments',
      { pk: `ORDER#${orderId}`, sk: 'PAYMENT#001', ...paid(orderId), amount: won(2000), captured: won(2000) },
    ],
    ['loyalty', { pk: `CUSTOMER#${count}`, sk: 'BALANCE', pending: 20, version: 1 }],
    ['loyalty', { pk: `CUSTOMER#${count}`, sk: `ENTRY#${orderId}`, kind: 'EARN', orderId, pending: 20, available: 0 }],
  ] as const;
  const allocation = { allocationId: `${orderId}-1`, ...dc() };
  const { tables } = runtime;
  for (const booked of [
    () => happened(tables, [receipt], cause, { subject: 'receipt/r1', version: 1 }),
    async () => allocate([allocation], cause),
    () => consume(tables, allocation, cause),
  ]) {
    const { parts } = await booked();
    expect(await tables.commit(parts)).toEqual({ ok: true, value: undefined });
  }
  for (const [TableName, Item] of items) await raw().send(new PutCommand({ TableName, Item }));
});

const paid = (orderId: string) => ({ orderId, attempt: 1, status: 'CAPTURED' });
const order = (orderId: string) => ({
  orderId,
  status: 'COMPLETED',
  currency: 'KRW',
  lines: [{ sku, units: 2, unitPriceMinor: 1000 }],
  fulfilments: [{ n: '1', ...dc(), outcome: 'FULFILLED' }],
});

const change = (TableName: string, key: { pk: string; sk: string }, attribute: string, value: unknown) =>
  raw().send(
    new UpdateCommand({
      TableName,
      Key: key,
      UpdateExpression: 'SET #0 = :0',
      ExpressionAttributeNames: { '#0': attribute },
      ExpressionAttributeValues: { ':0': value },
    }),
  );

const found = async () => (await reconcile(engine.client, TABLES)).findings;

describe('reconciling the tables', () => {
  it('finds nothing where everything was booked, and says how much it compared', async () => {
    const report = await reconcile(engine.client, TABLES);
    expect(report.findings).toEqual([]);
    expect(report.compared).toMatchObject({ 'stock levels': count, 'stock entries': 3 * count, orders: count });
    expect(describeReport(report).at(-1)).toBe('Everything adds up.');
  });

  it('finds a unit that was taken past the ledger, and finds nothing once it is put back', async () => {
    await change('inventory', levelKey(sku, 'dc'), 'onHand', 7);
    expect((await found()).map(({ subject, detail }) => `${subject}: ${detail}`)).toEqual([
      `${sku} at dc: onHand is 7, the ledger says 8`,
      `${sku} at dc: available is 8, onHand - reserved - allocated - unavailable is 7`,
    ]);
    await change('inventory', levelKey(sku, 'dc'), 'onHand', 8);
    expect(await found()).toEqual([]);
  });

  it('finds points that no order brought', async () => {
    const key = { pk: `CUSTOMER#${count}`, sk: 'BALANCE' };
    await change('loyalty', key, 'available', 5);
    expect(await found()).toEqual([
      { check: 'points', subject: `customer ${count}`, detail: 'available is 5, the ledger says 0' },
    ]);
    await change('loyalty', key, 'available', 0);
  });

  it('finds an order that was captured for something else than was fulfilled', async () => {
    const key = { pk: `ORDER#ord_${count}`, sk: 'PAYMENT#001' };
    await change('payments', key, 'captured', { amountMinor: 1, currency: 'KRW' });
    expect((await found()).map(({ check, subject }) => `${check} ${subject}`)).toEqual([`payments ord_${count}`]);
    await change('payments', key, 'captured', { amountMinor: 2000, currency: 'KRW' });
  });

  it('refuses to start without all the tables that it compares', async () => {
    await expect(reconcile(engine.client, { inventory: 'inventory' })).rejects.toThrow(/orders, payments, loyalty/);
  });
});

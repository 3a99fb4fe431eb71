import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { apiOf, outboxOf, staffCaller } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const headOffice = staffCaller('*', 'inventory:read', 'inventory:write');
let engine: TestEngine;
let runtime: Runtime;
let call: ReturnType<typeof apiOf<typeof inventory>>;

beforeAll(async () => {
  engine = await startTestEngine(inventory);
  runtime = engine.runtime();
  call = apiOf(inventory, handlers(runtime), runtime);
});
afterAll(() => engine.close());

const receive = (nodeId: string, sku: string, units: number, idempotencyKey?: string) =>
  call('receive', {
    as: headOffice,
    path: { nodeId },
    body: { lines: [{ sku, units }] },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });

describe('receiving and adjusting', () => {
  it('goods that arrive at two nodes are available as one stock', async () => {
    await receive('dc-1', 'TEE', 5);
    await receive('store-1', 'TEE', 2);
    const { status, body } = await call('availability', { path: { sku: 'TEE' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ sku: 'TEE', available: 7 });
    expect(body.nodes).toEqual([
      { nodeId: 'dc-1', available: 5, version: 1 },
      { nodeId: 'store-1', available: 2, version: 1 },
    ]);
  });

  it('the same SKU on two lines of a receipt is booked as one movement', async () => {
    const { status } = await call('receive', {
      as: headOffice,
      path: { nodeId: 'dc-1' },
      body: {
        lines: [
          { sku: 'CAP', units: 1 },
          { sku: 'CAP', units: 2 },
        ],
      },
    });
    expect(status).toBe(201);
    const ledger = await call('ledger', { as: headOffice, path: { sku: 'CAP', nodeId: 'dc-1' } });
    expect(ledger.body.items).toHaveLength(1);
    expect(ledger.body.items[0]).toMatchObject({ kind: 'RECEIPT', onHand: 3, available: 3, allocated: 0 });
  });

  it('an adjustment may not take more than is available, and then changes nothing', async () => {
    await receive('dc-1', 'MUG', 3);
    const refused = await call('adjust', {
      as: headOffice,
      path: { nodeId: 'dc-1' },
      body: { sku: 'MUG', unitsDelta: -4, reason: 'broken' },
    });
    expect(refused.status).toBe(409);
    expect(refused.body.type).toBe('urn:ieum:problem:insufficient-stock');
    const levels = await call('levels', { as: headOffice, path: { sku: 'MUG' } });
    expect(levels.body.items[0]).toMatchObject({ onHand: 3, available: 3, version: 1 });
  });

  it('a receipt that is sent twice with one key is booked once and answered with the same bytes', async () => {
    const first = await receive('dc-1', 'SOCK', 4, 'key-1');
    const second = await receive('dc-1', 'SOCK', 4, 'key-1');
    expect(second.text).toBe(first.text);
    const { body } = await call('availability', { path: { sku: 'SOCK' } });
    expect(body.available).toBe(4);
    expect((await receive('dc-1', 'SOCK', 5, 'key-1')).status).toBe(422);
  });

  it('every change says so in exactly one event', async () => {
    await receive('dc-1', 'PEN', 4);
    const events = (await outboxOf(runtime)).filter(({ data }) => JSON.stringify(data).includes('"PEN"'));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: 'inventory.stock-adjusted.v1',
      source: 'ieum.inventory',
      aggregateversion: 1,
    });
  });
});

describe('foreign hands and bad input', () => {
  it.each([
    [{ lines: [] }, '/lines'],
    [{ lines: [{ sku: 'A', units: -1 }] }, '/lines/0/units'],
    [{ lines: [{ sku: 'A', units: 1.5 }] }, '/lines/0/units'],
    [{ lines: [{ sku: 'A', units: 1, extra: 1 }] }, '/lines/0/extra'],
    [{ lines: [{ sku: 'A', units: 1 }], nodeId: 'other' }, '/nodeId'],
  ])('%j is refused and the field is named', async (body, field) => {
    const answer = await call('receive', { as: headOffice, path: { nodeId: 'dc-1' }, body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('nobody receives goods without the scope', async () => {
    const body = { lines: [{ sku: 'A', units: 1 }] };
    const path = { nodeId: 'dc-1' };
    expect((await call('receive', { path, body })).status).toBe(401);
    expect((await call('receive', { as: staffCaller('*', 'inventory:read'), path, body })).status).toBe(403);
  });
});

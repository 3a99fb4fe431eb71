import { randomUUID } from 'node:crypto';
import type { ConsumedCapacity, TransactWriteItemsInput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestEngine } from '../support/engine.ts';
import { customerWith, openShop, place, type Shop } from './shop.ts';

/** What writing costs by what the engine says, indexes included, and how large each written item is. */
const meterOf = (engine: TestEngine) => {
  const meter = { writeUnits: 0, itemBytes: {} as Record<string, number>, stop: () => {} };
  meter.stop = engine.intercept(async (operation, input, next) => {
    if (operation !== 'TransactWriteItems') return next(input);
    const { TransactItems = [] } = input as TransactWriteItemsInput;
    const result = (await next({ ...input, ReturnConsumedCapacity: 'INDEXES' })) as {
      ConsumedCapacity?: ConsumedCapacity[];
    };
    for (const { Put } of TransactItems) {
      if (Put?.Item === undefined) continue;
      const item = unmarshall(Put.Item);
      meter.itemBytes[String(item.pk).split('#')[0]!] = bytesOf(item);
    }
    for (const { CapacityUnits = 0 } of result.ConsumedCapacity ?? []) meter.writeUnits += CapacityUnits;
    return result;
  });
  return meter;
};

/** Size of an item by DynamoDB's rules: names and values in UTF-8, 3 bytes for a list or map and 1 an entry. */
const bytesOf = (value: unknown): number => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((total: number, entry) => total + bytesOf(entry) + 1, 3);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).reduce(
      (total, [name, entry]) => total + (entry === undefined ? 0 : Buffer.byteLength(name) + bytesOf(entry) + 1),
      3,
    );
  }
  return 1;
};

const SKU = 'TEE-OVERSIZE-BLACK-M';
let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await shop.sell(SKU, 12_900);
  await shop.receive('dc-icheon', SKU, 10);
  await shop.receive('store-gangnam', SKU, 20);
});
afterAll(() => shop.close());

describe('what an order of one line costs', () => {
  it.each([
    ['from the distribution centre', 2, undefined],
    ['from the store, because the distribution centre has too few', 12, undefined],
    ['collected at the store', 1, { choice: 'PICKUP', nodeId: 'store-gangnam' }],
  ])('%s: at most 16 write units, indexes included, and every item within 1 KB', async (_, units, delivery) => {
    const customer = await customerWith(shop, { [SKU]: units }, delivery);
    const meter = meterOf(shop.engine);
    const { status, text } = await place(shop, customer, { idempotencyKey: randomUUID() });
    meter.stop();
    expect(status, text).toBe(201);
    // Six items at two units each, and two indexes: fewer would mean that the engine did not count.
    expect(meter.writeUnits).toBeGreaterThanOrEqual(14);
    expect(meter.writeUnits).toBeLessThanOrEqual(16);
    expect(Object.keys(meter.itemBytes).sort()).toEqual(['CUSTOMER', 'IDEMPOTENCY', 'LEDGER', 'ORDER', 'OUTBOX']);
    for (const [kind, bytes] of Object.entries(meter.itemBytes)) expect(bytes, kind).toBeLessThanOrEqual(1024);
  });
});

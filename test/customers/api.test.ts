import { randomBytes, randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../functions/customers/api.ts';
import customers from '../../functions/customers/contract.ts';
import { type Address, addressOf, rememberAddress, sealerFrom } from '../../functions/customers/parts.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import { apiOf, channelCaller, customerCaller, outboxOf } from '../support/call.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const sealer = sealerFrom(randomBytes);
let engine: TestEngine;
let runtime: Runtime;
let call: ReturnType<typeof apiOf<typeof customers>>;

beforeAll(async () => {
  engine = await startTestEngine(customers);
  runtime = engine.runtime();
  call = apiOf(customers, handlers(runtime, sealer), runtime);
});
afterAll(() => engine.close());

const profile = { name: '한 고객', email: 'buyer@example.com', phone: '+82 10-1234-5678', locale: 'ko' };
const address: Address = {
  recipient: '받는 이',
  phone: '010-1234-5678',
  line1: '세종대로 110',
  city: '서울',
  postalCode: '04524',
  country: 'KR',
};

const someone = () => {
  const id = randomUUID();
  return { id, as: customerCaller(id) };
};
const eventsOf = async (customerId: string) =>
  (await outboxOf(runtime))
    .filter(({ subject }) => subject === `customer/${customerId}`)
    .map(({ type, id, data }) => ({ type, id, data }));

/** Everything that the table holds of a customer, as it lies on the disk. */
const onDisk = async (customerId: string): Promise<string> => {
  const { Items } = await engine.client.send(new ScanCommand({ TableName: 'customers' }));
  return JSON.stringify((Items ?? []).filter((item) => JSON.stringify(item).includes(customerId)));
};

const remember = async (customerId: string, addressId: string) =>
  commitChanges(runtime, { actor: 'test', correlationId: 'test', now: runtime.now() }, [
    await rememberAddress(runtime.tables, sealer, customerId, addressId, address),
  ]);

describe('a customer and what is known of them', () => {
  it('is opened by the first profile, told once, and changed by the next', async () => {
    const { id, as } = someone();
    expect((await call('profile', { as })).status).toBe(404);
    expect((await call('saveProfile', { as, body: profile })).body).toEqual({ customerId: id, version: 1 });
    expect((await call('saveProfile', { as, body: { ...profile, name: '새 이름' } })).body.version).toBe(2);
    expect((await call('profile', { as })).body).toEqual({ customerId: id, ...profile, name: '새 이름' });
    expect(await eventsOf(id)).toEqual([
      { type: 'customer.created.v1', id: `customer/${id}#1`, data: { customerId: id } },
    ]);
  });

  it('has addresses, newest first, page by page', async () => {
    const { as } = someone();
    const ids: string[] = [];
    for (const line2 of ['1층', '2층', '3층']) {
      const { status, body } = await call('addAddress', { as, body: { ...address, line2 } });
      expect(status).toBe(201);
      ids.push(body.addressId);
    }
    const first = await call('addresses', { as, query: { limit: '2' } });
    expect(first.body.items).toEqual([
      { addressId: ids[2], ...address, line2: '3층' },
      { addressId: ids[1], ...address, line2: '2층' },
    ]);
    const second = await call('addresses', { as, query: { limit: '2', cursor: first.body.cursor } });
    expect(second.body.items.map(({ addressId }: { addressId: string }) => addressId)).toEqual([ids[0]]);
  });

  it("sees nothing of anybody else's, not even with the other's cursor", async () => {
    const [one, other] = [someone(), someone()];
    await call('saveProfile', { as: one.as, body: profile });
    for (let count = 0; count < 2; count += 1) await call('addAddress', { as: one.as, body: address });
    const { cursor } = (await call('addresses', { as: one.as, query: { limit: '1' } })).body;
    expect((await call('profile', { as: other.as })).status).toBe(404);
    expect((await call('addresses', { as: other.as })).body.items).toEqual([]);
    expect((await call('addresses', { as: other.as, query: { cursor } })).status).toBe(400);
  });

  it('sends an address twice with one key and has it once', async () => {
    const { as } = someone();
    const first = await call('addAddress', { as, body: address, idempotencyKey: 'key-1' });
    const second = await call('addAddress', { as, body: address, idempotencyKey: 'key-1' });
    expect(second.text).toBe(first.text);
    expect((await call('addresses', { as })).body.items).toHaveLength(1);
  });

  it('is opened once by ten first changes at the same time', async () => {
    const { id, as } = someone();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        index % 2 === 0 ? call('addAddress', { as, body: address }) : call('saveProfile', { as, body: profile }),
      ),
    );
    const done = answers.filter(({ status }) => status < 300);
    expect(done.length).toBeGreaterThan(0);
    const kept = (await call('addresses', { as })).body.items;
    expect(kept).toHaveLength(done.filter(({ body }) => body.addressId !== undefined).length);
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['customer.created.v1']);
  });
});

describe('personal data', () => {
  it('never lies on the disk in the clear: not in items, remembered answers or events', async () => {
    const { id, as } = someone();
    await call('saveProfile', { as, body: profile, idempotencyKey: 'key-1' });
    await call('addAddress', { as, body: address });
    const bytes = await onDisk(id);
    expect(bytes).toContain('sealed');
    expect(bytes).toContain('IDEMPOTENCY');
    for (const secret of [profile.name, profile.email, profile.phone, address.line1, address.recipient]) {
      expect(bytes).not.toContain(secret);
    }
  });

  it('is gone with the key: profile and addresses cannot be read, and the erasure is told', async () => {
    const { id, as } = someone();
    await call('saveProfile', { as, body: profile });
    const { addressId } = (await call('addAddress', { as, body: address })).body;
    expect(await addressOf(runtime.tables, id, addressId)).toEqual(address);
    const erased = await call('erase', { as });
    expect(erased.body).toEqual({ customerId: id, erasedAt: expect.any(String) });
    expect((await call('profile', { as })).status).toBe(404);
    expect((await call('addresses', { as })).body).toEqual({ items: [] });
    expect(await addressOf(runtime.tables, id, addressId)).toBeUndefined();
    const key = await runtime.tables.get<object>('customers', { pk: `CUSTOMER#${id}`, sk: 'KEY' });
    expect(Object.keys(key!).sort()).toEqual(['erasedAt', 'pk', 'sk', 'version']);
    expect((await eventsOf(id)).map(({ type }) => type)).toEqual(['customer.created.v1', 'customer.erased.v1']);
  });

  it('can be erased twice, and the second time changes and tells nothing', async () => {
    const { id, as } = someone();
    await call('saveProfile', { as, body: profile });
    const first = await call('erase', { as });
    expect((await call('erase', { as })).text).toBe(first.text);
    expect(await eventsOf(id)).toHaveLength(2);
    expect((await call('erase', { as: someone().as })).status).toBe(404);
  });

  it('does not come back for a customer who does: a new key opens nothing that the old one sealed', async () => {
    const { id, as } = someone();
    const { addressId } = (await call('addAddress', { as, body: address })).body;
    await call('saveProfile', { as, body: profile });
    await call('erase', { as });
    const { addressId: newAddressId } = (await call('addAddress', { as, body: address })).body;
    expect((await call('profile', { as })).status).toBe(404);
    expect(await addressOf(runtime.tables, id, addressId)).toBeUndefined();
    const { items } = (await call('addresses', { as })).body;
    expect(items.map((item: { addressId: string }) => item.addressId)).toEqual([newAddressId]);
    const events = await eventsOf(id);
    expect(new Set(events.map((event) => event.id)).size).toBe(3);
  });
});

describe('an address that comes with an order of a channel', () => {
  it('opens the customer, is kept in the order’s own transaction, and a second one joins it', async () => {
    const id = `channel_${randomUUID()}`;
    expect((await remember(id, 'adr_1')).ok).toBe(true);
    expect((await remember(id, 'adr_2')).ok).toBe(true);
    expect(await addressOf(runtime.tables, id, 'adr_1')).toEqual(address);
    expect(await addressOf(runtime.tables, id, 'adr_2')).toEqual(address);
    expect(await eventsOf(id)).toHaveLength(1);
  });

  it('is refused, to be decided anew, if the customer is erased between reading and writing', async () => {
    const { id, as } = someone();
    await call('addAddress', { as, body: address });
    const late = await rememberAddress(runtime.tables, sealer, id, 'adr_late', address);
    await call('erase', { as });
    const cause = { actor: 'test', correlationId: 'test', now: runtime.now() };
    const committed = await commitChanges(runtime, cause, [late]);
    expect(committed).toMatchObject({ ok: false, refusal: { problem: 'changed-meanwhile' } });
  });
});

describe('foreign hands and bad input', () => {
  it.each([
    ['saveProfile', { ...profile, email: 'nobody' }, '/email'],
    ['saveProfile', { ...profile, locale: 'xx' }, '/locale'],
    ['saveProfile', { ...profile, customerId: 'somebody-else' }, '/customerId'],
    ['saveProfile', { ...profile, name: '4111 1111 1111 1111' }, '/name'],
    ['addAddress', { ...address, country: 'ZZ' }, '/country'],
    ['addAddress', { ...address, country: 'Korea' }, '/country'],
    ['addAddress', { ...address, location: { latitude: 91, longitude: 0 } }, '/location/latitude'],
    ['addAddress', { ...address, line1: '' }, '/line1'],
  ] as const)('%s refuses %j and names the field', async (operation, body, field) => {
    const answer = await call(operation, { as: someone().as, body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it('nobody but a customer has a profile', async () => {
    expect((await call('profile')).status).toBe(401);
    expect((await call('profile', { as: channelCaller('marketplace') })).status).toBe(403);
  });
});

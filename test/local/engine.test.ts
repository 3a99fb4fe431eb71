import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts';
import { engineBinary, startEngine } from '../../infra/local/engine.ts';
import {
  addStreamIndexes,
  CHECKED_VERSION,
  openEngineFile,
  trimStreamRecords,
} from '../../infra/local/engine-indexes.ts';
import { startTimeToLive } from '../../infra/local/engine-ttl.ts';
import type { Resource } from '../../infra/local/template.ts';
import { orders } from './orders-table.ts';
import { temporaryDirectory } from './parts.ts';

async function engineIn(dataDir: string, tables: Resource[] = [orders()]) {
  const engine = await startEngine({ dataDir, tables });
  onTestFinished(() => engine.close());
  const put = (id: string, more: object = {}) =>
    callDynamoDb(engine.endpoint, 'PutItem', {
      TableName: 'Orders',
      Item: { pk: { S: id }, sk: { S: 'order' }, customer: { S: 'c-1' }, ...more },
    });
  const count = async (): Promise<number> =>
    (await callDynamoDb<{ Count: number }>(engine.endpoint, 'Scan', { TableName: 'Orders' })).Count;
  return { ...engine, put, count };
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the table engine', () => {
  it('makes the tables of the template, with their indexes', async () => {
    const { endpoint, put } = await engineIn(temporaryDirectory());
    await put('o-1');
    const found = await callDynamoDb(endpoint, 'Query', {
      TableName: 'Orders',
      IndexName: 'byCustomer',
      KeyConditionExpression: 'customer = :c',
      ExpressionAttributeValues: { ':c': { S: 'c-1' } },
    });
    expect(found).toMatchObject({ Count: 1 });
  });

  it('keeps items over a restart and adds an index that is new in the template', async () => {
    const dataDir = temporaryDirectory();
    const keys = orders().properties.AttributeDefinitions.slice(0, 2);
    const first = await engineIn(dataDir, [orders({ AttributeDefinitions: keys, GlobalSecondaryIndexes: undefined })]);
    await first.put('o-1');
    await first.close();
    const second = await engineIn(dataDir);
    const found = await callDynamoDb(second.endpoint, 'Query', {
      TableName: 'Orders',
      IndexName: 'byCustomer',
      KeyConditionExpression: 'customer = :c',
      ExpressionAttributeValues: { ':c': { S: 'c-1' } },
    });
    expect(found).toMatchObject({ Count: 1 });
  });

  it('refuses data whose keys differ from the template, and says what to do', async () => {
    const dataDir = temporaryDirectory();
    await (await engineIn(dataDir)).close();
    const other = orders({ KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] });
    await expect(startEngine({ dataDir, tables: [other] })).rejects.toThrow(
      /Table Orders \(Ieum-test\/Orders\) on disk has another key schema.*remove the data directory/,
    );
  });

  it('says when its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    await expect(startEngine({ dataDir: temporaryDirectory(), tables: [], port })).rejects.toThrow(`port ${port}`);
  });

  it('tells a platform without an engine what to install', () => {
    expect(() => engineBinary('plan9', 'mips')).toThrow(/@dynoxide\/plan9-mips@.*COMMERCE_DYNAMODB_ENDPOINT/);
  });

  it('uses the endpoint that COMMERCE_DYNAMODB_ENDPOINT names', async () => {
    const { endpoint } = await engineIn(temporaryDirectory(), []);
    vi.stubEnv('COMMERCE_DYNAMODB_ENDPOINT', endpoint);
    onTestFinished(() => void vi.unstubAllEnvs());
    const external = await engineIn(temporaryDirectory());
    expect(external).toMatchObject({ endpoint, pid: undefined, file: undefined });
    await external.put('o-1');
    expect(await external.count()).toBe(1);
  });

  it('ends with its owner, even when that is killed, and has lost no write that it answered', async () => {
    const dataDir = temporaryDirectory();
    const owner = spawn(process.execPath, [fileURLToPath(new URL('own-an-engine.ts', import.meta.url)), dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void owner.kill('SIGKILL'));
    const said = await linesOf(owner, 200);
    const enginePid = Number(said[0]);
    expect(isAlive(enginePid)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await vi.waitFor(() => expect(isAlive(enginePid)).toBe(false), { timeout: 5_000 });
    const { endpoint } = await engineIn(dataDir);
    for (const pk of said.slice(1)) {
      const Key = { pk: { S: pk }, sk: { S: 'order' } };
      expect(await callDynamoDb(endpoint, 'GetItem', { TableName: 'Orders', Key })).toHaveProperty('Item');
    }
  }, 20_000);

  it('is started again when it ends by itself, on the same endpoint and with its data', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const engine = await startEngine({ dataDir: temporaryDirectory(), tables: [orders()] });
    onTestFinished(() => engine.close());
    const Item = { pk: { S: 'o-1' }, sk: { S: 'order' } };
    await callDynamoDb(engine.endpoint, 'PutItem', { TableName: 'Orders', Item });
    const before = engine.pid!;
    process.kill(before, 'SIGKILL');
    await vi.waitFor(() => expect(engine.pid).not.toBe(before), { timeout: 5_000 });
    const answer = await callDynamoDb(engine.endpoint, 'GetItem', { TableName: 'Orders', Key: Item });
    expect(answer).toEqual({ Item });
    expect(said.mock.calls.flat().join()).toMatch(/starting it again/);
  });

  it('deletes expired items, and only those, where the stream sees it', async () => {
    const { endpoint, file, put, count } = await engineIn(temporaryDirectory());
    const now = Date.parse('2026-03-01T00:00:00Z') / 1000;
    await put('expired', { expiresAt: { N: String(now - 1) } });
    await put('fresh', { expiresAt: { N: String(now + 1) } });
    await put('endless');
    await put('no-time', { expiresAt: { S: '1' } });
    await put('ancient', { expiresAt: { N: '17' } });
    const database = openEngineFile(file!);
    const timeToLive = startTimeToLive({ database, endpoint, tables: [orders()], now: () => now * 1000 });
    expect(await timeToLive.sweep()).toBe(1);
    await timeToLive.close();
    expect(await count()).toBe(4);
    const removed = database.prepare("SELECT keys_json FROM _stream_records WHERE event_name = 'REMOVE'").all();
    database.close();
    expect(removed.map((row) => JSON.parse(String(row.keys_json)).pk.S)).toEqual(['expired']);
  });
});

async function linesOf(child: ChildProcess, atLeast: number): Promise<string[]> {
  let said = '';
  for await (const chunk of child.stdout!) {
    said += chunk;
    if (said.split('\n').length > atLeast) break;
  }
  return said.split('\n').slice(0, atLeast);
}

describe('the index fix of the table engine', () => {
  it('was checked against the version that is installed', () => {
    const manifest = createRequire(import.meta.url).resolve(
      `@dynoxide/${process.platform}-${process.arch}/package.json`,
    );
    expect(JSON.parse(readFileSync(manifest, 'utf8')).version).toBe(CHECKED_VERSION);
  });

  it('still helps: without it a write scans all stream records of its table', {
    retry: 2,
    timeout: 60_000,
  }, async () => {
    const { file, put } = await engineIn(temporaryDirectory());
    const database = openEngineFile(file!);
    onTestFinished(() => database.close());
    // The engine asks for the newest number of a table before each write; the records themselves need not be its own.
    const insert = database.prepare(`INSERT INTO _stream_records
      (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
      VALUES ('Orders', 'INSERT', '{}', ?, 'shardId-00000001-Orders', 1)`);
    database.exec('BEGIN');
    for (let n = 1; n <= 40_000; n += 1) insert.run(String(n));
    database.exec('COMMIT');
    /** The quickest of several writes: what else the machine does only adds to the others. */
    const timeOf = async (prefix: string): Promise<number> => {
      let quickest = Number.POSITIVE_INFINITY;
      for (let n = 0; n < 40; n += 1) {
        const start = performance.now();
        await put(`${prefix}-${n}`);
        quickest = Math.min(quickest, performance.now() - start);
      }
      return quickest;
    };
    await timeOf('warm');
    const indexed = await timeOf('indexed');
    database.exec('DROP INDEX ieum_stream_records; DROP INDEX ieum_stream_shards');
    const bare = await timeOf('bare');
    addStreamIndexes(database);
    const again = await timeOf('again');
    expect(bare).toBeGreaterThan(2 * indexed);
    expect(bare).toBeGreaterThan(2 * again);
  });

  it('trimming removes what was consumed, keeps the newest record, and numbering goes on', async () => {
    const { file, put } = await engineIn(temporaryDirectory());
    for (let n = 0; n < 10; n += 1) await put(`o-${n}`);
    const database = openEngineFile(file!);
    onTestFinished(() => database.close());
    const numbers = () =>
      database
        .prepare('SELECT sequence_number AS n FROM _stream_records ORDER BY id')
        .all()
        .map((row) => Number(row.n));
    const [first = 0] = numbers();
    expect(trimStreamRecords(database, 'Orders', first + 6)).toBe(false);
    expect(numbers()).toEqual([first + 7, first + 8, first + 9]);
    trimStreamRecords(database, 'Orders', first + 100);
    expect(numbers()).toEqual([first + 9]);
    await put('next');
    expect(numbers()).toEqual([first + 9, first + 10]);
  });
});

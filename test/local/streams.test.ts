import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Functions } from '../../infra/local/deliveries.ts';
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts';
import { type Engine, startEngine } from '../../infra/local/engine.ts';
import { openEngineFile } from '../../infra/local/engine-indexes.ts';
import { openJournal } from '../../infra/local/journal.ts';
import { streamSourceOf } from '../../infra/local/stream-source.ts';
import { Streams } from '../../infra/local/streams.ts';
import type { Properties } from '../../infra/local/template.ts';
import { orders } from './orders-table.ts';
import { CodeFailure, fakeFunctions, functionArn, queueArn, resource, temporaryDirectory } from './parts.ts';

const mapping = (properties: Properties = {}) =>
  resource('AWS::Lambda::EventSourceMapping', 'Mapping', {
    EventSourceArn: `${orders().arn}/stream/local`,
    FunctionName: 'outbox',
    StartingPosition: 'TRIM_HORIZON',
    ...properties,
  });

async function writerOn(dataDir: string) {
  const engine = await startEngine({ dataDir, tables: [orders()] });
  onTestFinished(() => engine.close());
  const put = (id: string, more: object = {}) =>
    callDynamoDb(engine.endpoint, 'PutItem', {
      TableName: 'Orders',
      Item: { pk: { S: id }, sk: { S: 'order' }, ...more },
    });
  const remove = (id: string) =>
    callDynamoDb(engine.endpoint, 'DeleteItem', { TableName: 'Orders', Key: { pk: { S: id }, sk: { S: 'order' } } });
  return { engine, put, remove };
}

interface Reading {
  dataDir: string;
  engine: Engine;
  functions: Functions;
  properties?: Properties;
  now?: () => number;
}

/** Streams over an engine, with the letters they send. */
async function reader({ dataDir, engine, functions, properties, now }: Reading) {
  const journal = openJournal(dataDir);
  const letters: { queueArn: string; body: Properties }[] = [];
  const streams = new Streams({
    journal,
    source: streamSourceOf(engine),
    mappings: [mapping(properties)],
    tables: [orders()],
    functions,
    send: async (to, body) => void letters.push({ queueArn: to, body: JSON.parse(body) }),
    retryMilliseconds: 1,
    ...(now ? { now } : {}),
  });
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await streams.close();
    journal.close();
  };
  onTestFinished(close);
  await streams.start();
  return { streams, letters, close };
}

type Event = { Records: { eventName: string; dynamodb: { Keys: { pk: { S: string } }; SequenceNumber: string } }[] };
const ids = ({ Records }: Event): string[] => Records.map(({ dynamodb }) => dynamodb.Keys.pk.S);

it('a function gets the records of a table as Lambda shapes them', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put, remove } = await writerOn(dataDir);
  const { streams } = await reader({ dataDir, engine, functions });
  await put('o-1', { total: { N: '1' } });
  await put('o-1', { total: { N: '2' } });
  await remove('o-1');
  await streams.idle();
  const records = functions.calls.flatMap(({ name, event }) => {
    expect(name).toBe('outbox');
    return event.Records;
  });
  const Keys = { pk: { S: 'o-1' }, sk: { S: 'order' } };
  expect(records).toMatchObject([
    { eventName: 'INSERT', dynamodb: { Keys, NewImage: { ...Keys, total: { N: '1' } } } },
    { eventName: 'MODIFY', dynamodb: { Keys, NewImage: { total: { N: '2' } }, OldImage: { total: { N: '1' } } } },
    { eventName: 'REMOVE', dynamodb: { Keys, OldImage: { total: { N: '2' } } } },
  ]);
  expect(records[0]).toMatchObject({
    eventSource: 'aws:dynamodb',
    eventVersion: '1.1',
    awsRegion: 'ap-northeast-2',
    eventSourceARN: mapping().properties.EventSourceArn,
    dynamodb: { StreamViewType: 'NEW_AND_OLD_IMAGES', SequenceNumber: expect.stringMatching(/^\d+$/) },
  });
  expect(records[0].dynamodb.OldImage).toBeUndefined();
  expect(records[2].dynamodb.NewImage).toBeUndefined();
});

it('a write that changes nothing makes no record', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put } = await writerOn(dataDir);
  const { streams } = await reader({ dataDir, engine, functions });
  await put('o-1', { total: { N: '1' } });
  await put('o-1', { total: { N: '1' } });
  await streams.idle();
  expect(functions.calls.flatMap(({ event }) => event.Records.map((record: Properties) => record.eventName))).toEqual([
    'INSERT',
  ]);
});

it('records that no filter wants are not handed over', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put, remove } = await writerOn(dataDir);
  const wants = { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [{ prefix: 'outbox#' }] } } } };
  const large = { dynamodb: { NewImage: { total: { N: ['9'] } } } };
  const Filters = [wants, large].map((pattern) => ({ Pattern: JSON.stringify(pattern) }));
  const { streams } = await reader({ dataDir, engine, functions, properties: { FilterCriteria: { Filters } } });
  await put('outbox#1');
  await put('o-1');
  await remove('outbox#1');
  await put('o-2', { total: { N: '9' } });
  await streams.idle();
  expect(functions.calls.flatMap(({ event }) => ids(event as Event))).toEqual(['outbox#1', 'o-2']);
});

it('batches are no bigger than asked for, and in order', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put } = await writerOn(dataDir);
  for (let n = 0; n < 7; n += 1) await put(`o-${n}`);
  const { streams } = await reader({ dataDir, engine, functions, properties: { BatchSize: 3 } });
  await streams.idle();
  expect(functions.calls.map(({ event }) => ids(event as Event))).toEqual([
    ['o-0', 'o-1', 'o-2'],
    ['o-3', 'o-4', 'o-5'],
    ['o-6'],
  ]);
});

it('a batching window gathers records until it ends', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put } = await writerOn(dataDir);
  const { streams } = await reader({ dataDir, engine, functions, properties: { MaximumBatchingWindowInSeconds: 1 } });
  for (let n = 0; n < 5; n += 1) await put(`o-${n}`);
  await streams.idle();
  expect(functions.calls.map(({ event }) => ids(event as Event))).toEqual([['o-0', 'o-1', 'o-2', 'o-3', 'o-4']]);
});

it('of a batch that fails in part, only what is left is tried again', async () => {
  const dataDir = temporaryDirectory();
  let failures = 1;
  const functions = fakeFunctions({
    outbox: ({ Records }: Event) => {
      failures -= 1;
      if (failures < 0) return { batchItemFailures: [] };
      return { batchItemFailures: [3, 2].map((at) => ({ itemIdentifier: Records[at]!.dynamodb.SequenceNumber })) };
    },
  });
  const { engine, put } = await writerOn(dataDir);
  for (let n = 0; n < 5; n += 1) await put(`o-${n}`);
  const properties = { FunctionResponseTypes: ['ReportBatchItemFailures'] };
  const { streams } = await reader({ dataDir, engine, functions, properties });
  await streams.idle();
  expect(functions.calls.map(({ event }) => ids(event as Event))).toEqual([
    ['o-0', 'o-1', 'o-2', 'o-3', 'o-4'],
    ['o-2', 'o-3', 'o-4'],
  ]);
});

it('without ReportBatchItemFailures an answer is no report', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions({ outbox: () => ({ batchItemFailures: [{ itemIdentifier: '' }] }) });
  const { engine, put } = await writerOn(dataDir);
  await put('o-1');
  const { streams } = await reader({ dataDir, engine, functions });
  await streams.idle();
  expect(functions.calls).toHaveLength(1);
});

it('bisecting finds the one record that fails; it alone goes to the failure destination', async () => {
  const dataDir = temporaryDirectory();
  const handled = new Set<string>();
  const functions = fakeFunctions({
    outbox: (event: Event) => {
      if (ids(event).includes('o-5')) throw new CodeFailure('poison');
      for (const id of ids(event)) handled.add(id);
    },
  });
  const { engine, put } = await writerOn(dataDir);
  for (let n = 0; n < 8; n += 1) await put(`o-${n}`);
  const { streams, letters } = await reader({
    dataDir,
    engine,
    functions,
    properties: {
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: queueArn('failures') } },
    },
  });
  await streams.idle();
  expect([...handled].sort()).toEqual(['o-0', 'o-1', 'o-2', 'o-3', 'o-4', 'o-6', 'o-7']);
  expect(functions.calls.filter(({ event }) => ids(event as Event).join() === 'o-5')).toHaveLength(3);
  const lost = functions.calls.find(({ event }) => ids(event as Event).join() === 'o-5')!.event.Records[0].dynamodb;
  expect(letters).toMatchObject([
    {
      queueArn: queueArn('failures'),
      body: {
        requestContext: {
          condition: 'RetryAttemptsExhausted',
          functionArn: functionArn('outbox'),
          approximateInvokeCount: 3,
        },
        DDBStreamBatchInfo: {
          batchSize: 1,
          startSequenceNumber: lost.SequenceNumber,
          endSequenceNumber: lost.SequenceNumber,
        },
      },
    },
  ]);
});

it('records that are too old are given up', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions({
    outbox: () => {
      throw new CodeFailure('down');
    },
  });
  const { engine, put } = await writerOn(dataDir);
  await put('o-1');
  const { streams, letters } = await reader({
    dataDir,
    engine,
    functions,
    properties: {
      MaximumRecordAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: queueArn('failures') } },
    },
    now: () => Date.now() + 61_000,
  });
  await streams.idle();
  expect(functions.calls).toHaveLength(1);
  expect(letters).toMatchObject([{ body: { requestContext: { condition: 'RecordAgeExceeded' } } }]);
});

it('a function that cannot be reached costs its batch no attempt', async () => {
  const dataDir = temporaryDirectory();
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  let unreachable = 5;
  const functions = fakeFunctions({
    outbox: () => {
      unreachable -= 1;
      if (unreachable >= 0) throw new Error('starting');
    },
  });
  const { engine, put } = await writerOn(dataDir);
  await put('o-1');
  const { streams, letters } = await reader({ dataDir, engine, functions, properties: { MaximumRetryAttempts: 0 } });
  await streams.idle();
  expect(functions.calls).toHaveLength(6);
  expect(letters).toEqual([]);
});

it('after a restart a mapping goes on where it was, and starts at the end when told LATEST', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put } = await writerOn(dataDir);
  const properties = { StartingPosition: 'LATEST' };
  await put('before');
  const first = await reader({ dataDir, engine, functions, properties });
  await first.streams.idle();
  await first.close();
  await put('between');
  const second = await reader({ dataDir, engine, functions, properties });
  await second.streams.idle();
  await put('after');
  await second.streams.idle();
  expect(functions.calls.flatMap(({ event }) => ids(event as Event))).toEqual(['between', 'after']);
});

it('a record whose batch was cut short by a kill is handed over again', async () => {
  const dataDir = temporaryDirectory();
  const { engine, put } = await writerOn(dataDir);
  await put('o-1');
  await put('o-2');
  const script = fileURLToPath(new URL('read-and-hang.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, engine.file!], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  expect(String(said)).toBe('o-1 handled\no-2 begun\n');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const functions = fakeFunctions();
  const { streams } = await reader({ dataDir, engine, functions, properties: { BatchSize: 1 } });
  await streams.idle();
  expect(functions.calls.flatMap(({ event }) => ids(event as Event))).toEqual(['o-2']);
});

it('records are trimmed once every mapping has read them, and not before', async () => {
  const dataDir = temporaryDirectory();
  const hold = Promise.withResolvers<void>();
  const functions = fakeFunctions({
    outbox: (event: Event) => (ids(event).includes('o-3') ? hold.promise : undefined),
  });
  const { engine, put } = await writerOn(dataDir);
  for (let n = 0; n < 6; n += 1) await put(`o-${n}`);
  const { streams } = await reader({ dataDir, engine, functions, properties: { BatchSize: 1 } });
  const database = openEngineFile(engine.file!);
  onTestFinished(() => database.close());
  const left = () =>
    database
      .prepare('SELECT keys_json AS k FROM _stream_records ORDER BY id')
      .all()
      .map((row) => JSON.parse(String(row.k)).pk.S);
  await vi.waitFor(() => expect(functions.calls).toHaveLength(4));
  await streams.trim();
  expect(left()).toEqual(['o-3', 'o-4', 'o-5']);
  hold.resolve();
  await streams.idle();
  await streams.trim();
  expect(left()).toEqual(['o-5']);
});

it('a record is handed over at the next look, about a tenth of a second away at most', { retry: 2 }, async () => {
  const dataDir = temporaryDirectory();
  const latencies: number[] = [];
  let written = 0;
  const heard = { resolve: () => {} };
  const functions = fakeFunctions({
    outbox: () => {
      latencies.push(performance.now() - written);
      heard.resolve();
    },
  });
  const { engine, put } = await writerOn(dataDir);
  await reader({ dataDir, engine, functions });
  for (let n = 0; n < 20; n += 1) {
    const next = new Promise<void>((resolve) => Object.assign(heard, { resolve }));
    written = performance.now();
    await put(`o-${n}`);
    await next;
  }
  latencies.sort((a, b) => a - b);
  expect(latencies[10]).toBeLessThan(250);
});

it('the streams of another endpoint are read through its API, restarts and LATEST included', async () => {
  const dataDir = temporaryDirectory();
  const functions = fakeFunctions();
  const { engine, put } = await writerOn(dataDir);
  const other = { ...engine, file: undefined };
  await put('before');
  const latest = await reader({ dataDir, engine: other, functions, properties: { StartingPosition: 'LATEST' } });
  for (let n = 0; n < 5; n += 1) await put(`o-${n}`);
  await latest.streams.idle();
  await latest.close();
  const second = await reader({ dataDir, engine: other, functions });
  await put('after');
  await second.streams.idle();
  const handled = functions.calls.flatMap(({ event }) => ids(event as Event));
  expect(handled).toEqual(['o-0', 'o-1', 'o-2', 'o-3', 'o-4', 'after']);
});

it('a mapping that reads no table stream, or whose filter is not valid, stops the start by name', async () => {
  const make = (properties: Properties) =>
    new Streams({
      journal: openJournal(temporaryDirectory()),
      source: undefined as never,
      mappings: [mapping(properties)],
      tables: [],
      functions: fakeFunctions(),
      send: async () => {},
    });
  expect(() => make({ EventSourceArn: queueArn('q') })).toThrow(/Ieum-test\/Mapping.*table streams/);
  expect(() => make({ FilterCriteria: { Filters: [{ Pattern: '{"eventName":"INSERT"}' }] } })).toThrow(
    /Ieum-test\/Mapping.*eventName must be an object/,
  );
});

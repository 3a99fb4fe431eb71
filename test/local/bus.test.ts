import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type BusEntry, EventBus } from '../../infra/local/bus.ts';
import { Deliveries, type Functions } from '../../infra/local/deliveries.ts';
import { openJournal } from '../../infra/local/journal.ts';
import type { Resource } from '../../infra/local/template.ts';
import {
  ACCOUNT,
  arnOf,
  CodeFailure,
  fakeFunctions,
  functionArn,
  queueArn,
  REGION,
  resource,
  temporaryDirectory,
} from './parts.ts';

const BUS = 'commerce';
const placed: BusEntry = {
  EventBusName: BUS,
  Source: 'ieum.orders',
  DetailType: 'order.placed.v1',
  Detail: '{"orderId": "o-1", "total": 42000}',
};

const rule = (name: string, EventPattern: object, target: object): Resource =>
  resource('AWS::Events::Rule', name, { EventBusName: BUS, EventPattern, Targets: [{ Id: 'Target0', ...target }] });

type Message = { queueArn: string; body: string; attributes: Record<string, string> | undefined };

/** A bus with everything behind it. */
function cloud(
  options: {
    dataDir?: string;
    rules?: Resource[];
    archives?: Resource[];
    functions?: Functions;
    functionResources?: Resource[];
    invokeConfigs?: Resource[];
    startExecution?: (input: { stateMachineArn: string; name: string; input: string }) => unknown;
    retryMilliseconds?: number;
    now?: () => number;
  } = {},
) {
  const journal = openJournal(options.dataDir ?? temporaryDirectory());
  const sent: Message[] = [];
  const { rules = [], archives = [], functions = fakeFunctions(), dataDir: _dataDir, ...rest } = options;
  const deliveries = new Deliveries({
    journal,
    functions,
    retryMilliseconds: 1,
    send: async (to, body, { attributes } = {}) => void sent.push({ queueArn: to, body, attributes }),
    ...rest,
  });
  const buses = [resource('AWS::Events::EventBus', BUS)];
  const clock = options.now ? { now: options.now } : {};
  const bus = new EventBus({ journal, deliveries, buses, rules, archives, region: REGION, account: ACCOUNT, ...clock });
  const close = async () => {
    await deliveries.close();
    if (journal.isOpen) journal.close();
  };
  onTestFinished(close);
  return { bus, deliveries, journal, sent, close };
}

it('an event reaches the functions whose rules match it, and no other', async () => {
  const functions = fakeFunctions();
  const { bus, deliveries } = cloud({
    functions,
    rules: [
      rule('Placed', { 'detail-type': ['order.placed.v1'] }, { Arn: functionArn('loyalty') }),
      rule(
        'Dear',
        { source: ['ieum.orders'], detail: { total: [{ numeric: ['>', 100_000] }] } },
        { Arn: functionArn('vip') },
      ),
      rule('Cancelled', { 'detail-type': ['order.cancelled.v1'] }, { Arn: functionArn('inventory') }),
    ],
  });
  const answer = bus.putEvents([placed, { ...placed, Detail: '{"orderId":"o-2","total":200000}' }]);
  await deliveries.idle();
  expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }, {}] });
  expect(functions.calls.map(({ name, event }) => `${name} ${event.detail.orderId}`).sort()).toEqual([
    'loyalty o-1',
    'loyalty o-2',
    'vip o-2',
  ]);
  expect(functions.calls[0]?.event).toEqual({
    version: '0',
    id: answer.Entries[0]?.EventId,
    'detail-type': 'order.placed.v1',
    source: 'ieum.orders',
    account: ACCOUNT,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    region: REGION,
    resources: [],
    detail: { orderId: 'o-1', total: 42_000 },
  });
});

it('a disabled rule hears nothing', async () => {
  const functions = fakeFunctions();
  const silent = rule('Silent', { source: ['ieum.orders'] }, { Arn: functionArn('loyalty') });
  silent.properties.State = 'DISABLED';
  const { bus, deliveries } = cloud({ functions, rules: [silent] });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(functions.calls).toEqual([]);
});

it('entries are refused one by one, and the others go through', async () => {
  const functions = fakeFunctions();
  const rules = [rule('All', { source: [{ prefix: 'ieum.' }] }, { Arn: functionArn('insights') })];
  const { bus, deliveries } = cloud({ functions, rules });
  const { FailedEntryCount, Entries } = bus.putEvents([
    { ...placed, Detail: '{"orderId":' },
    { ...placed, Detail: '[]' },
    { ...placed, Source: '' },
    { ...placed, EventBusName: 'nowhere' },
    placed,
  ]);
  await deliveries.idle();
  expect(FailedEntryCount).toBe(4);
  expect(Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([
    'MalformedDetail',
    'MalformedDetail',
    'InvalidArgument',
    'ResourceNotFoundException',
    undefined,
  ]);
  expect(functions.calls).toHaveLength(1);
});

it('a request with too many or too big entries is refused as a whole', () => {
  const { bus } = cloud();
  expect(() => bus.putEvents([])).toThrow(/1 to 10 entries/);
  expect(() => bus.putEvents(Array(11).fill(placed))).toThrow(/1 to 10 entries/);
  const big = { ...placed, Detail: JSON.stringify({ text: 'x'.repeat(132_000) }) };
  expect(bus.putEvents([big]).FailedEntryCount).toBe(0);
  expect(() => bus.putEvents([big, big])).toThrow(/over the limit/);
});

it('a target gets what its rule selects or writes', async () => {
  const functions = fakeFunctions();
  const all = { source: ['ieum.orders'] };
  const { bus, deliveries } = cloud({
    functions,
    rules: [
      rule('Path', all, { Arn: functionArn('path'), InputPath: '$.detail' }),
      rule('Fixed', all, { Arn: functionArn('fixed'), Input: '{"job":"sweep"}' }),
      rule('Written', all, {
        Arn: functionArn('written'),
        InputTransformer: {
          InputPathsMap: { order: '$.detail.orderId', total: '$.detail.total', nothing: '$.detail.none' },
          InputTemplate: '{"text": "Order <order> of <total>", "total": <total>, "order": <order>, "none": <nothing>}',
        },
      }),
    ],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  const got = Object.fromEntries(functions.calls.map(({ name, event }) => [name, event]));
  expect(got).toEqual({
    path: { orderId: 'o-1', total: 42_000 },
    fixed: { job: 'sweep' },
    written: { text: 'Order o-1 of 42000', total: 42_000, order: 'o-1', none: null },
  });
});

it('a state machine is started once a delivery, and a queue gets the event', async () => {
  const started: { stateMachineArn: string; name: string; input: string }[] = [];
  const machine = arnOf('AWS::StepFunctions::StateMachine', 'fulfilment');
  const { bus, deliveries, sent } = cloud({
    startExecution: (input) => started.push(input),
    rules: [
      rule('Fulfil', { 'detail-type': ['order.placed.v1'] }, { Arn: machine, InputPath: '$.detail' }),
      rule('Export', { source: ['ieum.orders'] }, { Arn: queueArn('export') }),
    ],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(started).toEqual([
    { stateMachineArn: machine, name: expect.any(String), input: '{"orderId":"o-1","total":42000}' },
  ]);
  expect(sent).toHaveLength(1);
  expect(JSON.parse(sent[0]!.body)).toMatchObject({ 'detail-type': 'order.placed.v1', detail: { orderId: 'o-1' } });
});

it('a target that cannot be reached leaves a dead letter with the reason', async () => {
  const { bus, deliveries, sent } = cloud({
    functionResources: [resource('AWS::Lambda::Function', 'other')],
    rules: [
      rule(
        'Lost',
        { source: ['ieum.orders'] },
        { Arn: functionArn('gone'), DeadLetterConfig: { Arn: queueArn('dlq') } },
      ),
    ],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    queueArn: queueArn('dlq'),
    attributes: {
      RULE_ARN: arnOf('AWS::Events::Rule', 'Lost'),
      TARGET_ARN: functionArn('gone'),
      ERROR_CODE: 'RESOURCE_NOT_FOUND',
      ERROR_MESSAGE: `No such target: ${functionArn('gone')}`,
    },
  });
  expect(JSON.parse(sent[0]!.body)).toMatchObject({ detail: { orderId: 'o-1' } });
});

it('a hand-over that keeps failing is retried as often as its rule says', async () => {
  let attempts = 0;
  const { bus, deliveries, sent } = cloud({
    startExecution: () => {
      attempts += 1;
      throw new Error('busy');
    },
    rules: [
      rule(
        'Fulfil',
        { source: ['ieum.orders'] },
        {
          Arn: arnOf('AWS::StepFunctions::StateMachine', 'fulfilment'),
          RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600 },
          DeadLetterConfig: { Arn: queueArn('dlq') },
        },
      ),
    ],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(attempts).toBe(4);
  expect(sent[0]?.attributes).toMatchObject({
    ERROR_CODE: 'SDK_CLIENT_ERROR',
    ERROR_MESSAGE: 'busy',
    RETRY_ATTEMPTS: '3',
    EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
  });
});

const failing = (name: string, failures: number) => {
  let left = failures;
  return fakeFunctions({
    [name]: () => {
      left -= 1;
      if (left >= 0) throw new CodeFailure('no stock');
    },
  });
};

it('a function whose code fails twice is invoked a third time, and nothing is lost', async () => {
  const functions = failing('loyalty', 2);
  const { bus, deliveries, sent } = cloud({
    functions,
    rules: [rule('Placed', { source: ['ieum.orders'] }, { Arn: functionArn('loyalty') })],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(functions.calls).toHaveLength(3);
  expect(sent).toEqual([]);
});

it("a function that keeps failing goes to its own destination, not to the rule's dead-letter queue", async () => {
  const functions = failing('loyalty', 99);
  const { bus, deliveries, sent } = cloud({
    functions,
    functionResources: [resource('AWS::Lambda::Function', 'loyalty')],
    invokeConfigs: [
      resource('AWS::Lambda::EventInvokeConfig', 'Config', {
        FunctionName: 'loyalty',
        MaximumRetryAttempts: 1,
        DestinationConfig: { OnFailure: { Destination: queueArn('failures') } },
      }),
    ],
    rules: [
      rule(
        'Placed',
        { source: ['ieum.orders'] },
        { Arn: functionArn('loyalty'), DeadLetterConfig: { Arn: queueArn('dlq') } },
      ),
    ],
  });
  bus.putEvents([placed]);
  await deliveries.idle();
  expect(functions.calls).toHaveLength(2);
  expect(sent.map((message) => message.queueArn)).toEqual([queueArn('failures')]);
  expect(JSON.parse(sent[0]!.body)).toMatchObject({
    requestContext: {
      condition: 'RetriesExhausted',
      approximateInvokeCount: 2,
      functionArn: `${functionArn('loyalty')}:$LATEST`,
    },
    requestPayload: { detail: { orderId: 'o-1' } },
    responseContext: { functionError: 'Unhandled' },
    responsePayload: { errorType: 'Error', errorMessage: 'no stock' },
  });
});

it('a failure without any destination is dropped, and said aloud', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  const { deliveries } = cloud({ functions: failing('loyalty', 99) });
  deliveries.invokeAsync(functionArn('loyalty'), { n: 1 });
  await deliveries.idle();
  expect(said.mock.calls.flat().join()).toMatch(/Dropped an event for .*loyalty after 3 attempts/);
});

it('one slow target holds up nobody else', async () => {
  const release = Promise.withResolvers<void>();
  const functions = fakeFunctions({ slow: () => release.promise });
  const all = { source: ['ieum.orders'] };
  const { bus, deliveries } = cloud({
    functions,
    rules: [rule('Slow', all, { Arn: functionArn('slow') }), rule('Quick', all, { Arn: functionArn('quick') })],
  });
  for (let n = 0; n < 5; n += 1) bus.putEvents(Array(10).fill(placed));
  await vi.waitFor(() => expect(functions.calls.filter(({ name }) => name === 'quick')).toHaveLength(50));
  expect(functions.calls.filter(({ name }) => name === 'slow').length).toBeLessThan(50);
  release.resolve();
  await deliveries.idle();
  expect(functions.calls.filter(({ name }) => name === 'slow')).toHaveLength(50);
});

it('more events than memory should hold are all delivered, from the journal', async () => {
  const functions = fakeFunctions();
  const { bus, deliveries } = cloud({
    functions,
    rules: [rule('All', { source: ['ieum.orders'] }, { Arn: functionArn('insights') })],
  });
  for (let n = 0; n < 6_000; n += 10)
    bus.putEvents(Array.from({ length: 10 }, (_, i) => ({ ...placed, Detail: `{"n":${n + i}}` })));
  await deliveries.idle();
  expect(new Set(functions.calls.map(({ event }) => event.detail.n)).size).toBe(6_000);
});

it('an archive keeps matching events and replays them once, marked', async () => {
  const functions = fakeFunctions();
  const archive = resource('AWS::Events::Archive', 'Orders', {
    SourceArn: arnOf('AWS::Events::EventBus', BUS),
    EventPattern: { 'detail-type': [{ prefix: 'order.' }] },
    RetentionDays: 1,
  });
  let now = Date.parse('2026-03-01T00:00:00Z');
  const dataDir = temporaryDirectory();
  const { bus, deliveries, close } = cloud({
    dataDir,
    functions,
    archives: [archive],
    rules: [rule('All', { source: ['ieum.orders'] }, { Arn: functionArn('insights') })],
    now: () => now,
  });
  bus.putEvents([placed, { ...placed, DetailType: 'payment.captured.v1' }]);
  await deliveries.idle();
  expect(bus.replay('Orders', 'repair')).toBe(1);
  await deliveries.idle();
  const replayed = functions.calls.filter(({ event }) => event['replay-name'] === 'repair');
  expect(replayed.map(({ event }) => event['detail-type'])).toEqual(['order.placed.v1']);
  expect(functions.calls).toHaveLength(3);
  expect(bus.replay('Orders', 'later', now + 1)).toBe(0);
  await close();
  now += 25 * 3600 * 1000;
  const nextDay = cloud({ dataDir, archives: [archive], now: () => now });
  expect(nextDay.bus.replay('Orders', 'too late')).toBe(0);
});

it('a rule with a target that the local cloud cannot reach stops the start, naming the rule', () => {
  const topic = `arn:aws:sns:${REGION}:${ACCOUNT}:topic`;
  expect(() => cloud({ rules: [rule('Mail', { source: ['x'] }, { Arn: topic })] })).toThrow(
    /Ieum-test\/Mail.*not arn:aws:sns/,
  );
  expect(() => cloud({ rules: [rule('Odd', { source: 'x' }, { Arn: functionArn('f') })] })).toThrow(
    /Ieum-test\/Odd.*source must be/,
  );
});

it('what a stop interrupted goes on after the next start, once', async () => {
  const dataDir = temporaryDirectory();
  const rules = [
    rule(
      'Placed',
      { source: ['ieum.orders'] },
      { Arn: functionArn('loyalty'), DeadLetterConfig: { Arn: queueArn('dlq') } },
    ),
  ];
  const never = { invoke: () => new Promise(() => {}) };
  const first = cloud({ dataDir, rules, functions: never });
  first.bus.putEvents([placed]);
  await first.close();
  const functions = fakeFunctions();
  const second = cloud({ dataDir, rules, functions });
  await second.deliveries.idle();
  expect(functions.calls.map(({ event }) => event.detail.orderId)).toEqual(['o-1']);
  await second.close();
  const third = cloud({ dataDir, rules, functions });
  await third.deliveries.idle();
  expect(functions.calls).toHaveLength(1);
});

it('failed attempts count across a restart', async () => {
  const dataDir = temporaryDirectory();
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  const functions = failing('loyalty', 99);
  const first = cloud({ dataDir, functions, retryMilliseconds: 60_000 });
  first.deliveries.invokeAsync(functionArn('loyalty'), { n: 1 });
  await vi.waitFor(() => expect(functions.calls).toHaveLength(1));
  await first.close();
  const second = cloud({ dataDir, functions });
  await second.deliveries.idle();
  expect(functions.calls).toHaveLength(3);
});

it('an event that was acknowledged is delivered although the process was killed at once', async () => {
  const dataDir = temporaryDirectory();
  const script = fileURLToPath(new URL('put-and-wait.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.split('\n').length > 200) break;
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const acknowledged = said.split('\n').slice(0, 200);
  const functions = fakeFunctions();
  const { deliveries } = cloud({
    dataDir,
    functions,
    rules: [rule('All', { source: ['test'] }, { Arn: functionArn('f') })],
  });
  await deliveries.idle();
  const delivered = new Set(functions.calls.map(({ event }) => event.id));
  expect(acknowledged.filter((id) => !delivered.has(id))).toEqual([]);
});

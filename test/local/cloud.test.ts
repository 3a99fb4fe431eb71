import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalCloud, startCloud } from '../../infra/local/cloud.ts';
import { type ShopApp, synthesizeShop } from './shop-app.ts';

vi.setConfig({ testTimeout: 60_000 });

const put = (url: string, path: string, headers: Record<string, string> = {}) =>
  fetch(url + path, { method: 'PUT', headers });

/** Partition keys of all items of the table with this logical id. */
async function keysOf(cloud: LocalCloud, id: string): Promise<string[]> {
  const table = cloud.template.resources('AWS::DynamoDB::GlobalTable').find((each) => each.id.startsWith(id));
  const client = new DynamoDBClient({
    endpoint: cloud.dynamodbEndpoint,
    region: 'ap-northeast-2',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const keys: string[] = [];
  for await (const page of paginateScan({ client }, { TableName: table?.name })) {
    for (const item of page.Items ?? []) keys.push(String(item.pk?.S));
  }
  client.destroy();
  return keys.sort();
}

let shop: ShopApp;
beforeAll(() => {
  shop = synthesizeShop();
});
afterAll(() => shop[Symbol.dispose]());

const start = (dataDir: string, port = 0) => startCloud({ assemblyDir: shop.assemblyDir, dataDir, port });

describe('the local cloud', () => {
  let dataDir: string;
  let cloud: LocalCloud;

  beforeAll(async () => {
    dataDir = shop.newDataDir();
    // As npm run replay names it: relative to where it was started.
    cloud = await start(relative(process.cwd(), dataDir));
  });
  afterAll(() => cloud.close());

  test('carries a request through API, table, stream, bus, function and workflow', async () => {
    const response = await put(cloud.url, '/orders/o1');
    expect([response.status, await response.text()]).toEqual([201, 'guest']);
    await cloud.whenIdle();
    expect(cloud.workflows.list()).toMatchObject([{ name: 'o1', status: 'SUCCEEDED' }]);
    expect(await keysOf(cloud, 'Shipments')).toEqual(['o1']);
    expect((await cloud.queues.depths()).map(({ visible }) => visible)).toEqual([0]);
  });

  test('has used exactly the permissions that the template grants', () => {
    const used = cloud.functions
      .used()
      .map(({ functionArn, action, resource }) =>
        [functionArn, action, resource].map((part) => part.split(':').at(-1)).join(' '),
      );
    const shapes = used.map((triple) => triple.replaceAll(/Shop-(Data-)?([A-Za-z]+?)[0-9A-F]{8}/g, '$2'));
    expect(shapes.sort()).toEqual([
      'api PutItem table/Orders',
      'listen StartExecution Fulfilment',
      'stream PutEvents event-bus/shop',
      'task UpdateItem table/Shipments',
    ]);
  });

  test('answers a function without the permission as AWS does, and its log says which is missing', async () => {
    expect((await put(cloud.url, '/outsider')).status).toBe(500);
    const { name = '' } =
      cloud.template.resources('AWS::Lambda::Function').find(({ id }) => id.startsWith('outsider')) ?? {};
    const log = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8');
    expect(log).toContain(`${name} is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:`);
    expect(await keysOf(cloud, 'Orders')).not.toContain('stolen');
  });

  test('runs the functions that answer requests together, and the others each alone', async () => {
    const warm = () => cloud.functions.warm().map((arn) => /Shop-([a-z]+)/.exec(arn)![1]);
    const api = cloud.functions.warm().find((arn) => arn.includes('Shop-api'))!;
    expect(warm().sort()).toEqual(['api', 'listen', 'outsider', 'stream', 'task']);
    cloud.functions.replace(api);
    expect(warm().sort()).toEqual(['listen', 'stream', 'task']);
  });

  test('takes tokens of its own issuer, for the scopes that they carry', async () => {
    const [till] = cloud.template.resources('AWS::Cognito::UserPoolClient');
    const token = await fetch(`${cloud.awsUrl}/oauth2/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${btoa(`${till?.name}:secret-${till?.name}`)}`,
      },
      body: 'grant_type=client_credentials',
    });
    const { access_token } = (await token.json()) as { access_token: string };
    const authorization = `Bearer ${access_token}`;
    const placed = await put(cloud.url, '/till/orders/o2', { authorization });
    expect([placed.status, await placed.text()]).toEqual([201, till?.name]);
    expect((await put(cloud.url, '/till/refunds/o2', { authorization })).status).toBe(403);
    expect((await put(cloud.url, '/till/orders/o3', { authorization: `${authorization}x` })).status).toBe(401);
    expect((await put(cloud.url, '/till/orders/o3')).status).toBe(401);
    await cloud.whenIdle();
    expect(await keysOf(cloud, 'Shipments')).toEqual(['o1', 'o2']);
  });

  test('serves SQS by the queue URLs of the template', async () => {
    const [queue] = cloud.template.resources('AWS::SQS::Queue');
    const QueueUrl = `https://sqs.ap-northeast-2.amazonaws.com/000000000000/${queue?.name}`;
    const sent = await fetch(cloud.awsUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({ QueueUrl, MessageBody: 'late' }),
    });
    expect(await sent.json()).toMatchObject({ MessageId: expect.any(String) });
    expect(await cloud.queues.peek(queue!.arn)).toMatchObject([{ body: 'late' }]);
  });

  test('lets one process at a time use a data directory', async () => {
    await expect(start(dataDir)).rejects.toThrow(/in use by another local cloud.*Stop that one/);
    expect((await put(cloud.url, '/orders/o1')).status).toBe(201);
  });
});

test('an unchanged shop is up again well within 2.5 seconds', async () => {
  const dataDir = shop.newDataDir();
  await (await start(dataDir)).close();
  const begun = performance.now();
  const cloud = await start(dataDir);
  expect(performance.now() - begun).toBeLessThan(2500);
  await cloud.close();
});

describe('the local cloud does not start', () => {
  test('on a port that is taken, says so and leaves nothing behind', async () => {
    const dataDir = shop.newDataDir();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start(dataDir, port)).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken. Stop the program`);
    other.close();
    // The data directory is free again, and the port.
    const cloud = await start(dataDir, port);
    expect(cloud.url).toBe(`http://127.0.0.1:${port}`);
    await cloud.close();
  });

  test('with a resource type that it does not know', async () => {
    const assemblyDir = shop.newDataDir();
    cpSync(shop.assemblyDir, assemblyDir, { recursive: true });
    const file = join(assemblyDir, 'Shop.template.json');
    const template = JSON.parse(readFileSync(file, 'utf8'));
    template.Resources.Search = { Type: 'AWS::OpenSearchService::Domain' };
    writeFileSync(file, JSON.stringify(template));
    await expect(startCloud({ assemblyDir, dataDir: shop.newDataDir(), port: 0 })).rejects.toThrow(
      /Shop\/Search is a AWS::OpenSearchService::Domain.*homes\.ts/,
    );
  });
});

describe('the process of the local cloud', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function run(dataDir: string): Promise<{ child: ChildProcess; url: string; dynamodbEndpoint: string }> {
    const script = join(import.meta.dirname, 'cloud-process.ts');
    const child = spawn(process.execPath, [script, shop.assemblyDir, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = await once(createInterface({ input: child.stdout! }), 'line');
    return { child, ...JSON.parse(line) };
  }

  test('goes on where it was killed: no order is lost, none is fulfilled twice', async () => {
    const dataDir = shop.newDataDir();
    const placed: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const { child, url } = await run(dataDir);
      const orders = Array.from({ length: 25 }, (_, index) => `o${kill}-${index}`);
      await Promise.all(
        orders.map(async (order) => {
          if ((await put(url, `/orders/${order}`)).status === 201) placed.push(order);
        }),
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(placed).toHaveLength(75);
    const cloud = await start(dataDir);
    await cloud.whenIdle();
    const executions = cloud.workflows.list();
    expect(executions.map(({ name }) => name).sort()).toEqual(placed.sort());
    expect(executions.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(await keysOf(cloud, 'Shipments')).toEqual(placed.sort());
    await cloud.close();
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends on %s with everything it started', async (signal) => {
    const { child, url, dynamodbEndpoint } = await run(shop.newDataDir());
    await put(url, '/orders/o1');
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow();
    await expect(fetch(dynamodbEndpoint)).rejects.toThrow();
  });

  test('leaves no engine behind when it is killed', async () => {
    const { child, dynamodbEndpoint } = await run(shop.newDataDir());
    child.kill('SIGKILL');
    await expect
      .poll(
        () =>
          fetch(dynamodbEndpoint).then(
            () => 'up',
            () => 'down',
          ),
        { timeout: 5000 },
      )
      .toBe('down');
  });
});

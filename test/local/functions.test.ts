import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type FunctionError, type FunctionHost, startFunctions } from '../../infra/local/functions.ts';
import { loadTemplate, type Properties } from '../../infra/local/template.ts';
import { type Assembly, assemblyOf, functionOf, options } from './assembly.ts';

vi.setConfig({ testTimeout: 20_000 });

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const arn = 'arn:aws:lambda:ap-northeast-2:000000000000:function:Shop-Greeter';

function host(
  code: string,
  setting: {
    properties?: Properties;
    statements?: Properties[];
    environment?: Record<string, string>;
    idleSeconds?: number;
  } = {},
): { functions: FunctionHost; assembly: Assembly } {
  const assembly = assemblyOf(functionOf('Greeter', setting.properties, setting.statements), { Greeter: code });
  const functions = startFunctions({
    template: loadTemplate(assembly.dir, options),
    ...options,
    dataDir: assembly.dataDir,
    environment: () => setting.environment ?? {},
    ...(setting.idleSeconds && { idleSeconds: setting.idleSeconds }),
  });
  open.push(() => assembly[Symbol.dispose]());
  open.push(() => functions.close());
  return { functions, assembly };
}

describe('a function', () => {
  test('answers what its handler returns, through JSON as on Lambda', async () => {
    const { functions } = host(
      `
      export const handler = async (event, context) => ({
        greeting: 'hello ' + event.name, at: new Date(0), nothing: undefined,
        stage: process.env.STAGE, region: process.env.AWS_REGION, options: process.env.NODE_OPTIONS,
        name: context.functionName, arn: context.invokedFunctionArn, left: context.getRemainingTimeInMillis() > 2000,
      });`,
      { properties: { Environment: { Variables: { STAGE: 'dev', NODE_OPTIONS: '--enable-source-maps' } } } },
    );
    const answer = await functions.invoke(arn, { name: 'Mina' });
    expect(answer).toEqual({
      greeting: 'hello Mina',
      at: '1970-01-01T00:00:00.000Z',
      stage: 'dev',
      region: 'ap-northeast-2',
      name: 'Shop-Greeter',
      arn,
      left: true,
    });
    expect(answer).not.toHaveProperty('nothing');
  });

  test('sees nothing of the environment of this process', async () => {
    process.env.SECRET_OF_THE_HOST = 'x';
    const { functions } = host('export const handler = async () => process.env.SECRET_OF_THE_HOST ?? "unseen";');
    expect(await functions.invoke(arn, {})).toBe('unseen');
    delete process.env.SECRET_OF_THE_HOST;
  });

  test('that is replaced ends the calls it has, and starts anew with the next', async () => {
    const { functions } = host(`
      let calls = 0;
      export const handler = async (wait) => {
        const number = ++calls;
        await new Promise((resolve) => setTimeout(resolve, wait));
        return number;
      };`);
    expect(await functions.invoke(arn, 0)).toBe(1);
    const underWay = functions.invoke(arn, 50);
    await new Promise(setImmediate);
    functions.replace(arn);
    expect(functions.warm()).toEqual([]);
    expect(await Promise.all([underWay, functions.invoke(arn, 0)])).toEqual([2, 1]);
  });

  test('runs in UTC, wherever this machine is', async () => {
    process.env.TZ = 'Asia/Seoul';
    expect(new Date(0).getTimezoneOffset()).toBe(-540);
    const { functions } = host('export const handler = async () => new Date(0).getTimezoneOffset();');
    expect(await functions.invoke(arn, {})).toBe(0);
  });

  test('starts a new log when the old one is full, and keeps that', async () => {
    const { functions, assembly } = host(`
      const page = 'x'.repeat(1024 * 1024 - 1);
      export const handler = async () => { for (let n = 0; n < 18; n++) console.log(page); console.log('last'); };`);
    await functions.invoke(arn, {});
    const log = join(assembly.dataDir, 'logs', 'Shop-Greeter.log');
    expect(readFileSync(log, 'utf8')).toMatch(/^x+\nlast\n$/);
    expect(readFileSync(`${log}.old`)).toHaveLength(17 * 1024 * 1024);
  });

  test('that throws fails with the name and message of its error', async () => {
    const { functions } = host(`
      export const handler = async () => { throw Object.assign(new Error('sold out'), { name: 'SoldOut' }); };`);
    await expect(functions.invoke(arn, {})).rejects.toMatchObject({
      name: 'FunctionError',
      errorType: 'SoldOut',
      message: 'sold out',
    });
  });

  test.each([
    ['with', '--enable-source-maps', 'shop.ts:3:1'],
    ['without', '', 'index.mjs:2:'],
  ])('%s source maps tells where it failed', async (_, NODE_OPTIONS, place) => {
    const map = { version: 3, sources: ['shop.ts'], names: [], mappings: ';AAEA' };
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
    const { functions } = host(
      `export const handler = async () => {\nthrow new Error('lost'); };\n//# ${'sourceMappingURL'}=${url}`,
      { properties: { Environment: { Variables: { NODE_OPTIONS } } } },
    );
    const { trace } = (await functions.invoke(arn, {}).catch((error: unknown) => error)) as FunctionError;
    expect(trace[1]).toContain(place);
  });

  test('that answers nothing answers null', async () => {
    const { functions } = host('export const handler = async () => {};');
    expect(await functions.invoke(arn, {})).toBeNull();
  });

  test('serves calls side by side in one thread, which is kept for the next call', async () => {
    const { functions } = host(`
      let calls = 0; const waiting = [];
      export const handler = (event) => {
        calls++;
        return new Promise((done) => { waiting.push(() => done(calls)); if (event.last) waiting.forEach((f) => f()); });
      };`);
    const first = functions.invoke(arn, {});
    expect(await Promise.all([first, functions.invoke(arn, { last: true })])).toEqual([2, 2]);
  });

  test('writes its log to a file in the data directory', async () => {
    const { functions, assembly } = host(
      'export const handler = async () => { console.log("placed", { order: 7 }); };',
    );
    await functions.invoke(arn, {});
    expect(readFileSync(join(assembly.dataDir, 'logs', 'Shop-Greeter.log'), 'utf8')).toBe('placed { order: 7 }\n');
  });

  test('that the template does not contain is refused by its ARN', async () => {
    const { functions } = host('export const handler = async () => 1;');
    await expect(functions.invoke(`${arn}x`, {})).rejects.toThrow(`There is no function ${arn}x in the template.`);
  });
});

describe('a function in trouble', () => {
  test('is timed out, and the next call has a fresh thread', async () => {
    const { functions } = host(
      `
      let calls = 0;
      export const handler = async (event) => { calls++; if (event.stuck) await new Promise(() => {}); return calls; };`,
      { properties: { Timeout: 0.3 } },
    );
    expect(await functions.invoke(arn, {})).toBe(1);
    await expect(functions.invoke(arn, { stuck: true })).rejects.toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(await functions.invoke(arn, {})).toBe(1);
  });

  test('that blocks its thread does not stop the calls that come after', async () => {
    const { functions } = host('export const handler = async (event) => { while (event.block) {} return "served"; };', {
      properties: { Timeout: 0.3 },
    });
    const blocked = functions.invoke(arn, { block: true });
    await expect(blocked).rejects.toMatchObject({
      errorType: 'Sandbox.Timedout',
      message: expect.stringContaining('Task timed out after 0.30'),
    });
    expect(await functions.invoke(arn, {})).toBe('served');
  });

  test('lets calls beside one that timed out end in peace', async () => {
    const { functions } = host(
      `
      export const handler = (event) => new Promise((done) => {
        if (event.slow) setTimeout(() => done('in peace'), 250);
      });`,
      { properties: { Timeout: 0.3 } },
    );
    const stuck = functions.invoke(arn, {});
    await expect.poll(() => functions.warm()).toEqual([arn]);
    await new Promise((wait) => setTimeout(wait, 150));
    const slow = functions.invoke(arn, { slow: true });
    await expect(stuck).rejects.toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(await slow).toBe('in peace');
  });

  test.each([
    ['exits', 'process.exit(1)'],
    ['leaves a rejection unhandled', 'Promise.reject(new Error("lost"))'],
    ['throws outside of its call', 'setImmediate(() => { throw new Error("lost"); })'],
  ])('that %s fails its call and is replaced', async (_, crash) => {
    const { functions } = host(`
      export const handler = async (event) => { if (event.crash) { ${crash}; await new Promise(() => {}); } return 'well'; };`);
    await expect(functions.invoke(arn, { crash: true })).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await functions.invoke(arn, {})).toBe('well');
  });

  test('that eats its memory fails its call and is replaced', async () => {
    const { functions } = host(
      `
      export const handler = async (event) => { const all = []; while (event.eat) all.push(Array(1e5).fill(Math.random())); return 'well'; };`,
      { properties: { MemorySize: 32, Timeout: 30 } },
    );
    await expect(functions.invoke(arn, { eat: true })).rejects.toMatchObject({ errorType: 'Runtime.OutOfMemory' });
    expect(await functions.invoke(arn, {})).toBe('well');
  });

  test.each([
    ['cannot be loaded', 'throw new TypeError("no table name");', 'TypeError', 'no table name'],
    ['exports no handler', 'export const other = 1;', 'Runtime.HandlerNotFound', 'index.handler is undefined'],
  ])('that %s fails each call with the reason', async (_, code, errorType, message) => {
    const { functions } = host(code);
    const failure = { errorType, message: expect.stringContaining(message) };
    await expect(functions.invoke(arn, {})).rejects.toMatchObject(failure);
    await expect(functions.invoke(arn, {})).rejects.toMatchObject(failure);
  });

  test('that answers what JSON cannot hold fails its call', async () => {
    const { functions } = host('export const handler = async () => ({ units: 1n });');
    await expect(functions.invoke(arn, {})).rejects.toMatchObject({ errorType: 'TypeError' });
  });

  test('takes and gives at most 6 MB, as Lambda does', async () => {
    const { functions } = host(
      'export const handler = async (event) => event.big ? "x".repeat(6 * 1024 * 1024) : "well";',
    );
    const large = 'x'.repeat(6 * 1024 * 1024);
    await expect(functions.invoke(arn, { large })).rejects.toMatchObject({ errorType: 'Request.TooLarge' });
    await expect(functions.invoke(arn, { big: true })).rejects.toMatchObject({
      errorType: 'Function.ResponseSizeTooLarge',
    });
    expect(await functions.invoke(arn, {})).toBe('well');
  });

  test('is reclaimed when idle, and a call that arrives then is served by a new thread', async () => {
    const { functions } = host('let calls = 0; export const handler = async () => ++calls;', { idleSeconds: 0.02 });
    for (let round = 0; round < 5; round++) {
      expect(await functions.invoke(arn, {})).toBe(1);
      await expect.poll(() => functions.warm(), { interval: 1 }).toEqual([]);
    }
  });

  test('is never reclaimed while it works', async () => {
    const { functions } = host(
      'export const handler = () => new Promise((done) => setTimeout(() => done("finished"), 300));',
      { idleSeconds: 0.02 },
    );
    expect(await functions.invoke(arn, {})).toBe('finished');
  });

  test('has its open calls refused when the cloud closes', async () => {
    const { functions } = host('export const handler = () => new Promise(() => {});');
    const stuck = functions.invoke(arn, {});
    const refused = expect(stuck).rejects.toMatchObject({ errorType: 'Runtime.ExitError' });
    await expect.poll(() => functions.warm()).toEqual([arn]);
    await functions.close();
    await refused;
    await expect(functions.invoke(arn, {})).rejects.toThrow('closing');
  });
});

describe('the role of a function', () => {
  const orders = 'arn:aws:dynamodb:ap-northeast-2:000000000000:table/orders';
  /** Calls DynamoDB with the real SDK, as bundles do. */
  const sdk = `
    import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(import.meta.url)});
    const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb');
    const client = new DynamoDBClient({});
    let attempts = 0;
    client.middlewareStack.add((next) => (args) => { attempts++; return next(args); }, { step: 'finalizeRequest', priority: 'low' });
    export const handler = async (event) => {
      if (event.count) return attempts;
      const answer = await client.send(new GetItemCommand({ TableName: event.table, Key: { pk: { S: 'o1' } } }));
      return { item: answer.Item };
    };`;

  async function dynamodb(): Promise<{ url: string; calls: string[] }> {
    const calls: string[] = [];
    const server = createServer((request, response) => {
      calls.push(String(request.headers['x-amz-target']));
      request.resume();
      response.setHeader('content-type', 'application/x-amz-json-1.0').end('{"Item":{"pk":{"S":"o1"}}}');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    open.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
  }

  const statements = [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: orders }];

  test('lets through what it grants, and tells what was used', async () => {
    const { url, calls } = await dynamodb();
    const { functions } = host(sdk, { statements, environment: { AWS_ENDPOINT_URL_DYNAMODB: url } });
    await functions.invoke(arn, { table: 'orders' });
    expect(await functions.invoke(arn, { table: 'orders' })).toEqual({ item: { pk: { S: 'o1' } } });
    expect(calls).toHaveLength(2);
    expect(functions.used()).toEqual([{ functionArn: arn, action: 'dynamodb:GetItem', resource: orders }]);
  });

  test.each([
    ['as a list, as bundles send them', "headers: ['host', 'here', 'X-Amz-Target', TARGET]"],
    ['as a list of pairs', "headers: [['host', 'here'], ['x-amz-target', TARGET]]"],
    ['as an object', "headers: { 'X-Amz-Target': TARGET }"],
    ['with a list of values', "headers: { 'x-amz-target': [TARGET] }"],
    ['afterwards', ''],
  ])('judges a call whose headers are given %s', async (_, headers) => {
    const { url, calls } = await dynamodb();
    const code = `
      import http from 'node:http';
      const TARGET = 'DynamoDB_20120810.GetItem';
      export const handler = ({ table }) => new Promise((resolve, reject) => {
        const request = http.request('${url}', { method: 'POST', ${headers} }, (answer) => resolve(answer.statusCode));
        if (${headers === ''}) request.setHeader('x-amz-target', TARGET);
        request.once('error', reject);
        request.end(JSON.stringify({ TableName: table, Key: { pk: { S: 'o1' } } }));
      });`;
    const { functions } = host(code, { statements });
    await expect(functions.invoke(arn, { table: 'customers' })).rejects.toMatchObject({
      errorType: 'AccessDeniedException',
    });
    expect(calls).toEqual([]);
    expect(await functions.invoke(arn, { table: 'orders' })).toBe(200);
  });

  test('refuses what it does not grant before anything is sent, once and by name', async () => {
    const { url, calls } = await dynamodb();
    const { functions } = host(sdk, { statements, environment: { AWS_ENDPOINT_URL_DYNAMODB: url } });
    await expect(functions.invoke(arn, { table: 'customers' })).rejects.toMatchObject({
      errorType: 'AccessDeniedException',
      message: `Shop-Greeter is not authorized to perform: dynamodb:GetItem on resource: ${orders.replace('orders', 'customers')}`,
    });
    expect(calls).toEqual([]);
    expect(await functions.invoke(arn, { count: true })).toBe(1);
    expect(functions.used()).toEqual([]);
  });

  test('never reaches the real cloud when a service has no local endpoint', async () => {
    const { functions } = host(sdk, { statements });
    await expect(functions.invoke(arn, { table: 'orders' })).rejects.toThrow(
      'no home for dynamodb.ap-northeast-2.amazonaws.com',
    );
  });
});

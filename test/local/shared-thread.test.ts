import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type FunctionHost, startFunctions } from '../../infra/local/functions.ts';
import { loadTemplate } from '../../infra/local/template.ts';
import { assemblyOf, functionOf, options } from './assembly.ts';

const arnOf = (name: string) => `arn:aws:lambda:ap-northeast-2:000000000000:function:Shop-${name}`;
const carts = arnOf('Carts');
const orders = arnOf('Orders');

/** Does what the event says, at once or after its answer, and counts its calls in the instance of its module. */
const code = `
  import http from 'node:http';
  import { isMainThread, threadId } from 'node:worker_threads';
  if (process.env.BROKEN) throw new TypeError('broken');
  const stage = process.env.STAGE;
  let calls = 0;
  const get = (table) => new Promise((resolve, reject) => {
    const headers = { 'x-amz-target': 'DynamoDB_20120810.GetItem' };
    const request = http.request(process.env.AWS_ENDPOINT_URL_DYNAMODB, { method: 'POST', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.once('error', reject);
    request.end(JSON.stringify({ TableName: table, Key: { pk: { S: 'o1' } } }));
  });
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  export const handler = async (event) => {
    calls += 1;
    if (event.block) while (true) {}
    if (event.crash) process.exit(1);
    if (event.say) {
      console.log('at once');
      setTimeout(() => console.log('later, in ' + process.env.STAGE), 20);
      return null;
    }
    await later(event.wait ?? 0);
    if (event.table) return get(event.table);
    return { calls, stage, now: process.env.STAGE, threadId, isMainThread };
  };`;

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const hostOf = async (): Promise<{ functions: FunctionHost; logOf(name: string): string }> => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  open.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const of = (name: string, table: string, variables = {}) =>
    functionOf(name, { Timeout: 0.5, Environment: { Variables: { STAGE: name.toLowerCase(), ...variables } } }, [
      { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: `arn:aws:dynamodb:*:*:table/${table}` },
    ]);
  const resources = {
    ...of('Carts', 'carts'),
    ...of('Orders', 'orders'),
    ...of('Broken', 'none', { BROKEN: 'yes' }),
    ...of('Alone', 'none'),
  };
  const names = ['Carts', 'Orders', 'Broken', 'Alone'];
  const assembly = assemblyOf(resources, Object.fromEntries(names.map((name) => [name, code])));
  open.push(() => assembly[Symbol.dispose]());
  const functions = startFunctions({
    ...options,
    template: loadTemplate(assembly.dir, options),
    dataDir: assembly.dataDir,
    environment: () => ({ AWS_ENDPOINT_URL_DYNAMODB: url }),
    together: new Set([carts, orders, arnOf('Broken')]),
  });
  open.push(() => functions.close());
  return { functions, logOf: (name) => readFileSync(join(assembly.dataDir, 'logs', `Shop-${name}.log`), 'utf8') };
};

describe('functions that share a thread', () => {
  test('have each their own module and environment, before and after a wait', async () => {
    const { functions } = await hostOf();
    const [first, second] = await Promise.all([
      functions.invoke(carts, { wait: 20 }),
      functions.invoke(orders, { wait: 10 }),
    ]);
    expect(first).toMatchObject({ calls: 1, stage: 'carts', now: 'carts', isMainThread: false });
    expect(second).toMatchObject({ calls: 1, stage: 'orders', now: 'orders', isMainThread: false });
    const threadOf = async (arn: string) => ((await functions.invoke(arn, {})) as { threadId: number }).threadId;
    expect(await threadOf(carts)).toBe(await threadOf(orders));
    expect(await threadOf(arnOf('Alone'))).not.toBe(await threadOf(orders));
    expect(functions.warm().sort()).toEqual([arnOf('Alone'), carts, orders].sort());
  });

  test('may each do what its own role allows, side by side', async () => {
    const { functions } = await hostOf();
    const refused = { errorType: 'AccessDeniedException' };
    await Promise.all([
      expect(functions.invoke(carts, { table: 'carts', wait: 5 })).resolves.toBe(200),
      expect(functions.invoke(orders, { table: 'orders', wait: 5 })).resolves.toBe(200),
      expect(functions.invoke(carts, { table: 'orders', wait: 5 })).rejects.toMatchObject(refused),
      expect(functions.invoke(orders, { table: 'carts' })).rejects.toMatchObject(refused),
    ]);
    expect(functions.used().map(({ functionArn, resource }) => [functionArn, resource.split('/')[1]])).toEqual(
      expect.arrayContaining([
        [carts, 'carts'],
        [orders, 'orders'],
      ]),
    );
    expect(functions.used()).toHaveLength(2);
  });

  test('write each to its own log, after their answer, too', async () => {
    const { functions, logOf } = await hostOf();
    await Promise.all([functions.invoke(carts, { say: true }), functions.invoke(orders, { say: true })]);
    await expect.poll(() => logOf('Carts')).toBe('at once\nlater, in carts\n');
    await expect.poll(() => logOf('Orders')).toBe('at once\nlater, in orders\n');
  });

  test('do not suffer from one that cannot be loaded', async () => {
    const { functions } = await hostOf();
    const running = functions.invoke(carts, { wait: 50 });
    const failure = { errorType: 'TypeError', message: 'broken' };
    await expect(functions.invoke(arnOf('Broken'), {})).rejects.toMatchObject(failure);
    await expect(functions.invoke(arnOf('Broken'), {})).rejects.toMatchObject(failure);
    expect(await running).toMatchObject({ calls: 1 });
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 2 });
  });

  test.each([
    ['blocks it', { block: true }, 'Sandbox.Timedout'],
    ['ends it', { crash: true }, 'Runtime.ExitError'],
  ])('are served by a fresh one after one that %s', async (_, event, errorType) => {
    const { functions } = await hostOf();
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 1 });
    await expect(functions.invoke(orders, event)).rejects.toMatchObject({ errorType });
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 1 });
    expect(await functions.invoke(orders, {})).toMatchObject({ calls: 1 });
  });
});

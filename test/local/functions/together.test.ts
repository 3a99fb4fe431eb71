import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FunctionHost, startFunctions } from '../../../infra/local/functions.ts';
import { loadTemplate } from '../../../infra/local/template.ts';
import { assemblyOf, functionOf, options } from '../assembly.ts';
import { dynamodb, open } from './fixture.ts';

const arnOf = (name: string) => `arn:aws:lambda:ap-northeast-2:000000000000:function:Shop-${name}`;
const carts = arnOf('Carts');
const orders = arnOf('Orders');

/** Does what the event says, at once or after its answer, and counts its calls in the instance of its module. */
const code = `
  import http from 'node:http';
  import { isMainThread, threadId } from 'node:worker_threads';
  if (process.env.LOADING === 'fails') throw new TypeError('broken');
  if (process.env.LOADING === 'takes for ever') await new Promise((resolve) => setTimeout(resolve, 1e6));
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
    if (event.lose) { Promise.reject(new Error('lost')); await new Promise(() => {}); }
    if (event.eat) for (const all = []; ; ) all.push(Array(1e5).fill(Math.random()));
    if (event.say) {
      console.log('at once');
      setTimeout(() => console.log('later, in ' + process.env.STAGE), 20);
      return null;
    }
    await later(event.wait ?? 0);
    if (event.table) return get(event.table);
    return { calls, stage, now: process.env.STAGE, number: process.env.NUMBER, threadId, isMainThread };
  };`;

interface Host {
  functions: FunctionHost;
  logOf(name: string): string;
  /** Of this process, threads included. */
  openFiles(): number;
}

const hostOf = async (): Promise<Host> => {
  const { url } = await dynamodb();
  const of = (name: string, properties: { LOADING?: string; Code?: object } = {}) => {
    const { LOADING, ...others } = properties;
    const Variables = { STAGE: name.toLowerCase(), NUMBER: 5, ...(LOADING === undefined ? {} : { LOADING }) };
    const Resource = `arn:aws:dynamodb:*:*:table/${name.toLowerCase()}`;
    const setting = { Timeout: 0.5, MemorySize: 64, Environment: { Variables }, ...others };
    return functionOf(name, setting, [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource }]);
  };
  const resources = {
    ...of('Carts'),
    ...of('Orders', { Code: { S3Key: 'Carts.zip' } }),
    ...of('Broken', { LOADING: 'fails' }),
    ...of('Hung', { LOADING: 'takes for ever' }),
    ...of('Alone'),
    ...of('AloneBroken', { LOADING: 'fails' }),
  };
  const names = ['Carts', 'Broken', 'Hung', 'Alone', 'AloneBroken'];
  const assembly = assemblyOf(resources, Object.fromEntries(names.map((name) => [name, code])));
  open.push(() => assembly[Symbol.dispose]());
  const functions = startFunctions({
    ...options,
    template: loadTemplate(assembly.dir, options),
    dataDir: assembly.dataDir,
    environment: () => ({ AWS_ENDPOINT_URL_DYNAMODB: url }),
    together: new Set([carts, orders, arnOf('Broken'), arnOf('Hung')]),
    initSeconds: 0.5,
  });
  open.push(() => functions.close());
  return {
    functions,
    logOf: (name) => readFileSync(join(assembly.dataDir, 'logs', `Shop-${name}.log`), 'utf8'),
    openFiles: () => readdirSync('/proc/self/fd').length,
  };
};

describe('functions that share a thread', () => {
  test('have each their own module and environment, before and after a wait', async () => {
    const { functions } = await hostOf();
    const [first, second] = await Promise.all([
      functions.invoke(carts, { wait: 20 }),
      functions.invoke(orders, { wait: 10 }),
    ]);
    expect(first).toMatchObject({ calls: 1, stage: 'carts', now: 'carts', number: '5', isMainThread: false });
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

  test('do not suffer from one that cannot be loaded, which says why each time', async () => {
    const { functions, logOf, openFiles } = await hostOf();
    const running = functions.invoke(carts, { wait: 100 });
    const failure = { errorType: 'TypeError', message: 'broken' };
    await expect(functions.invoke(arnOf('Broken'), {})).rejects.toMatchObject(failure);
    const before = openFiles();
    for (let time = 0; time < 20; time += 1) {
      await expect(functions.invoke(arnOf('Broken'), {})).rejects.toMatchObject(failure);
    }
    if (process.platform === 'linux') expect(openFiles()).toBeLessThan(before + 10);
    expect(await running).toMatchObject({ calls: 1 });
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 2 });
    expect(logOf('Broken')).toContain('TypeError: broken');
  });

  test('that cannot be loaded and are alone in one have a fresh one each time', async () => {
    const { functions } = await hostOf();
    for (let time = 0; time < 3; time += 1) {
      await expect(functions.invoke(arnOf('AloneBroken'), {})).rejects.toMatchObject({ errorType: 'TypeError' });
      expect(functions.warm()).toEqual([]);
    }
  });

  test('end their calls while another takes too long to load', async () => {
    const { functions } = await hostOf();
    const hung = functions.invoke(arnOf('Hung'), {});
    const refused = expect(hung).rejects.toMatchObject({
      errorType: 'Sandbox.Timedout',
      message: 'Shop-Hung took longer than 0.5 s to start',
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const running = functions.invoke(carts, { wait: 400 });
    await refused;
    expect(await running).toMatchObject({ calls: 1 });
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 1 });
  });

  test.each([
    ['blocks it', { block: true }, 'Sandbox.Timedout'],
    ['ends it', { crash: true }, 'Runtime.ExitError'],
    ['leaves a rejection unhandled', { lose: true }, 'Runtime.ExitError'],
    ['eats its memory', { eat: true }, 'Runtime.OutOfMemory'],
  ])('are served by a fresh one after one that %s', { timeout: 20_000 }, async (_, event, errorType) => {
    const { functions } = await hostOf();
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 1 });
    await expect(functions.invoke(orders, event)).rejects.toMatchObject({ errorType });
    expect(await functions.invoke(carts, {})).toMatchObject({ calls: 1 });
    expect(await functions.invoke(orders, {})).toMatchObject({ calls: 1 });
  });

  test('find in their log why one ended the thread, and nothing where they did not run', async () => {
    const { functions, logOf } = await hostOf();
    await functions.invoke(carts, {});
    await expect(functions.invoke(orders, { lose: true })).rejects.toMatchObject({
      message: 'Shop-Orders ended: lost',
    });
    expect(logOf('Orders')).toContain('Error: lost');
    expect(logOf('Carts')).toBe('');
  });
});

describe('a call of AWS that no function makes', () => {
  test('is refused', () => {
    const guard = join(import.meta.dirname, '..', '..', '..', 'infra', 'local', 'guard.ts');
    const script = `
      import http from 'node:http';
      const { installGuard } = await import(${JSON.stringify(guard)});
      installGuard(() => undefined);
      const request = http.request('http://127.0.0.1:1', { headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' } });
      request.once('error', ({ message }) => console.log(message)).end('{}');`;
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    expect(said).toBe('This call of AWS is made by no function, so nobody can judge it.\n');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FunctionError } from '../../../infra/local/functions.ts';
import { arn, host } from './fixture.ts';

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

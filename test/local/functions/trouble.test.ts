import { describe, expect, test } from 'vitest';
import { arn, host } from './fixture.ts';

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

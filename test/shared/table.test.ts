import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../shared/aws.ts';
import { put, update } from '../../shared/change.ts';
import { InvalidCursor } from '../../shared/cursor.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Guard, Part } from '../../shared/table.ts';
import { type Interceptor, startTestEngine, type TestEngine } from '../support/engine.ts';

const TABLE = 'outbox';
const REFUSED = { problem: 'wrong-state', detail: 'refused' } as const;

let engine: TestEngine;
let runtime: Runtime;
let stop = () => {};
beforeAll(async () => {
  engine = await startTestEngine();
  runtime = engine.runtime();
});
afterEach(() => {
  stop();
  stop = () => {};
});
afterAll(() => engine.close());

const intercept = (interceptor: Interceptor): void => {
  stop = engine.intercept(interceptor);
};

/** What is refused was sent before, without an answer. */
const sentTwice: Interceptor = (_, input, next) =>
  next(input).catch((error: AwsError) => {
    error.attempts = 2;
    throw error;
  });

let keys = 0;
const newKey = () => {
  keys += 1;
  return { pk: `TEST#${keys}`, sk: 'ITEM' };
};
const putPart = (item: { pk: string; sk: string; [name: string]: unknown }, ...guards: Guard[]): Part<'wrong-state'> =>
  put(TABLE, item, guards, REFUSED);
const commit = (...parts: Part<'wrong-state'>[]) => runtime.tables.commit(parts);

describe('a commit', () => {
  it('is all or nothing, and says which guard refused', async () => {
    const [there, fresh] = [newKey(), newKey()];
    await commit(putPart({ ...there, units: 3 }));
    const outcome = await commit(
      putPart({ ...fresh }),
      update(TABLE, there, { add: { units: -4 } }, [{ guard: 'at-least', attribute: 'units', units: 4 }], REFUSED),
    );
    expect(outcome).toEqual({ ok: false, refusal: REFUSED, mayBeDone: false });
    expect(await runtime.tables.get(TABLE, fresh)).toBeUndefined();
    expect(await runtime.tables.get(TABLE, there)).toMatchObject({ units: 3 });
  });

  it('refuses to write one item twice: the caller has to sum first (rule 3)', async () => {
    const key = newKey();
    await expect(commit(putPart({ ...key }), putPart({ ...key }))).rejects.toThrow(/two parts of one transaction/);
  });

  it('of one write is a plain write at half the units', async () => {
    const operations: string[] = [];
    intercept((operation, input, next) => {
      operations.push(operation);
      return next(input);
    });
    const key = newKey();
    await commit(putPart({ ...key }));
    await commit(update(TABLE, key, { set: { name: 'x' } }, [{ guard: 'exists' }], REFUSED));
    await commit(update(TABLE, key, { add: { units: 1 } }, [], REFUSED));
    // Adding is not safe to repeat without a transaction's token.
    expect(operations).toEqual(['PutItem', 'UpdateItem', 'TransactWriteItems']);
  });

  it('tries contention again, then says that it is too busy', async () => {
    let conflicts = 2;
    intercept((operation, input, next) => {
      if (operation !== 'TransactWriteItems' || conflicts === 0) return next(input);
      conflicts -= 1;
      throw new AwsError('TransactionCanceledException', 'conflict', [
        { Code: 'TransactionConflict' },
        { Code: 'None' },
      ]);
    });
    const both = () => commit(putPart(newKey()), putPart(newKey()));
    expect(await both()).toEqual({ ok: true, value: undefined });
    conflicts = Number.POSITIVE_INFINITY;
    expect(await both()).toMatchObject({ ok: false, refusal: { problem: 'too-busy' } });
  });

  it.each([
    ['put', (key: { pk: string; sk: string }) => putPart({ ...key, name: 'mine' }, { guard: 'once' })],
    [
      'deleted',
      (key: { pk: string; sk: string }) =>
        ({ ...putPart(key), write: { kind: 'delete', key }, guards: [{ guard: 'exists' }] }) as Part<'wrong-state'>,
    ],
  ])('whose answer was lost after the item was %s is known to be done (rule 4)', async (_, partOf) => {
    const key = newKey();
    const part = partOf(key);
    if (part.write.kind === 'delete') await commit(putPart({ ...key }));
    intercept(async (operation, input, next) => {
      if (operation === 'GetItem') return next(input);
      // Carried out once, the answer lost, and sent again by the sender.
      await next(input);
      return sentTwice(operation, input, next);
    });
    expect(await commit(part)).toEqual({ ok: true, value: undefined });
  });

  it('that was refused because somebody else was there first stays refused, even if it was sent twice', async () => {
    const key = newKey();
    await commit(putPart({ ...key, name: 'theirs' }));
    intercept(sentTwice);
    expect(await commit(putPart({ ...key, name: 'mine' }, { guard: 'once' }))).toMatchObject({ ok: false });
  });

  it('that makes something for ever needs no token: a lost answer is read off it, in one write or in many', async () => {
    const [counter, mark] = [newKey(), newKey()];
    await commit(putPart({ ...counter, units: 0 }));
    const tokens: unknown[] = [];
    intercept(async (operation, input, next) => {
      if (operation === 'GetItem') return next(input);
      if (tokens.push((input as { ClientRequestToken?: string }).ClientRequestToken) > 1) return next(input);
      await next(input);
      // The sender tries again, meets somebody's transaction, and is heard: the commit has to try a third time.
      throw Object.assign(new AwsError('TransactionCanceledException', 'conflict', [{ Code: 'TransactionConflict' }]), {
        attempts: 2,
      });
    });
    const adding = update(TABLE, counter, { add: { units: 1 } }, [], REFUSED);
    expect(await commit(adding, putPart({ ...mark, name: 'mine' }, { guard: 'once' }))).toEqual({
      ok: true,
      value: undefined,
    });
    expect(tokens).toEqual([undefined, undefined]);
    expect(await runtime.tables.get(TABLE, counter)).toMatchObject({ units: 1 });
  });

  it('whose mark was made by somebody else meanwhile is refused, however often it was sent', async () => {
    const [counter, mark] = [newKey(), newKey()];
    await commit(putPart({ ...counter, units: 0 }), putPart({ ...mark, name: 'theirs' }));
    intercept(sentTwice);
    const adding = update(TABLE, counter, { add: { units: 1 } }, [], REFUSED);
    expect(await commit(adding, putPart({ ...mark, name: 'mine' }, { guard: 'once' }))).toMatchObject({ ok: false });
    expect(await runtime.tables.get(TABLE, counter)).toMatchObject({ units: 0 });
  });

  it('whose mark stands with more in it than was written was somebody else’s', async () => {
    const [counter, mark] = [newKey(), newKey()];
    await commit(putPart({ ...counter, units: 0 }), putPart({ ...mark, name: 'mine', because: 'it was in conflict' }));
    intercept(sentTwice);
    const adding = update(TABLE, counter, { add: { units: 1 } }, [], REFUSED);
    expect(await commit(adding, putPart({ ...mark, name: 'mine' }, { guard: 'once' }))).toMatchObject({ ok: false });
  });

  it.each([
    [
      'a guard fails on what it wrote, and its mark is still in its hands',
      ['ConditionalCheckFailed', 'TransactionConflict'],
    ],
    ['others are in the way until nobody tries any more', ['TransactionConflict', 'None']],
  ])('that was carried out without an answer is done, though %s', async (_, reasons) => {
    const [counter, mark] = [newKey(), newKey()];
    await commit(putPart({ ...counter, units: 1 }));
    let sent = 0;
    intercept(async (operation, input, next) => {
      if (operation === 'GetItem') return next(input);
      sent += 1;
      if (sent === 1) await next(input);
      const Codes = reasons.map((Code) => ({ Code }));
      throw Object.assign(new AwsError('TransactionCanceledException', 'cancelled', Codes), { attempts: sent + 1 });
    });
    const taking = update(
      TABLE,
      counter,
      { add: { units: -1 } },
      [{ guard: 'at-least', attribute: 'units', units: 1 }],
      REFUSED,
    );
    expect(await commit(taking, putPart({ ...mark }, { guard: 'once' }))).toEqual({ ok: true, value: undefined });
    expect(await runtime.tables.get(TABLE, counter)).toMatchObject({ units: 0 });
  });

  it('without such a mark has one token for all attempts', async () => {
    const tokens = new Set<unknown>();
    let conflicts = 2;
    intercept((operation, input, next) => {
      if (operation !== 'TransactWriteItems') return next(input);
      tokens.add((input as { ClientRequestToken?: string }).ClientRequestToken);
      conflicts -= 1;
      if (conflicts < 0) return next(input);
      throw new AwsError('TransactionCanceledException', 'conflict', [{ Code: 'TransactionConflict' }]);
    });
    expect(await commit(putPart(newKey()), putPart(newKey()))).toMatchObject({ ok: true });
    expect([...tokens]).toEqual([expect.stringMatching(/^[a-z0-9]{12}-[a-z0-9]{12}$/)]);
  });
});

describe('a list', () => {
  it('goes on where its cursor says, and takes no cursor of another list', async () => {
    const pk = `TEST#list-${keys}`;
    for (const sk of ['a', 'b', 'c']) await commit(putPart({ pk, sk }));
    const first = await runtime.tables.query<{ sk: string }>(TABLE, { pk, limit: 2 });
    expect(first.items.map(({ sk }) => sk)).toEqual(['a', 'b']);
    const rest = await runtime.tables.query<{ sk: string }>(TABLE, { pk, limit: 2, cursor: first.cursor });
    expect(rest.items.map(({ sk }) => sk)).toEqual(['c']);
    const foreign = runtime.tables.query(TABLE, { pk: 'TEST#other', limit: 2, cursor: first.cursor });
    await expect(foreign).rejects.toThrow(InvalidCursor);
  });
});

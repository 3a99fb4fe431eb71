import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportShop, openShop } from './shop.ts';

let shop: ImportShop;
let files = 0;
const newFile = (): string => {
  files += 1;
  return `file-${files}`;
};
const SKUS = ['TEE', 'CAP', 'MUG', 'PEN', 'SOCK', 'BAG', 'HAT', 'BELT', 'HOT', 'COAT', 'TIE', 'VEST'];

beforeAll(async () => {
  shop = await openShop({ skus: SKUS, nodeIds: ['dc-1', 'store-1'] });
});
afterAll(() => shop.end());

describe('a file of what is on hand', () => {
  it('makes the books say what it says, and a second run adds nothing', async () => {
    const file = newFile();
    await shop.open(file);
    const text = 'TEE,dc-1,5,count of May\nTEE,store-1,2,\n';
    const { status, body } = await shop.load(file, 2, text);
    expect(status).toBe(200);
    expect(body).toMatchObject({ rows: 2, loaded: 2, unchanged: 0, quarantined: 0, repeated: 0, lastLine: 3 });
    expect(await shop.onHand('TEE')).toEqual({ 'dc-1': 5, 'store-1': 2 });
    const again = await shop.load(file, 2, text);
    expect(again.body).toMatchObject({ rows: 2, loaded: 0, repeated: 2 });
    expect(await shop.ledger('TEE', 'dc-1')).toMatchObject([
      { kind: 'CORRECTION', onHand: 5, reason: 'count of May', reference: `import#${file}#2` },
    ]);
    expect(await shop.progress(file)).toMatchObject({ status: 'OPEN', loaded: 2, quarantined: 0 });
  });

  it('leaves alone what it agrees with', async () => {
    await shop.receive('dc-1', 'CAP', 7);
    const file = newFile();
    shop.clock.nowMs += 1_000;
    await shop.open(file);
    expect((await shop.load(file, 2, 'CAP,dc-1,7,')).body).toMatchObject({ loaded: 0, unchanged: 1 });
    expect(await shop.ledger('CAP', 'dc-1')).toHaveLength(1);
  });

  it('does not undo what was sold since the file was true', async () => {
    await shop.receive('dc-1', 'MUG', 10);
    const asOf = new Date(shop.clock.nowMs).toISOString();
    shop.clock.nowMs += 60_000;
    await shop.adjust('dc-1', 'MUG', -3);
    shop.clock.nowMs += 60_000;
    const file = newFile();
    await shop.open(file, 'ON_HAND', { asOf });
    await shop.load(file, 2, 'MUG,dc-1,12,');
    expect(await shop.onHand('MUG')).toEqual({ 'dc-1': 9 });
  });

  it('is repeated after a sale, and does not bring the sold units back', async () => {
    const file = newFile();
    await shop.open(file);
    await shop.load(file, 2, 'PEN,dc-1,4,');
    shop.clock.nowMs += 60_000;
    await shop.adjust('dc-1', 'PEN', -1);
    await shop.load(file, 2, 'PEN,dc-1,4,');
    expect(await shop.onHand('PEN')).toEqual({ 'dc-1': 3 });
  });

  it('may speak of a place once: a second line that says otherwise is quarantined, near or far', async () => {
    const file = newFile();
    await shop.open(file);
    await shop.load(file, 2, 'SOCK,dc-1,4,\nSOCK,dc-1,5,');
    await shop.load(file, 500, 'SOCK,dc-1,6,');
    expect(await shop.onHand('SOCK')).toEqual({ 'dc-1': 4 });
    expect(await shop.quarantine(file)).toMatchObject([
      { line: 3, field: 'row', reason: expect.stringContaining('line 2') },
      { line: 500, field: 'row', reason: expect.stringContaining('line 2') },
    ]);
  });

  it('finds promises that are not covered any more, and opens discrepancies', async () => {
    await shop.receive('dc-1', 'BAG', 3);
    const held = await shop.stock('hold', {
      as: { sub: 'c', username: 'c', scope: 'ieum/shop' },
      body: { lines: [{ sku: 'BAG', nodeId: 'dc-1', units: 3 }], holdSeconds: 600 },
    });
    expect(held.status).toBe(201);
    shop.clock.nowMs += 1_000;
    const file = newFile();
    await shop.open(file);
    expect((await shop.load(file, 2, 'BAG,dc-1,1,')).body).toMatchObject({ loaded: 1 });
    expect(await shop.onHand('BAG')).toEqual({ 'dc-1': 1 });
    const { body } = await shop.stock('discrepancies', {
      as: { sub: 's', username: 's', scope: 'ieum/stock:work', nodeId: 'dc-1' },
      path: { nodeId: 'dc-1' },
    });
    expect(body.items).toMatchObject([{ sku: 'BAG', units: 2, kind: 'CORRECTION' }]);
  });

  it('corrects a hot SKU over all its shards', async () => {
    await shop.receive('dc-1', 'HOT', 100);
    await shop.stock('spread', {
      as: { sub: 's', username: 's', scope: 'ieum/inventory:write' },
      path: { sku: 'HOT', nodeId: 'dc-1' },
      body: { shards: 40 },
    });
    shop.clock.nowMs += 1_000;
    const file = newFile();
    await shop.open(file);
    const rows = ['HOT,dc-1,171,', 'HOT,store-1,8,', 'HAT,dc-1,1,', 'HAT,store-1,1,', 'BELT,dc-1,1,'];
    expect((await shop.load(file, 2, rows.join('\n'))).body).toMatchObject({ loaded: 5 });
    expect(await shop.onHand('HOT')).toEqual({ 'dc-1': 171, 'store-1': 8 });
  });
});

describe('a file of changes', () => {
  it('adds and takes, below zero if need be, and each line once', async () => {
    const file = newFile();
    await shop.open(file, 'CHANGES');
    const text = 'COAT,dc-1,5,\nCOAT,dc-1,-2,broken\nCOAT,store-1,-1,lost';
    await shop.load(file, 2, text);
    await shop.load(file, 3, text.split('\n').slice(1).join('\n'));
    expect(await shop.onHand('COAT')).toEqual({ 'dc-1': 3, 'store-1': -1 });
    expect(await shop.ledger('COAT', 'dc-1')).toHaveLength(2);
  });
});

describe('quarantine', () => {
  it('keeps bad rows with line, field and reason, while good ones are loaded', async () => {
    const file = newFile();
    await shop.open(file);
    const rows = [
      ...['TIE,dc-1,3,', 'NO-SUCH,dc-1,3,', 'TIE,nowhere,3,', 'TIE,store-1,three,', 'TIE,store-1,-3,'],
      ...['TIE,store-1,,', 'TIE,store-1,1.5,', ',store-1,1,', 'TIE,store-1,1,a,b', '', 'TIE"x,store-1,1,'],
      ...['TIE,store-1,1,card 4111 1111 1111 1111', 'TIE,store-1,2,"said ""two"", twice\nand meant it"'],
    ];
    const { body } = await shop.load(file, 2, rows.join('\r\n'));
    expect(body).toMatchObject({ rows: 12, loaded: 2, quarantined: 10 });
    const kept = await shop.quarantine(file);
    expect(kept.map(({ line, field }: { line: number; field: string }) => `${line} ${field}`)).toEqual([
      ...['3 sku', '4 nodeId', '5 onHand', '6 onHand', '7 onHand', '8 onHand', '9 sku', '10 row', '12 row'],
      '13 reason',
    ]);
    expect(kept[0]).toEqual({ line: 3, field: 'sku', reason: 'the catalog knows no NO-SUCH', text: 'NO-SUCH,dc-1,3,' });
    expect(kept[9].text).not.toContain('4111');
    expect(await shop.onHand('TIE')).toEqual({ 'dc-1': 3, 'store-1': 2 });
    expect((await shop.ledger('TIE', 'store-1'))[0].reason).toBe('said "two", twice and meant it');
  });

  it('lets a row be put right: once, whatever is repeated, and after the import was closed, too', async () => {
    const file = newFile();
    await shop.open(file);
    await shop.load(file, 2, 'VESTT,dc-1,3,\nVEST,store-1,2,');
    expect((await shop.close(file, 3)).body.detail).toContain('2 of 3 rows');
    expect((await shop.close(file, 2)).body).toMatchObject({ status: 'CLOSED', loaded: 1, quarantined: 1 });
    expect((await shop.fix(file, 2, { sku: 'VES', nodeId: 'dc-1', onHand: 3 })).body.errors[0].field).toBe('/sku');
    expect((await shop.fix(file, 3, { sku: 'VEST', nodeId: 'dc-1', onHand: 3 })).status).toBe(404);
    const right = { sku: 'VEST', nodeId: 'dc-1', onHand: 3 };
    for (let times = 0; times < 2; times += 1) expect((await shop.fix(file, 2, right)).status).toBe(200);
    expect((await shop.fix(file, 2, { ...right, onHand: 4 })).status).toBe(409);
    expect((await shop.load(file, 2, 'VESTT,dc-1,3,\nVEST,store-1,2,')).body).toMatchObject({ repeated: 2 });
    expect((await shop.load(file, 4, 'VEST,dc-1,9,')).body.type).toBe('urn:ieum:problem:wrong-state');
    expect(await shop.onHand('VEST')).toEqual({ 'dc-1': 3, 'store-1': 2 });
    expect(await shop.quarantine(file)).toEqual([]);
    expect(await shop.progress(file)).toMatchObject({ loaded: 1, fixed: 1, quarantined: 0, status: 'CLOSED' });
  });
});

describe('what is taken for a file', () => {
  it('is not another file under the same name', async () => {
    const file = newFile();
    expect((await shop.open(file)).status).toBe(200);
    expect((await shop.open(file)).status).toBe(200);
    expect((await shop.open(file, 'CHANGES')).body.type).toBe('urn:ieum:problem:already-exists');
    expect((await shop.load('never-opened', 2, 'TEE,dc-1,1,')).status).toBe(404);
  });

  it.each([
    ['onHand is not there', { header: 'sku,nodeId,units' }, '/header'],
    ['a column is there twice', { header: 'sku,sku,nodeId,onHand' }, '/header'],
    ['JSON lines have no header', { format: 'jsonl' }, '/header'],
    ['it was not true yet', { asOf: '2099-01-01T00:00:00.000Z' }, '/asOf'],
  ])('%s: refused, and the field is named', async (_, more, field) => {
    const { status, body } = await shop.open(newFile(), 'ON_HAND', more);
    expect([status, body.errors?.[0].field]).toEqual([400, field]);
  });

  it.each([
    ['semicolons', 'nodeId;sku;onHand', 'store-1;TEE;11'],
    ['tabs and spaces', 'sku\tnodeId\tonHand', ' TEE \t store-1\t 12 '],
    [
      'quotes, Korean and columns that mean nothing',
      '\uFEFF"sku","상품명","nodeId","onHand"',
      '"TEE","티셔츠, ""검정""","store-1","13"',
    ],
  ])('may be written with %s', async (_, header, text) => {
    const file = newFile();
    shop.clock.nowMs += 1_000;
    await shop.open(file, 'ON_HAND', { header });
    expect((await shop.load(file, 2, text)).body).toMatchObject({ loaded: 1, quarantined: 0 });
  });

  it('may be JSON lines', async () => {
    const file = newFile();
    shop.clock.nowMs += 1_000;
    await shop.open(file, 'ON_HAND', { format: 'jsonl', header: undefined });
    const rows = [
      ...['{"sku":"TEE","nodeId":"store-1","onHand":21,"note":"무시"}', '{"sku":"TEE"', '[1]'],
      ...['{"sku":"TEE","nodeId":"dc-1","onHand":1e300}', '{"sku":"TEE","nodeId":"dc-1","__proto__":{"onHand":1}}'],
    ];
    expect((await shop.load(file, 1, rows.join('\n'))).body).toMatchObject({ loaded: 1, quarantined: 4 });
    expect((await shop.quarantine(file)).map(({ field }: { field: string }) => field)).toEqual([
      ...['row', 'row', 'onHand', '__proto__'],
    ]);
    expect((await shop.onHand('TEE'))['store-1']).toBe(21);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asShown,
  fulfilledAmount,
  hear,
  lineTax,
  lineTotal,
  type News,
  type OrderSnapshot,
  outcomeOf,
  priceLines,
  promiseOf,
  type Sellable,
  taxOf,
  totalOf,
} from '../../functions/orders/domain.ts';

const krw = (amountMinor: number) => ({ amountMinor, currency: 'KRW' });
const variant = (amountMinor: number, currency = 'KRW'): Sellable => ({
  price: { amountMinor, currency },
  taxRatePercent: 10,
  storage: 'AMBIENT',
});
const catalog = new Map([
  ['TEE', variant(12_900)],
  ['CAP', variant(9_001)],
  ['MUG', variant(1_250, 'USD')],
]);

/** An order of 3 TEE and 2 CAP, planned at two nodes: 2 TEE at A, 1 TEE and 2 CAP at B. */
const placed = (): OrderSnapshot => {
  const priced = priceLines(
    [
      { sku: 'TEE', units: 3 },
      { sku: 'CAP', units: 2 },
    ],
    catalog,
  );
  if (!priced.ok) throw new Error(priced.refusal.detail);
  return {
    orderId: 'ord_1',
    customerId: 'mina',
    status: 'PLACED',
    choice: 'HOME_DELIVERY',
    addressId: 'adr_1',
    lines: priced.value,
    total: totalOf(priced.value),
    fulfilments: [
      {
        fulfilmentOrderId: 'ord_1-1',
        nodeId: 'A',
        lines: [{ sku: 'TEE', units: 2 }],
        reason: 'has most',
        promise: { by: '2026-11-23T09:00:00.000Z', text: 'Monday' },
      },
      {
        fulfilmentOrderId: 'ord_1-2',
        nodeId: 'B',
        lines: [
          { sku: 'TEE', units: 1 },
          { sku: 'CAP', units: 2 },
        ],
        reason: 'has the rest',
        promise: { by: '2026-11-24T09:00:00.000Z', text: 'Tuesday' },
      },
    ],
    payBy: '2026-11-21T09:15:00.000Z',
    version: 2,
  };
};

const news = (n: number, fact: News['fact'], lines?: News['lines'], extra: Partial<News> = {}): News => ({
  fulfilmentOrderId: `ord_1-${n}`,
  nodeId: n === 1 ? 'A' : 'B',
  fact,
  ...(lines === undefined ? {} : { lines }),
  ...extra,
});
const ofA = [{ sku: 'TEE', units: 2 }];
const ofB = [
  { sku: 'TEE', units: 1 },
  { sku: 'CAP', units: 2 },
];
const having = (...heard: News[]): OrderSnapshot => heard.reduce((order, next) => hear(order, next) ?? order, placed());

describe('prices are fixed by the catalog', () => {
  it('each line costs its units at the price of now, and tax is inside', () => {
    const { lines, total } = placed();
    expect(lines.map(lineTotal)).toEqual([krw(38_700), krw(18_002)]);
    expect(lines.map(lineTax)).toEqual([krw(3_518), krw(1_636)]);
    expect(total).toEqual(krw(56_702));
    expect(taxOf(lines)).toEqual(krw(5_154));
  });

  it('the same SKU on two lines is one line', () => {
    const twice = [
      { sku: 'TEE', units: 1 },
      { sku: 'TEE', units: 2 },
    ];
    expect(priceLines(twice, catalog)).toMatchObject({ ok: true, value: [{ sku: 'TEE', units: 3 }] });
  });

  it.each([
    [[{ sku: 'GONE', units: 1 }], undefined, 'GONE is not on sale'],
    [
      [
        { sku: 'TEE', units: 1 },
        { sku: 'MUG', units: 1 },
      ],
      undefined,
      'MUG is sold in USD, this order is in KRW',
    ],
    [[{ sku: 'TEE', units: 1 }], 'USD', 'TEE is sold in KRW, this order is in USD'],
  ])('%j in %s cannot be sold', (lines, currency, detail) => {
    expect(priceLines(lines, catalog, currency)).toEqual({ ok: false, refusal: { problem: 'not-sellable', detail } });
  });

  it.each([
    [undefined, true],
    [krw(56_702), true],
    [krw(56_701), false],
    [{ amountMinor: 56_702, currency: 'USD' }, false],
  ])('a customer who was shown %j is charged 56702 won: %s', (expected, isFine) => {
    expect(asShown(krw(56_702), expected).ok).toBe(isFine);
  });
});

describe('the promise of an order', () => {
  it('is that of its last part', () => {
    expect(promiseOf(placed())).toEqual({ deliverBy: '2026-11-24T09:00:00.000Z', text: 'Tuesday' });
    expect(promiseOf({ ...placed(), choice: 'PICKUP' })).toEqual({
      readyBy: '2026-11-24T09:00:00.000Z',
      text: 'Tuesday',
    });
  });

  it('leaves out what another node took over', () => {
    const moved = having(
      news(3, 'ALLOCATED', ofB, {
        replaces: 'ord_1-2',
        reason: 'next',
        promise: { by: '2026-11-23T10:00:00.000Z', text: 'Monday evening' },
      }),
    );
    expect(promiseOf(moved).text).toBe('Monday evening');
  });
});

describe('how an order goes on', () => {
  it('the first node that accepts makes it PROCESSING', () => {
    expect(having(news(1, 'ACCEPTED'))).toMatchObject({ status: 'PROCESSING', version: 3 });
    expect(hear(having(news(1, 'ACCEPTED')), news(2, 'ACCEPTED'))).toBeUndefined();
  });

  it('it is COMPLETED when its last part is delivered, accepted or not', () => {
    expect(having(news(1, 'FULFILLED', ofA)).status).toBe('PROCESSING');
    const done = having(news(1, 'FULFILLED', ofA), news(2, 'FULFILLED', ofB));
    expect(done.status).toBe('COMPLETED');
    expect(fulfilledAmount(done)).toEqual(krw(56_702));
  });

  it('it is COMPLETED at the price of what arrived when the rest cannot be supplied', () => {
    const done = having(news(1, 'FULFILLED', ofA), news(2, 'CANCELLED', ofB));
    expect(done.status).toBe('COMPLETED');
    expect(fulfilledAmount(done)).toEqual(krw(25_800));
  });

  it('it is CANCELLED when nothing can be supplied', () => {
    const done = having(news(1, 'CANCELLED', ofA), news(2, 'CANCELLED', ofB));
    expect(done.status).toBe('CANCELLED');
    expect(fulfilledAmount(done)).toEqual(krw(0));
  });

  it('it stays CANCELLED, whatever is said later', () => {
    const done = having(news(1, 'CANCELLED', ofA), news(2, 'CANCELLED', ofB), news(3, 'FULFILLED', ofA));
    expect(done.status).toBe('CANCELLED');
  });

  it('no more units are charged than were bought, whatever a node reports', () => {
    const done = having(news(1, 'FULFILLED', [{ sku: 'TEE', units: 9 }]), news(2, 'FULFILLED', ofB));
    expect(fulfilledAmount(done)).toEqual(krw(56_702));
  });

  it('the plan that was made when it was placed says nothing new when it is heard', () => {
    expect(hear(placed(), news(1, 'ALLOCATED', ofA, { reason: 'has most' }))).toBeUndefined();
  });

  it('a fulfilment that was delivered stays delivered, whatever is said of it later', () => {
    const once = having(news(1, 'FULFILLED', ofA));
    expect(hear(once, news(1, 'FULFILLED', ofA))).toBeUndefined();
    expect(hear(once, news(1, 'CANCELLED', ofA))).toBeUndefined();
    expect(
      hear(once, news(3, 'ALLOCATED', ofA, { replaces: 'ord_1-1' }))?.fulfilments.map((part) => part.outcome),
    ).toEqual(['FULFILLED', undefined, undefined]);
  });

  it('a delivery that is heard of before its allocation counts, and the allocation completes the record', () => {
    const promise = { by: '2026-11-25T09:00:00.000Z', text: 'Wednesday' };
    const moved = having(
      news(3, 'FULFILLED', ofB, { nodeId: 'C' }),
      news(1, 'FULFILLED', ofA),
      news(3, 'ALLOCATED', ofB, { nodeId: 'C', replaces: 'ord_1-2', reason: 'next', promise }),
    );
    expect(moved.status).toBe('COMPLETED');
    expect(moved.fulfilments.map((part) => outcomeOf(part, moved.fulfilments))).toEqual([
      'FULFILLED',
      'REPLACED',
      'FULFILLED',
    ]);
    expect(moved.fulfilments[2]).toMatchObject({ nodeId: 'C', reason: 'next', promise });
  });
});

/** B does not supply its lines; C takes the tee over and D the caps; D hands them on to E, which fails for good. */
const STORY: News[] = [
  news(1, 'ALLOCATED', ofA, { reason: 'has most' }),
  news(1, 'ACCEPTED'),
  news(1, 'FULFILLED', ofA),
  news(3, 'ALLOCATED', [{ sku: 'TEE', units: 1 }], {
    nodeId: 'C',
    replaces: 'ord_1-2',
    reason: 'near',
    promise: { by: '2026-11-25T09:00:00.000Z', text: 'Wednesday' },
  }),
  news(3, 'ACCEPTED', undefined, { nodeId: 'C' }),
  news(3, 'FULFILLED', [{ sku: 'TEE', units: 1 }], { nodeId: 'C' }),
  news(4, 'ALLOCATED', [{ sku: 'CAP', units: 2 }], {
    nodeId: 'D',
    replaces: 'ord_1-2',
    reason: 'far',
    promise: { by: '2026-11-26T09:00:00.000Z', text: 'Thursday' },
  }),
  news(5, 'ALLOCATED', [{ sku: 'CAP', units: 2 }], {
    nodeId: 'E',
    replaces: 'ord_1-4',
    reason: 'last',
    promise: { by: '2026-11-27T09:00:00.000Z', text: 'Friday' },
  }),
  news(5, 'CANCELLED', [{ sku: 'CAP', units: 2 }], { nodeId: 'E' }),
];

describe('duplicates, disorder and gaps', () => {
  const told = fc
    .shuffledSubarray(STORY, { minLength: STORY.length })
    .chain((order) => fc.array(fc.constantFrom(...STORY), { maxLength: 6 }).map((again) => [...order, ...again]));

  it('any order of the news, with any of it twice, ends in the same order', () => {
    const { version: _, ...end } = having(...STORY);
    expect(end.status).toBe('COMPLETED');
    expect(promiseOf(end).text).toBe('Wednesday');
    expect(end.fulfilments.map((part) => outcomeOf(part, end.fulfilments))).toEqual([
      'FULFILLED',
      'REPLACED',
      'FULFILLED',
      'REPLACED',
      'CANCELLED',
    ]);
    fc.assert(
      fc.property(told, (heard) => {
        const { version: __, ...reached } = having(...heard);
        expect(reached).toEqual(end);
      }),
    );
  });

  it('an order ends once, and never at more than its total', () => {
    fc.assert(
      fc.property(told, (heard) => {
        let order = placed();
        let ends = 0;
        for (const next of heard) {
          const changed = hear(order, next);
          if (changed === undefined) continue;
          expect(changed.version).toBe(order.version + 1);
          if (changed.status !== order.status && ['COMPLETED', 'CANCELLED'].includes(changed.status)) ends += 1;
          order = changed;
          expect(fulfilledAmount(order).amountMinor).toBeLessThanOrEqual(order.total.amountMinor);
        }
        expect(ends).toBe(1);
      }),
    );
  });

  it('it does not end while a part is still under way, whichever news is missing', () => {
    const endings = STORY.filter(({ fact }) => fact === 'FULFILLED' || fact === 'CANCELLED');
    for (const missing of endings) {
      expect(having(...STORY.filter((heard) => heard !== missing)).status).toBe('PROCESSING');
    }
    for (const missing of STORY.filter((heard) => !endings.includes(heard))) {
      expect(having(...STORY.filter((heard) => heard !== missing)).status).toBe('COMPLETED');
    }
  });
});

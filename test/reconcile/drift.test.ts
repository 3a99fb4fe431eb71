import { describe, expect, it } from 'vitest';
import { allocationDrift } from '../../infra/reconcile/allocations.ts';
import type { Finding, Item } from '../../infra/reconcile/finding.ts';
import type { OrderRecord } from '../../infra/reconcile/orders.ts';
import { fulfilledMinor } from '../../infra/reconcile/orders.ts';
import { outboxDrift } from '../../infra/reconcile/outbox.ts';
import { type Charge, type PaymentRecord, paymentDrift } from '../../infra/reconcile/payments.ts';
import { type PointsBalance, type PointsEntry, pointsDrift } from '../../infra/reconcile/points.ts';
import { type LedgerEntry, type Level, stockDrift } from '../../infra/reconcile/stock.ts';
import { lasting, type Report } from '../../infra/reconcile.ts';

const at = { sku: 'TEE', nodeId: 'dc' };
const NONE = { shard: 0, reserved: 0, damaged: 0, qualityHold: 0, onlineOnly: 0 };
const entry = (kind: string, units: number, reference: string): LedgerEntry => {
  const [onHand, allocated, available] = {
    RECEIPT: [1, 0, 1],
    ALLOCATE: [0, 1, -1],
    RELEASE: [0, -1, 1],
    CONSUME: [-1, -1, 0],
  }[kind]!.map((effect) => effect * units) as [number, number, number];
  return { ...at, ...NONE, kind, onHand, allocated, available, reference };
};

/** Ten came in, two went out with o1, three are promised to o2, one was promised to o3 and given back. */
const ledger = (): LedgerEntry[] => [
  entry('RECEIPT', 10, 'opening stock'),
  entry('ALLOCATE', 2, 'o1-1'),
  entry('CONSUME', 2, 'o1-1'),
  entry('ALLOCATE', 3, 'o2-1'),
  entry('ALLOCATE', 1, 'o3-1'),
  entry('RELEASE', 1, 'o3-1'),
];
const level = (changes: Partial<Level> = {}): Level => ({
  ...at,
  ...{ ...NONE, onHand: 8, allocated: 3, available: 5, version: 6, shards: 1 },
  ...changes,
});

const order = (orderId: string, status: OrderRecord['status'], units: number, outcome?: string): OrderRecord => ({
  orderId,
  status,
  currency: 'KRW',
  lines: [{ sku: 'TEE', units, unitPriceMinor: 1000 }],
  fulfilments: [
    {
      fulfilmentOrderId: `${orderId}-1`,
      nodeId: 'dc',
      lines: [{ sku: 'TEE', units }],
      ...(outcome === undefined ? {} : { outcome }),
    },
  ],
});
const orders = (): OrderRecord[] => [
  order('o1', 'COMPLETED', 2, 'FULFILLED'),
  order('o2', 'PLACED', 3),
  order('o3', 'EXPIRED', 1),
];

const payment = (orderId: string, status: string, changes: Partial<PaymentRecord> = {}): PaymentRecord => ({
  ...{ orderId, attempt: 1, status, amountMinor: 0, capturedMinor: 0 },
  ...changes,
});
const payments = (): PaymentRecord[] => [
  payment('o1', 'FAILED', { amountMinor: 2000 }),
  payment('o1', 'CAPTURED', { attempt: 2, amountMinor: 2000, capturedMinor: 2000 }),
  payment('o2', 'AUTHORIZED', { amountMinor: 3000 }),
  payment('o3', 'VOIDED', { amountMinor: 1000 }),
];
const charges = (): Charge[] => [
  { orderId: 'o1', attempt: 1, state: 'DECLINED', capturedMinor: 0 },
  { orderId: 'o1', attempt: 2, state: 'CAPTURED', capturedMinor: 2000 },
  { orderId: 'o2', attempt: 1, state: 'APPROVED', capturedMinor: 0 },
  { orderId: 'o3', attempt: 1, state: 'VOIDED', capturedMinor: 0 },
];

const details = (findings: Finding[]): string[] => findings.map(({ subject, detail }) => `${subject}: ${detail}`);
const withPayment = (index: number, changes: Partial<PaymentRecord>): PaymentRecord[] =>
  payments().map((one, position) => (position === index ? { ...one, ...changes } : one));

describe('a balance of stock', () => {
  it('that is the sum of its ledger is no drift', () => {
    expect(stockDrift([level()], ledger())).toEqual([]);
  });

  it.each<[string, Partial<Level>, string[]]>([
    [
      'a unit on hand that never came in',
      { onHand: 9, available: 6 },
      ['onHand is 9, the ledger says 8', 'available is 6, the ledger says 5'],
    ],
    [
      'a promise that nobody made',
      { allocated: 4, available: 4 },
      ['allocated is 4, the ledger says 3', 'available is 4, the ledger says 5'],
    ],
    ['a change that left no entry', { version: 7 }, ['version is 7, after 6 entries']],
    [
      'available that does not follow from the other quantities',
      { reserved: 1 },
      ['reserved is 1, the ledger says 0', 'available is 5, onHand - reserved - allocated - unavailable is 4'],
    ],
  ])('with %s is drift', (_, changes, expected) => {
    expect(stockDrift([level(changes)], ledger()).map(({ detail }) => detail)).toEqual(expected);
  });

  it('that lost an entry is drift', () => {
    expect(details(stockDrift([level()], ledger().slice(0, -1)))).toEqual([
      'TEE at dc: allocated is 3, the ledger says 4',
      'TEE at dc: available is 5, the ledger says 4',
      'TEE at dc: version is 6, after 5 entries',
    ]);
  });

  it('that is missing where there is a ledger is drift', () => {
    expect(details(stockDrift([], ledger()))).toEqual(['TEE at dc: has 6 ledger entries and no balance']);
  });
});

describe('a promise of stock', () => {
  it('to an order that is under way is no drift, nor is one that was kept or taken back', () => {
    expect(allocationDrift(ledger(), orders())).toEqual([]);
  });

  it('to an order that has ended is drift: its stock is stranded', () => {
    const ended = orders().map((one) => (one.orderId === 'o2' ? { ...one, status: 'CANCELLED' as const } : one));
    expect(details(allocationDrift(ledger(), ended))).toEqual([
      'o2-1 of TEE at dc: 3 units are promised to an order that is CANCELLED',
    ]);
  });

  it('to an order that does not exist is drift', () => {
    const known = orders().filter(({ orderId }) => orderId !== 'o2');
    expect(details(allocationDrift(ledger(), known))).toEqual([
      'o2-1 of TEE at dc: 3 units are promised to an order that does not exist',
    ]);
  });

  it('that was given back twice is drift', () => {
    expect(details(allocationDrift([...ledger(), entry('RELEASE', 1, 'o3-1')], orders()))).toEqual([
      'o3-1 of TEE at dc: was resolved more than once (-1 units)',
    ]);
  });

  it('that an order has and the ledger does not is drift', () => {
    const lost = ledger().filter(({ reference }) => reference !== 'o2-1');
    expect(details(allocationDrift(lost, orders()))).toEqual([
      'o2-1 of TEE at dc: the order has 3 units, the ledger has ALLOCATE of 0',
    ]);
  });

  it('that reached the customer without leaving the node is drift', () => {
    const kept = ledger().filter(({ kind }) => kind !== 'CONSUME');
    expect(details(allocationDrift(kept, orders()))).toEqual([
      'o1-1 of TEE at dc: 2 units are promised to an order that is COMPLETED',
      'o1-1 of TEE at dc: the order has 2 units, the ledger has CONSUME of 0',
    ]);
  });
});

describe('the payments of an order', () => {
  it('that match what became of it are no drift', () => {
    expect(paymentDrift(orders(), payments(), charges())).toEqual([]);
  });

  it.each<[string, PaymentRecord[], string]>([
    ['two charges are live', withPayment(0, { status: 'AUTHORIZED' }), 'o1: is paid 2 times over'],
    [
      'less was captured than was fulfilled',
      withPayment(1, { capturedMinor: 1 }),
      'o1: 2000 was fulfilled, 1 captured',
    ],
    [
      'nothing was captured yet',
      withPayment(1, { status: 'AUTHORIZED', capturedMinor: 0 }),
      'o1: 2000 was fulfilled, 0',
    ],
    ['an order went out unpaid', withPayment(2, { status: 'FAILED' }), 'o2: is PLACED and not paid'],
    ['too little is authorised', withPayment(2, { amountMinor: 1 }), 'o2: 1 is authorised for an order of 3000'],
    ['an expired order is still authorised', withPayment(3, { status: 'AUTHORIZED' }), 'o3: is EXPIRED, yet attempt 1'],
    [
      'an expired order is still open',
      withPayment(3, { status: 'UNKNOWN' }),
      'o3: is EXPIRED, yet attempt 1 is UNKNOWN',
    ],
  ])('are drift where %s', (_, drifted, expected) => {
    expect(details(paymentDrift(orders(), drifted, []))).toEqual([expect.stringContaining(expected)]);
  });

  it('are drift where an order that waits for its payment is paid', () => {
    const waiting = [order('o2', 'PENDING_PAYMENT', 3)];
    expect(details(paymentDrift(waiting, [payment('o2', 'AUTHORIZED', { amountMinor: 3000 })], []))).toEqual([
      'o2: attempt 1 is AUTHORIZED, the order still waits for payment',
    ]);
  });

  it('are drift where the order does not exist', () => {
    expect(details(paymentDrift([], [payment('o9', 'FAILED')], []))).toEqual(['o9: has payments and does not exist']);
  });

  it('are drift where the provider holds what we know nothing of', () => {
    const known = payments().filter(({ orderId }) => orderId !== 'o3');
    const held = charges().map((one) => (one.orderId === 'o3' ? { ...one, state: 'APPROVED' } : one));
    expect(details(paymentDrift(orders(), known, held))).toEqual([
      'o3: attempt 1 is APPROVED at the provider, nothing here',
    ]);
  });

  it('are drift where the provider holds two charges of one order', () => {
    const held = charges().map((one) => ({ ...one, state: one.state === 'DECLINED' ? 'APPROVED' : one.state }));
    expect(details(paymentDrift(orders(), payments(), held))).toEqual([
      'o1: the provider holds 2 live charges',
      'o1: attempt 1 is APPROVED at the provider, FAILED here',
    ]);
  });

  it('are drift where the provider took another amount', () => {
    const held = charges().map((one) => (one.state === 'CAPTURED' ? { ...one, capturedMinor: 1 } : one));
    expect(details(paymentDrift(orders(), payments(), held))).toEqual(['o1: the provider took 1, we know of 2000']);
  });

  it('count a unit once, however often its delivery was reported', () => {
    const { fulfilments, ...rest } = order('o1', 'COMPLETED', 2, 'FULFILLED');
    expect(fulfilledMinor({ ...rest, fulfilments: [...fulfilments, ...fulfilments] })).toBe(2000);
  });
});

describe('points', () => {
  const earned: PointsEntry = { customerId: 'c', kind: 'EARN', orderId: 'o1', pending: 20, available: 0 };
  const matured: PointsEntry = { customerId: 'c', kind: 'MATURE', orderId: 'o1', pending: -20, available: 20 };
  const balance: PointsBalance = { customerId: 'c', pending: 0, available: 20, version: 2 };

  it('that are the sum of their entries are no drift', () => {
    expect(pointsDrift([balance], [earned, matured])).toEqual([]);
  });

  it.each<[string, PointsBalance[], PointsEntry[], string]>([
    ['a balance has points from nowhere', [{ ...balance, available: 21 }], [earned, matured], 'available is 21'],
    ['an entry is lost', [balance], [earned], 'pending is 0, the ledger says 20'],
    ['a change left no entry', [{ ...balance, version: 3 }], [earned, matured], 'version is 3, after 2 entries'],
    ['there is no balance', [], [earned], 'has entries and no balance'],
    [
      'an order brought points twice',
      [{ ...balance, pending: 20, version: 3 }],
      [earned, earned, matured],
      'was booked 2 times',
    ],
  ])('are drift where %s', (_, balances, entries, expected) => {
    expect(details(pointsDrift(balances, entries))[0]).toContain(expected);
  });
});

describe('an event', () => {
  const item = (pk: string): Item => ({ pk, sk: '2026' });

  it('that lies in an outbox is drift, in whichever table', () => {
    const tables = new Map([
      ['orders', [item('ORDER#o1')]],
      ['catalog', [item('OUTBOX#3')]],
    ]);
    expect(details(outboxDrift(tables))).toEqual(['catalog OUTBOX#3 2026: is not published']);
  });
});

describe('what is found while orders are being placed', () => {
  const report = (...subjects: string[]): Report => ({
    compared: {} as Report['compared'],
    findings: subjects.map((subject) => ({ check: 'stock', subject, detail: 'is wrong' })),
    drifts: [],
  });

  it('counts as drift only if it is found again', () => {
    expect(lasting(report('a', 'b'), report('b', 'c')).findings.map(({ subject }) => subject)).toEqual(['b']);
  });
});

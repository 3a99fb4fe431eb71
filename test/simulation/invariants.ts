import { allocationDrift } from '../../infra/reconcile/allocations.ts';
import type { Finding } from '../../infra/reconcile/finding.ts';
import { holdDrift, holdOf } from '../../infra/reconcile/holds.ts';
import { fulfilledMinor, orderOf, totalMinor } from '../../infra/reconcile/orders.ts';
import { outboxDrift } from '../../infra/reconcile/outbox.ts';
import { chargeOf, paymentDrift, paymentOf } from '../../infra/reconcile/payments.ts';
import { balanceOf, pointsDrift, pointsEntryOf } from '../../infra/reconcile/points.ts';
import { ledgerEntriesOf, levelOf, stockDrift } from '../../infra/reconcile/stock.ts';
import type { Cluster } from './cluster.ts';
import type { StoredItem } from './engines.ts';
import { DISPUTED, type Told } from './shop.ts';
import type { StockWatch } from './watch.ts';
import type { Invariant, Witness } from './witness.ts';

interface TransferRecord {
  transferId: string;
  status: string;
  lines: { expected: number; good: number; damaged: number }[];
}

const transferOf = (item: StoredItem): TransferRecord | undefined =>
  item.sk === 'TRANSFER' ? (item as unknown as TransferRecord) : undefined;

const discrepancyOf = (item: StoredItem): { sku: string; nodeId: string; units: number } | undefined =>
  item.pk.startsWith('DISCREPANCY#') ? (item as never) : undefined;

/** Units that are announced as supply, by what brings them. */
const onItsWay = (items: readonly StoredItem[]): Map<string, number> =>
  sumBy(
    items.filter(({ pk }) => pk.startsWith('SUPPLY#')),
    ({ supplyId }) => String(supplyId),
    ({ units }) => Number(units),
  );

/** Everything at rest: what the tables hold once all has come to an end. */
const read = ({ engine }: Cluster) => {
  const parsed = <T>(table: string, parse: (item: StoredItem) => T | undefined): T[] =>
    engine.items(table).flatMap((item) => parse(item) ?? []);
  return {
    levels: parsed('inventory', levelOf),
    ledger: engine.items('inventory').flatMap(ledgerEntriesOf),
    holds: parsed('inventory', holdOf),
    orders: parsed('orders', orderOf),
    payments: parsed('payments', paymentOf),
    charges: parsed('payments', chargeOf),
    balances: parsed('loyalty', balanceOf),
    points: parsed('loyalty', pointsEntryOf),
    work: parsed('fulfilment', (item) => (item.sk.startsWith('FO#') ? item : undefined)),
    discrepancies: parsed('inventory', discrepancyOf),
    transfers: parsed('stockroom', transferOf),
    onItsWay: onItsWay(engine.items('inventory')),
    outbox: engine.items('outbox'),
  };
};
type Rest = ReturnType<typeof read>;

const all = (witness: Witness, invariant: Invariant, looked: number, findings: readonly Finding[]): void => {
  witness.checked[invariant] += looked;
  for (const { subject, detail } of findings) witness.violations.push({ invariant, detail: `${subject}: ${detail}` });
};

/** Stock, promises, payments and points against their ledgers, as `npm run reconcile` compares them. */
const addsUp = (witness: Witness, rest: Rest): void => {
  const { levels, ledger, holds, orders, payments, charges, balances, points, outbox } = rest;
  all(witness, 'I4', levels.length, stockDrift(levels, ledger));
  all(witness, 'I3', ledger.length, allocationDrift(ledger, orders));
  all(witness, 'I3', holds.length, holdDrift(ledger, holds));
  all(witness, 'I6', orders.length + charges.length, paymentDrift(orders, payments, charges));
  all(witness, 'I9', balances.length + points.length, pointsDrift(balances, points));
  all(witness, 'I7', 1, outboxDrift(new Map([['outbox', outbox]])));
  for (const { sku, nodeId, onHand, reserved, allocated, available } of levels) {
    const booked = { onHand, reserved, allocated, available };
    // What a till sold below zero is on record as a discrepancy.
    const isBelow = sku === DISPUTED ? Math.min(reserved, allocated) < 0 : Math.min(...Object.values(booked)) < 0;
    witness.expect('I1', !isBelow, () => `${sku} at ${nodeId}: ${JSON.stringify(booked)}`);
    const nobody = 'and nobody waits for them';
    witness.expect('I3', allocated === 0, () => `${allocated} ${sku} at ${nodeId} are promised, ${nobody}`);
    witness.expect('I3', reserved === 0, () => `${reserved} ${sku} at ${nodeId} are held, ${nobody}`);
  }
};

const ENDED = new Set(['COMPLETED', 'CANCELLED', 'EXPIRED']);
const OVER = new Set(['CLOSED', 'INCOMPLETE', 'CANCELLED']);

const sumBy = <T>(items: readonly T[], key: (item: T) => string, units: (item: T) => number): Map<string, number> => {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + units(item));
  return sums;
};

/** Shards make up their level, and what moves is neither made nor lost on the way (I2, I5). */
const goodsAddUp = (witness: Witness, { levels, ledger, transfers, onItsWay }: Rest): void => {
  const place = ({ sku, nodeId }: { sku: string; nodeId: string }): string => `${sku} at ${nodeId}`;
  const booked = sumBy(ledger, place, ({ onHand }) => onHand);
  for (const [where, units] of sumBy(levels, place, ({ onHand }) => onHand)) {
    const wanted = booked.get(where) ?? 0;
    witness.expect('I2', units === wanted, () => `the shards of ${where} hold ${units}, the ledger says ${wanted}`);
  }
  const moved = ledger.filter(({ kind }) => kind === 'REBALANCE');
  const each = sumBy(
    moved,
    ({ reference }) => reference,
    ({ onHand }) => onHand,
  );
  for (const [id, units] of each) witness.expect('I5', units === 0, () => `${id} moved ${units} units from nowhere`);
  const out = sumBy(
    ledger,
    ({ kind, reference }) => `${kind} ${reference}`,
    ({ onHand }) => onHand,
  );
  for (const { transferId, status, lines } of transfers) {
    const each = (units: (line: TransferRecord['lines'][number]) => number): number =>
      lines.reduce((sum, line) => sum + units(line), 0);
    const left = -(out.get(`TRANSFER_OUT ${transferId}`) ?? 0);
    const came = out.get(`TRANSFER_IN ${transferId}`) ?? 0;
    const way = onItsWay.get(`TRF_${transferId}`) ?? 0;
    const missing = each(({ expected, good, damaged }) => Math.max(0, expected - good - damaged));
    const is = { left, came, way, said: lines };
    const adds = left === each(({ expected }) => expected) && came === each(({ good, damaged }) => good + damaged);
    const waits = way === (status === 'SHIPPED' ? missing : 0);
    witness.expect('I5', adds && waits, () => `${transferId}, ${status}: ${JSON.stringify(is)}`);
  }
};

/** What went over the counters was booked, once, however it came in. */
const counterIsBooked = (witness: Witness, told: Told, { ledger }: Rest): void => {
  const overCounter = ledger.filter(({ kind }) => kind === 'SALE' || kind === 'RETURN');
  const booked = sumBy(
    overCounter,
    ({ nodeId }) => nodeId,
    ({ onHand }) => onHand,
  );
  for (const [nodeId, units] of told.counter) {
    const is = booked.get(nodeId) ?? 0;
    witness.expect('kept', is === units, () => `the till of ${nodeId} moved ${units} units, booked are ${is}`);
  }
};

/** Nobody's units are given away before the moment that was acknowledged, by the clock of whoever gives them away. */
const holdsWereKept = (witness: Witness, told: Told, { holds }: Rest): void => {
  const byId = new Map(holds.map((hold) => [hold.holdId, hold]));
  for (const [holdId, heldUntil] of told.holds) {
    const hold = byId.get(holdId);
    witness.expect('kept', hold !== undefined, () => `${holdId} was acknowledged and is not there`);
    const isEarly = hold?.status === 'EXPIRED' && hold.resolvedAt < heldUntil;
    witness.expect('kept', !isEarly, () => `${holdId} is held until ${heldUntil} and expired at ${hold?.resolvedAt}`);
  }
};

/** What was missing is on record, each time that a level fell below zero (rule 13). */
const missingIsOnRecord = (witness: Witness, { shortfalls }: StockWatch, { discrepancies }: Rest): void => {
  const place = ({ sku, nodeId }: { sku: string; nodeId: string }): string => `${sku} at ${nodeId}`;
  const recorded = sumBy(discrepancies, place, ({ units }) => units);
  for (const [where, units] of shortfalls) {
    const found = recorded.get(where) ?? 0;
    witness.expect('I1', found >= units, () => `${where} lacked ${units} units, on record are ${found}`);
  }
};

/** Every order, fulfilment order and workflow has ended, the right way (I10), and nobody was asked who had refused. */
const ended = (witness: Witness, { workflows }: Cluster, { orders, work }: Rest): void => {
  for (const { orderId, status } of orders)
    witness.expect('I10', ENDED.has(status), () => `${orderId} is still ${status}`);
  for (const item of work) {
    const name = nameOf(item);
    const execution = workflows.executions.get(name);
    witness.expect('I10', OVER.has(String(item.status)), () => `${name} is still ${item.status} (${item.work})`);
    witness.expect(
      'I10',
      execution?.status === 'SUCCEEDED',
      () =>
        `the workflow of ${name}, which is ${item.work}, ${execution?.status ?? 'was never started'} ${execution?.error ?? ''}`,
    );
  }
  const byName = new Map(work.map((item) => [nameOf(item), item]));
  for (const item of work) {
    for (
      let earlier = byName.get(String(item.replaces));
      earlier !== undefined;
      earlier = byName.get(String(earlier.replaces))
    ) {
      const { nodeId } = earlier;
      witness.expect(
        'kept',
        nodeId !== item.nodeId,
        () => `${nodeId} did not supply ${nameOf(item)} and was asked again`,
      );
    }
  }
};
const nameOf = ({ pk, sk }: StoredItem): string => `${pk.slice('ORDER#'.length)}-${sk.slice('FO#'.length)}`;

/** What became of an order was told: once, by the right event (I7), and brought its points (I9). */
const toldAbout = (witness: Witness, { bus }: Cluster, { orders, points, payments }: Rest): void => {
  const events = [...bus.archive.values()] as { type: string; data: { orderId?: string; paymentId?: string } }[];
  const counts = new Map<string, number>();
  for (const { type, data } of events) {
    const key = `${type} ${data.orderId}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const expectOne = (type: string, orderId: string, wanted: boolean): void => {
    const count = counts.get(`${type} ${orderId}`) ?? 0;
    witness.expect('I7', count === (wanted ? 1 : 0), () => `${type} of ${orderId} was published ${count} times`);
  };
  for (const order of orders) {
    const { orderId, status } = order;
    const wasPaid = payments.some(
      (one) => one.orderId === orderId && ['AUTHORIZED', 'CAPTURED', 'PARTIALLY_CAPTURED'].includes(one.status),
    );
    expectOne('order.completed.v1', orderId, status === 'COMPLETED');
    expectOne('order.cancelled.v1', orderId, status === 'CANCELLED' || status === 'EXPIRED');
    if (wasPaid || status === 'EXPIRED') expectOne('order.placed.v1', orderId, status !== 'EXPIRED');
    const earned = status === 'COMPLETED' ? Math.floor(fulfilledMinor(order) / 100) : 0;
    for (const kind of ['EARN', 'MATURE']) {
      const booked = points.filter((entry) => entry.orderId === orderId && entry.kind === kind);
      const sum = booked.reduce((total, entry) => total + (kind === 'EARN' ? entry.pending : entry.available), 0);
      witness.expect('I9', sum === earned, () => `${orderId} brings ${earned} points, ${kind} books ${sum}`);
    }
  }
};

/** What was committed is on the bus, and nothing else is (I7). */
const published = (witness: Witness, { bus }: Cluster): void => {
  for (const key of bus.committed.keys())
    witness.expect('I7', bus.archive.has(key), () => `${key} never reached the bus`);
  for (const key of bus.archive.keys())
    witness.expect('I7', bus.committed.has(key), () => `${key} tells of what never happened`);
  for (const contradiction of bus.contradictions) witness.expect('I7', false, () => contradiction);
};

/** What clients were told is true. */
const kept = (witness: Witness, told: Told, { orders, ledger }: Rest): void => {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  for (const [orderId, { totalMinor: total }] of told.orders) {
    const order = byId.get(orderId);
    witness.expect('kept', order !== undefined, () => `${orderId} was acknowledged and is not there`);
    if (order !== undefined) {
      witness.expect(
        'kept',
        totalMinor(order) === total,
        () => `${orderId} costs ${totalMinor(order)}, said was ${total}`,
      );
    }
  }
  for (const orderId of told.paid) {
    const status = byId.get(orderId)?.status ?? 'gone';
    const isKept = status === 'COMPLETED' || status === 'CANCELLED';
    witness.expect('kept', isKept, () => `${orderId} was paid, said the answer, and is ${status}`);
  }
  const booked = new Map<string, number>();
  for (const { reference, sku, nodeId, onHand } of ledger) {
    const key = `${reference} ${sku} ${nodeId}`;
    booked.set(key, (booked.get(key) ?? 0) + onHand);
  }
  for (const [movement, lines] of told.movements) {
    for (const [key, same] of Map.groupBy(lines, ({ sku, nodeId }) => `${movement} ${sku} ${nodeId}`)) {
      const units = same.reduce((sum, line) => sum + line.units, 0);
      witness.expect(
        'kept',
        booked.get(key) === units,
        () => `${key}: ${units} were acknowledged, ${booked.get(key)} booked`,
      );
    }
  }
};

/** Looks at everything that can be seen at rest. */
export const checkAtRest = (witness: Witness, cluster: Cluster, told: Told, watch: StockWatch): void => {
  const rest = read(cluster);
  addsUp(witness, rest);
  ended(witness, cluster, rest);
  published(witness, cluster);
  toldAbout(witness, cluster, rest);
  kept(witness, told, rest);
  goodsAddUp(witness, rest);
  counterIsBooked(witness, told, rest);
  holdsWereKept(witness, told, rest);
  missingIsOnRecord(witness, watch, rest);
};

/** Holds whose time was up 90 s ago, or 90 s after the trouble ended, and orders that wait for their money as long (I10). */
export const checkHolds = (witness: Witness, cluster: Cluster, troubleEndedMs: number): void => {
  checkOrders(witness, cluster, troubleEndedMs);
  for (const item of cluster.engine.items('inventory')) {
    if (!item.pk.startsWith('HOLD#') || item.status !== 'HELD') continue;
    const overMs = Math.max(Date.parse(String(item.heldUntil)), troubleEndedMs) + 90_000;
    const isOver = cluster.scheduler.nowMs > overMs;
    witness.expect('I10', !isOver, () => `${item.pk} holds stock since ${item.heldUntil}`);
  }
};

/** Orders that wait for their money although their time was up 90 s ago, or 90 s after the trouble ended (I10). */
const checkOrders = (witness: Witness, { engine, scheduler }: Cluster, troubleEndedMs: number): void => {
  for (const item of engine.items('orders')) {
    if (item.status !== 'PENDING_PAYMENT') continue;
    const overMs = Math.max(Date.parse(String(item.payBy)), troubleEndedMs) + 90_000;
    witness.expect('I10', scheduler.nowMs <= overMs, () => `${item.pk} holds stock since ${item.payBy}`);
  }
};

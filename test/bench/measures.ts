import type { Bare } from './bare.ts';
import { load, percentile } from './http.ts';
import type { Shop } from './shop.ts';
import type { System } from './system.ts';

const NEAR = { latitude: 37.27, longitude: 127.43 };

/** One SKU held by 3 nodes, and one held by 500. */
export const measureAvailability = async (shop: Shop): Promise<Record<string, number>> => {
  const results: Record<string, number> = {};
  await shop.receive('bench-0', [{ sku: 'WIDE-3', units: 5 }]);
  for (const [name, nodes] of [
    ['availability', 3],
    ['availability_500', 500],
  ] as const) {
    const sku = `WIDE-${nodes}`;
    await load(nodes, 8, (index) => shop.receive(`bench-${index}`, [{ sku, units: 5 }]));
    await load(300, 16, async () => void (await shop.done('GET', `/v1/availability/${sku}`)));
    const { perSecond, p99Ms } = await load(nodes === 3 ? 6_000 : 1_500, 16, async () => {
      await shop.done('GET', `/v1/availability/${sku}`);
    });
    results[`${name}_rps`] = perSecond;
    results[`${name}_p99_ms`] = p99Ms;
  }
  return results;
};

const ROUNDS = 5;
/** Until then V8 compiles what runs often, which a system that has served for some seconds has behind it. */
const ROUNDS_BEFORE = 4;
/** Checkouts, and as much bare work. */
const A_ROUND = 200;
const SHOPPERS = 64;

/**
 * Whole checkouts, eight at a time, with events, workflow and points of the orders before running along. After each
 * round of them the bare database work of as many: the machine's own speed changes within minutes, and both hear of it.
 * `checkout_first_cpu_ms` is of the first round: until then the system has only been asked for availability.
 */
export const measureCheckouts = async (shop: Shop, system: System, bare: Bare): Promise<Record<string, number>> => {
  await shop.node('dc-1', NEAR.latitude, NEAR.longitude);
  await shop.node('dc-2', 35.33, 129.03);
  const skus = Array.from({ length: 20 }, (_, index) => `BENCH-${index}`);
  for (const sku of skus) await shop.product(sku);
  for (const nodeId of ['dc-1', 'dc-2'])
    await shop.receive(
      nodeId,
      skus.map((sku) => ({ sku, units: 100_000 })),
    );
  const tokens: string[] = [];
  for (let index = 0; index < SHOPPERS; index += 1) tokens.push(await shop.person(`shopper-${index}`, 'customer'));
  const checkout = (index: number) => async (): Promise<void> => {
    const sold = await shop.checkout(tokens[index % SHOPPERS]!, skus[index % skus.length]!);
    if (sold !== 'sold') throw new Error('a checkout was refused though there is stock');
  };
  const round = async () => {
    const beforeMs = system.cpuMs();
    const { tookMs, durationMs } = await load(A_ROUND, 8, (index) => checkout(index)());
    // What follows the last orders belongs to them.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { tookMs, durationMs, cpuMs: system.cpuMs() - beforeMs };
  };
  const { cpuMs: firstCpuMs } = await round();
  for (let before = 1; before < ROUNDS_BEFORE; before += 1) await round();
  for (let before = 0; before < ROUNDS_BEFORE; before += 1) await bare.work(A_ROUND);
  const tookMs: number[] = [];
  const spent = { durationMs: 0, cpuMs: 0, bareDurationMs: 0, bareCpuMs: 0 };
  for (let measured = 0; measured < ROUNDS; measured += 1) {
    const checkouts = await round();
    const bareWork = await bare.work(A_ROUND);
    tookMs.push(...checkouts.tookMs);
    spent.durationMs += checkouts.durationMs;
    spent.cpuMs += checkouts.cpuMs;
    spent.bareDurationMs += bareWork.durationMs;
    spent.bareCpuMs += bareWork.cpuMs;
  }
  tookMs.sort((a, b) => a - b);
  return {
    checkout_rps: (tookMs.length / spent.durationMs) * 1000,
    checkout_p50_ms: percentile(tookMs, 0.5),
    checkout_p99_ms: percentile(tookMs, 0.99),
    checkout_cpu_ms: spent.cpuMs / tookMs.length,
    checkout_first_cpu_ms: firstCpuMs / A_ROUND,
    bare_rps: (tookMs.length / spent.bareDurationMs) * 1000,
    bare_cpu_ms: spent.bareCpuMs / tookMs.length,
    checkout_cpu_of_bare: spent.cpuMs / spent.bareCpuMs,
  };
};

/** 300 whole checkouts, 32 at a time, for 100 units. */
export const measureHotSku = async (shop: Shop): Promise<Record<string, number>> => {
  const tokens: string[] = [];
  for (let index = 0; index < 300; index += 1) tokens.push(await shop.person(`buyer-${index}`, 'customer'));
  await shop.product('HOT');
  await shop.receive('dc-1', [{ sku: 'HOT', units: 100 }]);
  const outcomes = { sold: 0, refused: 0 };
  await load(300, 32, async (index) => {
    outcomes[await shop.checkout(tokens[index]!, 'HOT')] += 1;
  });
  const headOffice = await shop.headOffice();
  type Levels = { items: { available: number; allocated: number; onHand: number }[] };
  const { items } = await shop.done<Levels>('GET', '/v1/stock/HOT', headOffice);
  const available = items.reduce((total, level) => total + level.available, 0);
  const allocated = items.reduce((total, level) => total + level.allocated, 0);
  return {
    hot_sold: outcomes.sold,
    hot_refused: outcomes.refused,
    hot_oversold: Math.max(0, outcomes.sold - 100, -available),
    // Units that are neither sold nor for sale.
    hot_leaked: Math.abs(100 - available - outcomes.sold) + Math.abs(allocated - outcomes.sold),
  };
};

/** 25 carts, each submitted four times at once, and each order paid four times at once. */
export const measureDoubleSubmits = async (shop: Shop): Promise<Record<string, number>> => {
  await shop.product('TWICE');
  await shop.receive('dc-1', [{ sku: 'TWICE', units: 1_000 }]);
  let orders = 0;
  let payments = 0;
  for (let index = 0; index < 25; index += 1) {
    const token = await shop.person(`double-${index}`, 'customer');
    const cartId = await shop.fill(token, 'TWICE');
    const four = [0, 1, 2, 3];
    const placed = await Promise.all(
      four.map((at) =>
        shop.call('POST', '/v1/orders', token, { cartId }, at < 2 ? `place-${cartId}` : `again-${at}-${cartId}`),
      ),
    );
    const orderId = placed.filter(({ status }) => status === 201).map(({ text }) => JSON.parse(text).orderId)[0];
    const method = { kind: 'CARD', token: 'tok_approve' };
    await Promise.all(
      four.map((at) =>
        shop.call('POST', `/v1/orders/${orderId}/payments`, token, { method }, `pay-${at % 2}-${orderId}`),
      ),
    );
    const list = await shop.done<{ items: unknown[] }>('GET', '/v1/orders', token);
    orders += list.items.length;
    const paid = await shop.done<{ items: { status: string }[] }>('GET', `/v1/orders/${orderId}/payments`, token);
    payments += paid.items.filter(({ status }) =>
      ['AUTHORIZED', 'CAPTURED', 'UNKNOWN', 'REQUIRES_ACTION'].includes(status),
    ).length;
  }
  return { double_submit_orders: orders, double_submit_payments: payments };
};

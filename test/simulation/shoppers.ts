import type { Caller } from '../support/call.ts';
import type { Answer, Ask } from './client.ts';
import { asChannel, asCustomer, home, NODES, type Shop, SKUS } from './shop.ts';

const TOKENS = { tok_approve: 6, tok_decline: 1, tok_needs_action: 1.5, tok_timeout: 1 };
const PAUSE_MS = { min: 500, max: 25_000 };

export const pause = ({ cluster, chance }: Shop): Promise<void> =>
  cluster.scheduler.sleep(chance.between(PAUSE_MS.min, PAUSE_MS.max));

/** Asks once, or, impatient, twice at the same time; the answers have to be the same then. */
export const command = async (shop: Shop, caller: Caller, ask: Ask): Promise<Answer | undefined> => {
  const { clients, chance, cluster } = shop;
  if (!chance.happens(cluster.faults.doubleSubmit)) return clients.ask(caller, ask);
  const answers = await Promise.all([clients.ask(caller, ask), clients.ask(caller, ask)]);
  return answers.find((answer) => answer !== undefined && answer.status < 300) ?? answers[0];
};

export const isFine = (answer: Answer | undefined): answer is Answer => answer !== undefined && answer.status < 300;

const unitsIn = (lines: readonly { units: number }[]): number => lines.reduce((sum, { units }) => sum + units, 0);

/** An order was acknowledged: it has to be there at the end, with these units and for this price. */
const placed = ({ told }: Shop, who: string, { orderId, lines, total }: Answer['body']): void => {
  told.orders.set(orderId, { caller: who, units: unitsIn(lines), totalMinor: total.amountMinor });
};

/** Lets the time to pay run out, and then acts at the very moment when somebody looks. */
const dawdle = async ({ cluster, chance }: Shop, payBy: string): Promise<void> => {
  const { scheduler } = cluster;
  await scheduler.sleep(Date.parse(payBy) - scheduler.nowMs - chance.between(0, 20_000));
  for (let looks = chance.between(1, 2); looks > 0; looks -= 1) await cluster.nextRunOf('orders.tasks', 90_000);
  await scheduler.sleep(chance.between(0, 120));
};

/** Pays until it is paid, declined for good, or too late; looks after what the bank asks for. */
export const payFor = async (shop: Shop, caller: Caller, { orderId, payBy }: Answer['body']): Promise<void> => {
  const { clients, chance, told } = shop;
  const dawdles = chance.happens(0.15);
  if (dawdles) await dawdle(shop, payBy);
  for (let attempt = 0; attempt < 4 && (shop.mayAct() || (dawdles && attempt === 0)); attempt += 1) {
    const token = chance.weighted(TOKENS);
    const key = clients.newKey(caller);
    const body = { method: { kind: 'CARD', token } };
    const answer = await command(shop, caller, { operation: 'payments.pay', path: { orderId }, body, key });
    if (answer?.status === 409 && String(answer.body.type).endsWith('wrong-state')) return;
    if (answer?.body.status === 'AUTHORIZED') {
      told.paid.add(orderId);
      return;
    }
    if (answer?.body.status === 'REQUIRES_ACTION' && chance.happens(0.8)) {
      if (chance.happens(0.3)) await dawdle(shop, payBy);
      else await pause(shop);
      const path = { orderId, attempt: String(Number(String(answer.body.paymentId).slice(-3))) };
      const confirmed = await command(shop, caller, {
        operation: 'payments.confirm',
        path,
        key: clients.newKey(caller),
      });
      if (confirmed?.body.status === 'AUTHORIZED') return;
    }
    await pause(shop);
  }
};

const fillCart = async (shop: Shop, caller: Caller, customerId: string): Promise<boolean> => {
  const { clients, chance } = shop;
  for (let line = chance.between(1, 3); line > 0 && shop.mayAct(); line -= 1) {
    const sku = chance.pick(SKUS);
    const body = { units: chance.between(1, 3) };
    await clients.ask(caller, { operation: 'carts.setLine', path: { sku }, body });
    if (chance.happens(0.1)) await clients.ask(caller, { operation: 'carts.removeLine', path: { sku } });
    await pause(shop);
  }
  if (chance.happens(0.35)) {
    const body = { choice: 'PICKUP', nodeId: chance.pick(NODES.slice(1)) };
    return isFine(await clients.ask(caller, { operation: 'carts.chooseDelivery', body }));
  }
  const address = home(37.4 + Number(customerId.slice(-1)) / 50);
  const kept = await clients.ask(caller, {
    operation: 'customers.addAddress',
    body: address,
    key: clients.newKey(caller),
  });
  if (!isFine(kept)) return false;
  const body = { choice: chance.happens(0.2) ? 'SAME_DAY' : 'HOME_DELIVERY', addressId: kept.body.addressId };
  return isFine(await clients.ask(caller, { operation: 'carts.chooseDelivery', body }));
};

/** Places the order of a cart: once, twice with one key, or with a key each, as people do. */
const checkOut = async (shop: Shop, caller: Caller, customerId: string): Promise<Answer['body'] | undefined> => {
  const { clients, chance, told, witness } = shop;
  const cart = await clients.ask(caller, { operation: 'carts.current' });
  if (!isFine(cart) || cart.body.cartId === undefined) return undefined;
  const cartId = String(cart.body.cartId);
  if (chance.happens(0.3)) {
    // A hold that may well run out before its shopper comes back.
    const body = { holdSeconds: chance.between(5, 300) };
    const held = await command(shop, caller, { operation: 'carts.hold', body, key: clients.newKey(caller) });
    if (isFine(held)) told.holds.set(held.body.cart.holdId, held.body.heldUntil);
    await pause(shop);
    if (chance.happens(0.2)) return undefined;
  }
  const ask = (): Ask => ({ operation: 'orders.place', body: { cartId }, key: clients.newKey(caller) });
  const impatient = chance.happens(0.15);
  const answers = impatient
    ? await Promise.all([clients.ask(caller, ask()), clients.ask(caller, ask())])
    : [await command(shop, caller, ask())];
  for (const { body } of answers.filter(isFine)) {
    const { orderId } = body;
    const known = told.ordersOfCart.get(cartId) ?? new Set();
    told.ordersOfCart.set(cartId, known.add(orderId));
    witness.expect('kept', known.size === 1, () => `cart ${cartId} became the orders ${[...known].join(', ')}`);
    placed(shop, customerId, body);
  }
  return answers.find(isFine)?.body;
};

/** Tries to see what belongs to somebody else (I12). */
const peek = async (shop: Shop, caller: Caller, customerId: string): Promise<void> => {
  const { clients, chance, told, witness } = shop;
  const others = [...told.orders].filter(([, { caller: owner }]) => owner !== customerId);
  if (others.length === 0) return;
  const [orderId] = chance.pick(others);
  const operation = chance.pick(['orders.order', 'payments.payments', 'fulfilment.ofOrder'] as const);
  const answer = await clients.ask(caller, { operation, path: { orderId } });
  witness.expect('I12', !isFine(answer), () => `${customerId} sees ${operation} of ${orderId}, which is not theirs`);
};

/** Reads back what is theirs: nothing of anybody else is in it (I12). */
const review = async (shop: Shop, caller: Caller, customerId: string): Promise<void> => {
  const { clients, chance, told, witness } = shop;
  await clients.ask(caller, { operation: 'loyalty.balance' });
  const answer = await clients.ask(caller, { operation: 'orders.orders', query: { limit: '20' } });
  for (const { orderId } of isFine(answer) ? answer.body.items : []) {
    const owner = told.orders.get(orderId)?.caller ?? customerId;
    witness.expect('I12', owner === customerId, () => `${customerId} is shown ${orderId} of ${owner}`);
  }
  if (clients.acknowledged.length === 0) return;
  // Long after, somebody's phone sends again what was answered before.
  const { caller: earlier, ask } = chance.pick(clients.acknowledged);
  await clients.ask(earlier, ask);
};

/** A customer with a phone: fills a cart, orders, pays, looks, forgets, comes back. */
export const shopper = async (shop: Shop, customerId: string): Promise<void> => {
  const caller = asCustomer(customerId);
  while (shop.mayAct()) {
    const wants = shop.chance.weighted({ buy: 7, peek: 1, review: 1.5, erase: 0.1 });
    if (wants === 'peek') await peek(shop, caller, customerId);
    else if (wants === 'review') await review(shop, caller, customerId);
    else if (wants === 'erase') await shop.clients.ask(caller, { operation: 'customers.erase' });
    else if (await fillCart(shop, caller, customerId)) {
      const order = await checkOut(shop, caller, customerId);
      await pause(shop);
      if (order !== undefined && shop.chance.happens(0.85)) await payFor(shop, caller, order);
    }
    await pause(shop);
  }
};

/** A marketplace: sends orders of its buyers, with its own numbers, and sends them again when in doubt. */
export const channel = async (shop: Shop, channelId: string, till: number): Promise<void> => {
  const { clients, chance, told, witness } = shop;
  const caller = asChannel(channelId);
  for (let number = 1; shop.mayAct(); number += 1) {
    const reference = `${till}-${number}`;
    const lines = Array.from({ length: chance.between(1, 3) }, () => ({
      sku: chance.pick(SKUS),
      units: chance.between(1, 2),
    }));
    const delivery = chance.happens(0.3)
      ? { choice: 'PICKUP', nodeId: chance.pick(NODES.slice(1)) }
      : { choice: 'HOME_DELIVERY', shipTo: home(37.5) };
    const body = { reference, buyer: { reference: `buyer-${chance.between(1, 4)}` }, lines, delivery };
    const ask = (): Ask => ({ operation: 'orders.placeForChannel', body, key: clients.newKey(caller) });
    const answers = chance.happens(0.1)
      ? await Promise.all([clients.ask(caller, ask()), clients.ask(caller, ask())])
      : [await command(shop, caller, ask())];
    for (const answer of answers.filter(isFine)) {
      const known = told.references.get(`${channelId} ${reference}`) ?? new Set();
      told.references.set(`${channelId} ${reference}`, known.add(answer.body.orderId));
      witness.expect('kept', known.size === 1, () => `${channelId} ${reference} became ${[...known].join(', ')}`);
      const [asked, sold] = [unitsIn(lines), unitsIn(answer.body.lines)];
      witness.expect('kept', asked === sold, () => `${reference} asks for ${asked} units and gets ${sold}`);
      placed(shop, channelId, answer.body);
      if (chance.happens(0.9)) await payFor(shop, caller, answer.body);
    }
    await pause(shop);
  }
};

import { asCustomer, DISPUTED, headOffice, NODES, POP_UP, type Shop, SKUS } from './shop.ts';
import { command, isFine, pause } from './shoppers.ts';

/** Keeps units at nodes, longer, gives them back or forgets them; and tries somebody else's (I12). */
export const holder = async (shop: Shop, customerId: string): Promise<void> => {
  const { clients, chance, told, witness } = shop;
  const caller = asCustomer(customerId);
  while (shop.mayAct()) {
    const lines = Array.from({ length: chance.between(1, 2) }, () => ({
      ...{ sku: chance.pick(SKUS), nodeId: chance.pick(NODES), units: chance.between(1, 2) },
    }));
    const body = { purpose: 'CART', lines, holdSeconds: chance.between(5, 300) };
    const held = await command(shop, caller, { operation: 'inventory.hold', body, key: clients.newKey(caller) });
    await pause(shop);
    if (!isFine(held)) continue;
    const path = { holdId: held.body.holdId };
    told.holds.set(path.holdId, held.body.heldUntil);
    const does = chance.weighted({ extend: 2, release: 3, forget: 3, peek: 1 });
    if (does === 'extend') {
      const longer = { holdSeconds: chance.between(60, 600) };
      const key = clients.newKey(caller);
      const extended = await command(shop, caller, { operation: 'inventory.extendHold', path, body: longer, key });
      if (isFine(extended)) told.holds.set(path.holdId, extended.body.heldUntil);
    } else if (does === 'release') {
      await command(shop, caller, { operation: 'inventory.releaseHold', path, key: clients.newKey(caller) });
    } else if (does === 'peek') {
      const stranger = asCustomer(`not-${customerId}`);
      const answer = await clients.ask(stranger, { operation: 'inventory.heldBy', path });
      witness.expect('I12', !isFine(answer), () => `a stranger sees ${path.holdId} of ${customerId}`);
    }
  }
};

/** Head office and its stores: sets units aside and brings them back, spreads levels, draws lines. */
export const keeper = async (shop: Shop): Promise<void> => {
  const { clients, chance, cluster } = shop;
  while (shop.mayAct()) {
    await cluster.scheduler.sleep(chance.between(5_000, 60_000));
    const [sku, nodeId] = [chance.pick(SKUS), chance.pick([...NODES, POP_UP])];
    const key = clients.newKey(headOffice);
    const does = chance.weighted({ aside: 4, spread: 4, settings: 1, policy: 1, resolve: 2 });
    const as = headOffice;
    if (does === 'aside') {
      const kind = chance.pick(['DAMAGE', 'QUALITY_HOLD', 'ONLINE_ONLY'] as const);
      const body = { sku, unitsDelta: chance.pick([-2, -1, 1, 2]), as: kind, reason: 'looked at' };
      await command(shop, as, { operation: 'inventory.setAside', path: { nodeId }, body, key });
    } else if (does === 'spread') {
      const body = { shards: chance.pick([1, 2, 4]) };
      await command(shop, as, { operation: 'inventory.spread', path: { sku, nodeId }, body, key });
    } else if (does === 'settings') {
      const body = { safetyStock: chance.between(0, 2), lowAt: chance.between(0, 5) };
      await command(shop, as, { operation: 'inventory.settings', path: { sku: DISPUTED, nodeId }, body, key });
    } else if (does === 'policy') {
      const body = { kind: 'BUFFER', skus: [DISPUTED], units: chance.between(0, 2) };
      await command(shop, as, { operation: 'inventory.setPolicy', path: { policyId: 'buffer' }, body, key });
    } else {
      await resolveOne(shop, nodeId);
    }
  }
};

/** Looks into what is missing at a node, and finds it or not. */
const resolveOne = async (shop: Shop, nodeId: string): Promise<void> => {
  const { clients, chance } = shop;
  const list = await clients.ask(headOffice, { operation: 'inventory.discrepancies', path: { nodeId }, query: {} });
  const [open] = isFine(list) ? list.body.items : [];
  if (open === undefined) return;
  const path = { nodeId, discrepancyId: open.discrepancyId };
  const unitsDelta = chance.between(0, open.units);
  const body = { resolution: unitsDelta > 0 ? 'FOUND' : 'WRITTEN_OFF', unitsDelta, note: 'looked for it' };
  const key = clients.newKey(headOffice);
  await command(shop, headOffice, { operation: 'inventory.resolveDiscrepancy', path, body, key });
};

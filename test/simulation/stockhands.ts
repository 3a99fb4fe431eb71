import { associate, DISPUTED, headOffice, NODES, type Shop, SKUS } from './shop.ts';
import { command, isFine } from './shoppers.ts';

/** Soon, whatever soon is. */
const dueAt = ({ cluster }: Shop): string => new Date(cluster.scheduler.nowMs + 3_600_000).toISOString();

/** Goods go from one node to another; some get broken, some lost, some come late. */
const moveGoods = async (shop: Shop): Promise<void> => {
  const { clients, chance, cluster } = shop;
  const [from, to] = chance.shuffle([...NODES]) as [string, string];
  const ask = (nodeId: string, operation: `${string}.${string}`, path: object, body: object) => {
    const as = associate(nodeId);
    return command(shop, as, { operation, path: { nodeId, ...path }, body, key: clients.newKey(as) });
  };
  const lines = [{ sku: DISPUTED, units: chance.between(1, 3) }];
  const asked = await ask(to, 'stockroom.requestTransfer', {}, { fromNodeId: from, lines });
  if (!isFine(asked)) return;
  const path = { transferId: asked.body.transferId };
  if (chance.happens(0.1)) return void (await ask(to, 'stockroom.cancelTransfer', path, {}));
  await ask(from, 'stockroom.shipTransfer', path, { dueAt: dueAt(shop) });
  await cluster.scheduler.sleep(chance.between(1_000, 60_000));
  const units = lines[0]!.units;
  const good = chance.between(0, units);
  const came = [{ sku: DISPUTED, good, damaged: good === 0 || chance.happens(0.2) ? 1 : 0 }];
  for (let twice = chance.between(1, 2); twice > 0; twice -= 1) {
    await ask(to, 'stockroom.receiveTransfer', { ...path, deliveryId: 'd-1' }, { lines: came });
  }
  if (chance.happens(0.6)) await ask(to, 'stockroom.closeTransfer', path, {});
};

/** A supplier announces goods and brings others. */
const takeIn = async (shop: Shop, adviceId: string): Promise<void> => {
  const { clients, chance } = shop;
  const nodeId = chance.pick(NODES);
  const sku = chance.pick(SKUS);
  const path = { nodeId, adviceId };
  const body = { lines: [{ sku, units: chance.between(1, 4) }], dueAt: dueAt(shop) };
  const announced = { operation: 'stockroom.announceAdvice', path, body, key: clients.newKey(headOffice) } as const;
  if (!isFine(await command(shop, headOffice, announced))) return;
  const as = associate(nodeId);
  for (let number = chance.between(1, 2); number > 0; number -= 1) {
    const delivery = { lines: [{ sku, good: chance.between(1, 2), damaged: chance.between(0, 1) }] };
    const delivered = { ...path, deliveryId: `d-${chance.between(1, 2)}` };
    const key = clients.newKey(as);
    await command(shop, as, { operation: 'stockroom.receiveAdvice', path: delivered, body: delivery, key });
  }
  if (chance.happens(0.7)) {
    await command(shop, as, { operation: 'stockroom.closeAdvice', path, key: clients.newKey(as) });
  }
};

/** Somebody counts, somebody else approves; meanwhile goods come and go. */
const count = async (shop: Shop): Promise<void> => {
  const { clients, chance } = shop;
  const nodeId = chance.pick(NODES);
  const [as, other] = [associate(nodeId), { ...associate(nodeId)!, sub: `other-${nodeId}` }];
  const open = { operation: 'stockroom.openCount', path: { nodeId }, key: clients.newKey(as) } as const;
  const opened = await command(shop, as, { ...open, body: { skus: [DISPUTED] } });
  if (!isFine(opened)) return;
  const path = { nodeId, countId: opened.body.countId };
  const entry = { units: chance.between(0, 6) };
  const line = { ...path, sku: DISPUTED };
  await command(shop, as, { operation: 'stockroom.enterCount', path: line, body: entry, key: clients.newKey(as) });
  await command(shop, as, { operation: 'stockroom.submitCount', path, key: clients.newKey(as) });
  await command(shop, other, { operation: 'stockroom.approveCount', path, key: clients.newKey(other) });
};

/** Somebody in the stockroom. */
export const stockhand = async (shop: Shop, number: number): Promise<void> => {
  const { chance, cluster } = shop;
  for (let act = 1; shop.mayAct(); act += 1) {
    await cluster.scheduler.sleep(chance.between(5_000, 60_000));
    const does = chance.weighted({ move: 4, takeIn: 3, count: 3 });
    if (does === 'move') await moveGoods(shop);
    else if (does === 'takeIn') await takeIn(shop, `asn-${number}-${act}`);
    else await count(shop);
  }
};

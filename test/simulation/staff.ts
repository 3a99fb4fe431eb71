import type { Answer } from './client.ts';
import { associate, DISPUTED, headOffice, NODES, POP_UP, popUp, product, type Shop, SKUS } from './shop.ts';

interface Work {
  fulfilmentOrderId: string;
  nodeId: string;
  method: 'SHIP' | 'COLLECT';
  lines: { sku: string }[];
  work: string;
}

const NEXT: Record<string, Partial<Record<Work['method'], string>>> = {
  ACCEPTED: { SHIP: 'pick', COLLECT: 'ready' },
  PICKED: { SHIP: 'pack', COLLECT: 'ready' },
  PACKED: { SHIP: 'dispatch' },
  DISPATCHED: { SHIP: 'deliver' },
  READY: { COLLECT: 'collect' },
};

const isFine = (answer: Answer | undefined): answer is Answer => answer !== undefined && answer.status < 300;

const worklist = async ({ clients }: Shop, nodeId: string): Promise<Work[]> => {
  const ask = { operation: 'fulfilment.worklist', path: { nodeId }, query: { limit: '50' } } as const;
  const answer = await clients.ask(associate(nodeId), ask);
  return isFine(answer) ? answer.body.items : [];
};

/** One step of one piece of work; `reject` needs a reason. */
const step = async (
  { clients }: Shop,
  nodeId: string,
  { fulfilmentOrderId, lines }: Work,
  action: string,
): Promise<boolean> => {
  // Only of what is disputed anyway do refusals make anybody doubt the books.
  const cause = lines.every(({ sku }) => sku === DISPUTED) ? 'NOT_FOUND' : 'BUSY';
  const body = action === 'reject' ? { reason: 'damaged', cause } : {};
  const operation = `fulfilment.${action}` as const;
  return isFine(
    await clients.ask(associate(nodeId), {
      operation,
      path: { fulfilmentOrderId },
      body,
      key: clients.newKey(associate(nodeId)),
    }),
  );
};

/** Answers when the time for it is just running out. */
const atTheLastMoment = async ({ cluster, chance }: Shop, { fulfilmentOrderId }: Work): Promise<void> => {
  const { scheduler, workflows } = cluster;
  const deadlineMs = workflows.executions.get(fulfilmentOrderId)?.deadlineMs ?? 0;
  const leftMs = deadlineMs - scheduler.nowMs;
  if (leftMs < 600_000) await scheduler.sleep(leftMs + chance.between(-40, 60));
};

/** Somebody at a node: accepts, rejects, forgets, picks, packs, hands over; and tries another node's work (I12). */
export const worker = async (shop: Shop, nodeId: string): Promise<void> => {
  const { chance, cluster, clients, witness } = shop;
  while (shop.mayAct()) {
    await cluster.scheduler.sleep(chance.between(2_000, 40_000));
    for (const work of chance.shuffle(await worklist(shop, nodeId)).slice(0, 3)) {
      witness.expect(
        'I12',
        work.nodeId === nodeId,
        () => `${nodeId} is shown ${work.fulfilmentOrderId} of ${work.nodeId}`,
      );
      if (!shop.mayAct()) return;
      if (work.work === 'ALLOCATED') {
        const says = chance.weighted({ accept: 7, reject: 2, nothing: 1 });
        if (chance.happens(0.15)) await atTheLastMoment(shop, work);
        if (says !== 'nothing') await step(shop, nodeId, work, says);
      } else if (work.work !== 'READY' || chance.happens(0.6)) {
        const action = NEXT[work.work]?.[work.method];
        if (action !== undefined) await step(shop, nodeId, work, action);
      }
      if (chance.happens(0.1)) {
        const other = chance.pick(NODES.filter((one) => one !== nodeId));
        const { fulfilmentOrderId } = work;
        const answer = await clients.ask(associate(other), {
          operation: 'fulfilment.fulfilmentOrder',
          path: { fulfilmentOrderId },
        });
        witness.expect('I12', !isFine(answer), () => `${other} sees ${fulfilmentOrderId} of ${nodeId}`);
      }
    }
  }
};

/** Head office: receives goods, corrects counts, changes prices, opens and closes the pop-up store. */
export const office = async (shop: Shop): Promise<void> => {
  const { clients, chance, cluster, told } = shop;
  while (shop.mayAct()) {
    await cluster.scheduler.sleep(chance.between(5_000, 60_000));
    const sku = chance.pick(SKUS);
    const nodeId = chance.pick([...NODES, POP_UP]);
    const does = chance.weighted({ receive: 5, adjust: 2, reprice: 1, popUp: 1 });
    const key = clients.newKey(headOffice);
    if (does === 'receive') {
      // The same SKU twice in one delivery note is one movement (rule 3).
      const lines = [sku, chance.pick(SKUS)].map((one) => ({ sku: one, units: chance.between(1, 5) }));
      const answer = await clients.ask(headOffice, {
        operation: 'inventory.receive',
        path: { nodeId },
        body: { lines },
        key,
      });
      if (isFine(answer))
        told.movements.set(
          answer.body.receiptId,
          lines.map((line) => ({ ...line, nodeId })),
        );
    } else if (does === 'adjust') {
      const body = { sku, unitsDelta: chance.pick([-3, -2, -1, 1]), reason: 'counted' };
      const answer = await clients.ask(headOffice, { operation: 'inventory.adjust', path: { nodeId }, body, key });
      if (isFine(answer)) told.movements.set(answer.body.adjustmentId, [{ nodeId, sku, units: body.unitsDelta }]);
    } else if (does === 'reprice') {
      const body = product(sku, 500 * chance.between(1, 60));
      await clients.ask(headOffice, { operation: 'catalog.publish', path: { productId: `prd-${sku}` }, body });
    } else {
      const body = popUp(chance.pick(['OPEN', 'CLOSED'] as const));
      await clients.ask(headOffice, { operation: 'network.maintain', path: { nodeId: POP_UP }, body });
    }
  }
};

/** Works everything off at all nodes, as far as it goes; some pickups are left for ever. Returns how many steps it took. */
export const workOff = async (shop: Shop, forgetsPickups: boolean): Promise<number> => {
  let steps = 0;
  for (const nodeId of [...NODES, POP_UP]) {
    for (const work of await worklist(shop, nodeId)) {
      const isForgotten =
        forgetsPickups &&
        work.work === 'READY' &&
        work.fulfilmentOrderId.charCodeAt(work.fulfilmentOrderId.length - 4) % 3 === 0;
      const action = work.work === 'ALLOCATED' ? 'accept' : NEXT[work.work]?.[work.method];
      if (action === undefined || isForgotten) continue;
      if (await step(shop, nodeId, work, action)) steps += 1;
    }
  }
  return steps;
};

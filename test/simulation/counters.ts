import { createHash, createPrivateKey } from 'node:crypto';
import { publicKeyOf, TillJournal } from '../../examples/till/journal.ts';
import type { Chance } from './chance.ts';
import { associate, DISPUTED, headOffice, type Shop } from './shop.ts';
import { command, isFine } from './shoppers.ts';

/** Stores with tills. */
export const TILLS = {
  ...{ 'till-gangnam-1': 'store-gangnam', 'till-gangnam-2': 'store-gangnam', 'till-hongdae-1': 'store-hongdae' },
} as const;
export type TillId = keyof typeof TILLS;

/** PKCS#8 around the 32 bytes of an Ed25519 key (RFC 8410): the same seed has the same tills. */
const ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const keyOf = (tillId: TillId) => {
  const seed = createHash('sha256').update(tillId).digest();
  return createPrivateKey({ key: Buffer.concat([ED25519, seed]), format: 'der', type: 'pkcs8' });
};

export const registerTills = async ({ clients }: Shop): Promise<void> => {
  for (const [tillId, nodeId] of Object.entries(TILLS)) {
    const body = { nodeId, keys: [publicKeyOf(keyOf(tillId as TillId))], status: 'ACTIVE' };
    const key = clients.newKey(headOffice);
    const answer = await clients.ask(headOffice, { operation: 'tills.maintain', path: { tillId }, body, key });
    if (!isFine(answer)) throw new Error(`${tillId} is not registered`);
  }
};

export const journalOf = (shop: Shop, tillId: TillId): TillJournal => {
  const known = shop.told.journals.get(tillId);
  if (known !== undefined) return known;
  const journal = new TillJournal(tillId, keyOf(tillId));
  shop.told.journals.set(tillId, journal);
  return journal;
};

/** Sends some of what waits: overlapping, twice, in any order. */
const send = async (shop: Shop, tillId: TillId, chance: Chance, whole: boolean): Promise<void> => {
  const { clients } = shop;
  const journal = journalOf(shop, tillId);
  const { waiting } = journal.state;
  if (waiting.length === 0) return;
  const some = whole ? [...waiting] : chance.shuffle([...waiting]).slice(0, chance.between(1, 6));
  const entries = (chance.happens(0.2) ? [...some, some[0]!] : some).slice(0, 20);
  const as = associate(TILLS[tillId]);
  const ask = { operation: 'tills.journal', path: { tillId }, body: { entries }, key: clients.newKey(as) } as const;
  const answer = await command(shop, as, ask);
  if (isFine(answer)) journal.settle(answer.body);
};

const RUSH_MS = 60_000;

/** A till: sells and takes back over the counter, online while it can, into its journal while it cannot. */
export const till = async (shop: Shop, tillId: TillId): Promise<void> => {
  const { clients, chance, cluster, told } = shop;
  const nodeId = TILLS[tillId];
  const as = associate(nodeId);
  for (let number = 1; shop.mayAct(); number += 1) {
    // Now and then all tills of a store ring at the same moment.
    const isRush = chance.happens(0.4);
    const { nowMs } = cluster.scheduler;
    await cluster.scheduler.sleep(isRush ? RUSH_MS - (nowMs % RUSH_MS) : chance.between(2_000, 40_000));
    const kind = chance.weighted({ SALE: 5, RETURN: 4 });
    const units = chance.between(1, 2);
    const sale = {
      ...{ saleId: `s-${number}`, kind, lines: [{ sku: DISPUTED, units }] },
      // Its clock is its own.
      occurredAt: new Date(cluster.scheduler.nowMs - chance.between(0, 8 * 3_600_000)).toISOString(),
    };
    told.counter.set(nodeId, (told.counter.get(nodeId) ?? 0) + (kind === 'SALE' ? -units : units));
    const key = clients.newKey(as);
    const body = { tillId, ...sale };
    const isOnline = isRush || chance.happens(0.5);
    const answer = isOnline
      ? await command(shop, as, { operation: 'tills.sell', path: { nodeId }, body, key })
      : undefined;
    // A sale whose answer was lost goes into the journal, too.
    if (!isFine(answer)) journalOf(shop, tillId).record(sale);
    if (chance.happens(0.4)) await send(shop, tillId, chance, false);
  }
};

/** Every till comes back online, and sends what is left. */
export const emptyJournals = async (shop: Shop): Promise<void> => {
  for (const tillId of Object.keys(TILLS) as TillId[]) {
    while (journalOf(shop, tillId).state.waiting.length > 0) await send(shop, tillId, shop.chance, true);
  }
};

import type { Attributes, Guard, Key, Page, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from '../domain/availability.ts';
import type { Belief } from '../domain/confidence.ts';
import { type Place, placeOf } from '../domain/movements.ts';
import type { Shard } from '../domain/shards.ts';
import type { Quantity } from '../emits.ts';

export const TABLE = 'inventory';

/** Nodes that one answer covers. */
export const NODES_MAX = 1_000;
/** Items that DynamoDB reads at one moment. */
const SNAPSHOT_MAX = 100;

/** Shard 0 of every node of a SKU is one item collection; each further shard is another one, in another partition. */
export const levelKey = (sku: string, nodeId: string, shard = 0): Key => ({
  pk: shard === 0 ? `SKU#${sku}` : `SKU#${sku}#${shard}`,
  sk: `NODE#${nodeId}`,
});

const CONTENTION = 'CONTENTION';

/** Where conflicts of transactions on a level are counted: what buyers queue for is spread over shards. */
export const contentionKey = ({ sku, nodeId }: Place): Key => ({ pk: CONTENTION, sk: `${sku}#${nodeId}` });

export const placeIn = ({ sk }: Key): Place => {
  const [sku, nodeId] = sk.split('#');
  return { sku: sku!, nodeId: nodeId! };
};

/** A level as it lies in the table. DynamoDB's ADD opens it, so what never changed is missing and counts as 0. */
type LevelItem = Key &
  Partial<Record<Quantity, number>> &
  Belief & {
    version?: number;
    movedAt?: Instant;
    /** Of shard 0: how many shards there are; 1 if missing. */
    shards?: number;
    safetyStock?: number;
    lowAt?: number;
    isLow?: boolean;
    lowCrossings?: number;
  };

const EMPTY: Partial<LevelItem> = {};

/** Written out: an answer over 500 nodes makes 500 of them. */
const shardOf = (shard: number, item: Partial<LevelItem> = EMPTY): Shard => {
  const { onHand = 0, reserved = 0, allocated = 0, damaged = 0, qualityHold = 0, available = 0, onlineOnly = 0 } = item;
  const { version = 0, movedAt } = item;
  const found = { shard, onHand, reserved, allocated, damaged, qualityHold, available, onlineOnly, version };
  return movedAt === undefined ? found : { ...found, movedAt };
};

const UNDOUBTED: Belief = {};

const beliefOf = ({ doubt, doubtAt, shortPicks, refusals, countedAt }: Belief): Belief =>
  doubtAt === undefined && countedAt === undefined
    ? UNDOUBTED
    : Object.fromEntries(
        Object.entries({ doubt, doubtAt, shortPicks, refusals, countedAt }).filter(([, value]) => value !== undefined),
      );

const levelFrom = ({ sku, nodeId }: Place, first: LevelItem | undefined, others: readonly Shard[]): NodeLevel => {
  const { safetyStock = 0, lowAt, isLow = false, lowCrossings = 0 } = first ?? EMPTY;
  const shards = [shardOf(0, first), ...others];
  const level = { sku, nodeId, safetyStock, isLow, lowCrossings, belief: beliefOf(first ?? EMPTY), shards };
  return lowAt === undefined ? level : { ...level, lowAt };
};

const collectionOf = async (tables: Tables, sku: string, shard: number, consistent: boolean): Promise<LevelItem[]> => {
  const items: LevelItem[] = [];
  let cursor: string | undefined;
  do {
    const { pk } = levelKey(sku, '', shard);
    const page = await tables.query<LevelItem>(TABLE, { pk, limit: NODES_MAX, cursor, consistent });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined && items.length < NODES_MAX);
  return items;
};

const nodeOf = ({ sk }: Key): string => sk.slice('NODE#'.length);

/** Levels of a SKU at every node: one query, and one more for each further shard of a hot SKU. */
export const levelsOf = async (tables: Tables, sku: string): Promise<NodeLevel[]> => {
  const firsts = await collectionOf(tables, sku, 0, false);
  const shards = firsts.reduce((most, item) => Math.max(most, item.shards ?? 1), 1);
  const further = await Promise.all(
    Array.from({ length: shards - 1 }, async (_, index) => {
      const items = await collectionOf(tables, sku, index + 1, false);
      return new Map(items.map((item) => [nodeOf(item), shardOf(index + 1, item)]));
    }),
  );
  return firsts.map((first) => {
    const nodeId = nodeOf(first);
    const own = further.slice(0, (first.shards ?? 1) - 1);
    return levelFrom(
      { sku, nodeId },
      first,
      own.map((byNode, index) => byNode.get(nodeId) ?? shardOf(index + 1, undefined)),
    );
  });
};

const snapshotOf = async (tables: Tables, keys: readonly Key[]): Promise<(Attributes | undefined)[]> => {
  const items: (Attributes | undefined)[] = [];
  for (let from = 0; from < keys.length; from += SNAPSHOT_MAX) {
    const reads = keys.slice(from, from + SNAPSHOT_MAX).map((key) => ({ table: TABLE, key }));
    items.push(...(await tables.snapshot(reads)));
  }
  return items;
};

/** One level with all its shards as they stood at one moment; `shards` is how many it was seen to have. */
const wholeLevel = async (tables: Tables, place: Place, shards: number): Promise<NodeLevel> => {
  const keys = Array.from({ length: shards }, (_, shard) => levelKey(place.sku, place.nodeId, shard));
  const items = (await snapshotOf(tables, keys)) as (LevelItem | undefined)[];
  const [first, ...others] = items;
  const now = first?.shards ?? 1;
  // It was spread further since then: what is sold out here may lie there.
  if (now > shards) return wholeLevel(tables, place, now);
  return levelFrom(
    place,
    first,
    others.slice(0, now - 1).map((item, index) => shardOf(index + 1, item)),
  );
};

/** Two looks, one after the other, found the same: so it stood in between, all shards at one moment. */
const isSettled = (before: NodeLevel | undefined, { shards }: NodeLevel): boolean =>
  before?.shards.length === shards.length &&
  shards.every(({ version }, shard) => before.shards[shard]!.version === version);

/**
 * Levels of a SKU at every node as they stand, one that is spread over shards as it stood at one moment. `seen` is what
 * an earlier look saw, by `placeOf`: where nothing has changed since, as when all is sold, no transaction is needed.
 */
export const wholeLevelsOf = async (
  tables: Tables,
  sku: string,
  seen: ReadonlyMap<string, NodeLevel> = new Map(),
): Promise<NodeLevel[]> => {
  const firsts = await collectionOf(tables, sku, 0, true);
  return Promise.all(
    firsts.map(async (first) => {
      const place = { sku, nodeId: nodeOf(first) };
      const shards = first.shards ?? 1;
      const before = seen.get(placeOf(place));
      if (shards === 1) return levelFrom(place, first, []);
      if (before === undefined) return wholeLevel(tables, place, shards);
      const now = levelFrom(place, first, await furtherShards(tables, place, shards));
      return isSettled(before, now) ? now : wholeLevel(tables, place, shards);
    }),
  );
};

const furtherShards = (tables: Tables, { sku, nodeId }: Place, shards: number): Promise<Shard[]> =>
  Promise.all(
    Array.from({ length: shards - 1 }, async (_, index) =>
      shardOf(index + 1, await tables.get<LevelItem>(TABLE, levelKey(sku, nodeId, index + 1))),
    ),
  );

/** A level with its shards as each is just now, not at one moment: for what a guard decides, and never met by a write. */
export const levelGlimpsed = async (tables: Tables, place: Place): Promise<NodeLevel> => {
  const first = await tables.get<LevelItem>(TABLE, levelKey(place.sku, place.nodeId));
  return levelFrom(place, first, await furtherShards(tables, place, first?.shards ?? 1));
};

/** Levels of some SKUs at some nodes, each as it stood at one moment; one that was never opened is empty. */
export const levelsAt = async (tables: Tables, places: readonly Place[]): Promise<NodeLevel[]> => {
  const keys = places.map(({ sku, nodeId }) => levelKey(sku, nodeId));
  const firsts = (await snapshotOf(tables, keys)) as (LevelItem | undefined)[];
  return Promise.all(
    places.map((place, index) => {
      const first = firsts[index];
      const shards = first?.shards ?? 1;
      return shards > 1 ? wholeLevel(tables, place, shards) : levelFrom(place, first, []);
    }),
  );
};

/** Where the index `byNode` finds a level. */
export const listedAtNode = ({ sku, nodeId }: Place) => ({ byNodePk: nodeId, byNodeSk: sku });

/** Levels that a node ever held, by SKU, each as it stands now. */
export const levelsHeldAt = async (
  tables: Tables,
  nodeId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<NodeLevel>> => {
  const { items, ...rest } = await tables.query<{ byNodeSk: string }>(TABLE, { index: 'byNode', pk: nodeId, ...page });
  const places = items.map(({ byNodeSk }) => ({ sku: byNodeSk, nodeId }));
  return { items: await levelsAt(tables, places), ...rest };
};

/** A shard is as it was read. */
export const unchanged = ({ version }: Pick<Shard, 'version'>): Guard[] =>
  version === 0 ? [{ guard: 'without', attribute: 'version' }] : [{ guard: 'version', version }];

/** What head office says of a level; it moves nothing, so it is no change of the balance. */
export const settingsPart = (
  { sku, nodeId }: Place,
  { safetyStock, lowAt }: { safetyStock: number; lowAt?: number | undefined },
): Part<never> => ({
  table: TABLE,
  write: {
    kind: 'update',
    key: levelKey(sku, nodeId),
    set: { safetyStock, ...(lowAt === undefined ? {} : { lowAt }) },
    ...(lowAt === undefined ? { remove: ['lowAt', 'isLow'] } : {}),
  },
  guards: [],
  refusal: undefined as never,
});

/**
 * Remembers on which side of its threshold a level is; refused where somebody else did so first, or where the first shard
 * has moved since it was judged. Further shards move by movements that are suspected themselves.
 */
export const lowPart = (
  { sku, nodeId, lowCrossings, shards }: NodeLevel,
  isLow: boolean,
): Part<'changed-meanwhile'> => ({
  table: TABLE,
  write: {
    kind: 'update',
    key: levelKey(sku, nodeId),
    set: isLow ? { isLow, lowCrossings: lowCrossings + 1 } : { isLow },
  },
  guards: [
    isLow && lowCrossings === 0 ? { guard: 'without', attribute: 'lowCrossings' } : crossed(lowCrossings),
    ...unchanged(shards[0]!),
  ],
  refusal: { problem: 'changed-meanwhile', detail: `the threshold of ${sku} at ${nodeId} was looked at meanwhile` },
});

const crossed = (times: number): Guard => ({ guard: 'one-of', attribute: 'lowCrossings', values: [times] });

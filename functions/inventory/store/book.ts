import { check, put, update } from '../../../shared/change.ts';
import type { Cause } from '../../../shared/outbox.ts';
import type { Guard, Key, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { NodeLevel } from '../domain/availability.ts';
import { added, type Deltas, deltasByShard, type Move, type Place, placeOf } from '../domain/movements.ts';
import { ONE_SHARD, type Share } from '../domain/shards.ts';
import { QUANTITIES } from '../emits.ts';
import { contentionKey, levelKey, listedAtNode, TABLE, unchanged } from './levels.ts';

export interface Booking {
  /** Available units that have to stay at each shard of a level, by `placeOf`: what buffers keep back. */
  kept?: ReadonlyMap<string, readonly number[]>;
  /** Levels that must stand as they were read, by `placeOf`. Nothing else guards them: they may fall below zero. */
  exact?: ReadonlyMap<string, NodeLevel>;
  /** What else is written with the balance of a level's first shard, by `placeOf`: a belief, its number of shards. */
  attributes?: ReadonlyMap<string, object>;
}

export type MoveRefusal = 'changed-meanwhile' | 'insufficient-stock';

const ledgerPk = ({ sku, nodeId }: Place): string => `LEDGER#${sku}#${nodeId}`;
/** Ledger entries of a level by when they were written. */
export const timelinePk = ({ sku, nodeId }: Place): string => `${sku}#${nodeId}`;
const entryKey = (place: Place, movementId: string): Key => ({ pk: ledgerPk(place), sk: movementId });

/** The immutable entry. One that touches other shards than the first says by how much each changed. */
const entryPart = (move: Move, cause: Cause): Part<'changed-meanwhile'> => {
  const { sku, nodeId, kind, movementId, reference, reason, occurredAt } = move;
  const byShard = deltasByShard(move);
  const total = [...byShard.values()].reduce<Deltas>(added, {});
  const isPlain = byShard.size === 1 && byShard.has(0);
  const shards = [...byShard].map(([shard, deltas]) => ({ shard, ...deltas }));
  return put(
    TABLE,
    {
      ...entryKey(move, movementId),
      ...{ kind, ...total, reference, reason, occurredAt, actor: cause.actor, at: cause.now },
      ...(isPlain ? {} : { shards }),
      byTimePk: timelinePk(move),
      byTimeSk: `${cause.now}#${movementId}`,
    },
    [{ guard: 'once' }],
    { problem: 'changed-meanwhile', detail: `${movementId} of ${sku} at ${nodeId} was booked before` },
  );
};

/** On hand follows from the others: goods that were promised may leave though a till sold more than there was. */
const GUARDED = QUANTITIES.filter((quantity) => quantity !== 'onHand' && quantity !== 'available');

const notEnough = (place: Place, deltas: Deltas) => {
  const units = Math.max(0, ...QUANTITIES.map((quantity) => -(deltas[quantity] ?? 0)));
  return {
    problem: 'insufficient-stock' as const,
    detail: `fewer than ${units} of ${place.sku} are there at ${place.nodeId}`,
  };
};

const othersGuarded = (deltas: Deltas): Guard[] =>
  GUARDED.filter((quantity) => (deltas[quantity] ?? 0) < 0).map((attribute) => ({
    ...{ guard: 'at-least', attribute, units: -deltas[attribute]! },
  }));

/**
 * What is taken has to be there beside what is kept back. What the taker held is the taker's; what others' expired holds
 * give back may be owed already, to a till that sold below zero or to a buffer, so it is asked for even if the sum is 0.
 */
const availableGuard = ({ deltas, taken, own, givenBack }: Sum, kept: number): Guard[] => {
  const net = deltas.available ?? 0;
  return taken > own && (net < 0 || givenBack > 0)
    ? [{ guard: 'at-least', attribute: 'available', units: kept - net }]
    : [];
};

/** What some movements do to one shard together. */
interface Sum {
  deltas: Deltas;
  movements: number;
  /** Available units that are taken, and those that come back from the taker's own hold or from others' expired ones. */
  taken: number;
  own: number;
  givenBack: number;
  /** Read as having no threshold: nobody has to be told, as long as that is still so. */
  isUnwatched: boolean;
}

const NOTHING: Sum = { deltas: {}, movements: 0, taken: 0, own: 0, givenBack: 0, isUnwatched: false };

const balancePart = (
  place: Place,
  shard: number,
  sum: Sum,
  { kept, exact, attributes }: Booking,
  movedAt: Instant,
): Part<MoveRefusal> => {
  const { deltas, movements, isUnwatched } = sum;
  const read = exact?.get(placeOf(place))?.shards.find((one) => one.shard === shard);
  // Whoever opens a level enters it into the list of its node, too; the list costs nothing while the entry stays.
  const first = shard === 0 ? { ...attributes?.get(placeOf(place)), ...listedAtNode(place) } : {};
  const keptUnits = kept?.get(placeOf(place))?.[shard] ?? 0;
  const guards: Guard[] =
    read !== undefined ? unchanged(read) : [...availableGuard(sum, keptUnits), ...othersGuarded(deltas)];
  if (isUnwatched && shard === 0) guards.push({ guard: 'without', attribute: 'lowAt' });
  const part = update(
    TABLE,
    levelKey(place.sku, place.nodeId, shard),
    { add: { ...deltas, version: movements }, set: { ...first, movedAt } },
    guards,
    read === undefined
      ? notEnough(place, deltas)
      : { problem: 'changed-meanwhile', detail: `the stock of ${placeOf(place)} was changed meanwhile` },
  );
  return { ...part, tally: contentionKey(place) };
};

/**
 * Movements as parts of ONE transaction: for each shard that they touch its balance, which may not fall below zero, and
 * for each movement its ledger entry, whose key makes it happen at most once. What one movement gives another may take:
 * a level is written once, by the sum (rule 3).
 */
export const bookParts = (moves: readonly Move[], cause: Cause, booking: Booking = {}): Part<MoveRefusal>[] => {
  const balances = new Map<string, Sum & { place: Place; shard: number }>();
  for (const move of moves) {
    for (const [shard, deltas] of deltasByShard(move)) {
      const id = `${placeOf(move)} ${shard}`;
      const before = balances.get(id) ?? { place: move, shard, ...NOTHING };
      const available = deltas.available ?? 0;
      const back = move.kind === 'UNRESERVE' ? available : 0;
      balances.set(id, {
        ...before,
        deltas: added(before.deltas, deltas),
        movements: before.movements + 1,
        taken: before.taken + Math.max(0, -available),
        own: before.own + (move.isOwn === true ? back : 0),
        givenBack: before.givenBack + (move.isOwn === true ? 0 : back),
        isUnwatched: before.isUnwatched || move.isWatched === false,
      });
    }
  }
  const untouched = [...(booking.exact?.values() ?? [])].flatMap((level) =>
    level.shards
      .filter(({ shard }) => !balances.has(`${placeOf(level)} ${shard}`))
      .map((shard) =>
        check(TABLE, levelKey(level.sku, level.nodeId, shard.shard), unchanged(shard), {
          problem: 'changed-meanwhile' as const,
          detail: `the stock of ${placeOf(level)} was changed meanwhile`,
        }),
      ),
  );
  return [
    ...[...balances.values()].map(({ place, shard, ...sum }) => balancePart(place, shard, sum, booking, cause.now)),
    ...moves.map((move) => entryPart(move, cause)),
    ...untouched,
  ];
};

interface EntryItem extends Deltas {
  shards?: ({ shard: number } & Deltas)[];
}

/** At most so many units of what lies at shards. */
const atMost = (shares: readonly Share[], units: number): Share[] => {
  let left = units;
  return shares.flatMap(({ shard, units: there }) => {
    const taken = Math.min(left, there);
    left -= taken;
    return taken > 0 ? [{ shard, units: taken }] : [];
  });
};

/** Whether somebody wants to be told when some levels become low. */
export const areWatched = async (tables: Tables, places: readonly Place[]): Promise<boolean[]> => {
  const reads = places.map(({ sku, nodeId }) => ({ table: TABLE, key: levelKey(sku, nodeId) }));
  return (await tables.snapshot(reads)).map((level) => level?.lowAt !== undefined);
};

/**
 * From which shards the units of some movements came, as their ledgers say, shard 0 where none says anything else; and
 * whether their levels are watched now.
 */
export const sharesBooked = async (
  tables: Tables,
  moves: readonly (Place & { movementId: string; units: number })[],
  quantity: 'allocated',
): Promise<{ shares: Share[]; onlineOnly: number; isWatched: boolean }[]> => {
  const entryKeys = moves.map((move) => entryKey(move, move.movementId));
  const levelKeys = moves.map(({ sku, nodeId }) => levelKey(sku, nodeId));
  const items = await tables.snapshot([...entryKeys, ...levelKeys].map((key) => ({ table: TABLE, key })));
  return moves.map((_, index) => {
    const entry = items[index] as EntryItem | undefined;
    const { units } = moves[index]!;
    const booked = entry?.shards?.map(({ shard, [quantity]: there = 0 }) => ({ shard, units: there }));
    return {
      shares: booked === undefined ? ONE_SHARD(units) : atMost(booked, units),
      onlineOnly: -(entry?.onlineOnly ?? 0),
      isWatched: items[moves.length + index]?.lowAt !== undefined,
    };
  });
};

/** What some movements belong to, by what is booked of them; undefined where nothing is. */
export const referencesBooked = async (
  tables: Tables,
  moves: readonly (Place & { movementId: string })[],
): Promise<(string | undefined)[]> => {
  const reads = moves.map((move) => ({ table: TABLE, key: entryKey(move, move.movementId) }));
  return (await tables.snapshot(reads)).map((entry) => entry?.reference as string | undefined);
};

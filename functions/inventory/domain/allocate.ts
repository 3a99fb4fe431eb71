import type { StockLine } from '../emits.ts';
import type { NodeLevel } from './availability.ts';
import type { Hold, HoldLine } from './holds.ts';
import { type Move, type Place, placeOf, sumBySku } from './movements.ts';
import { ONE_SHARD, type Shard, type Share, spreadBy, takeFrom } from './shards.ts';

/** Units of some SKUs at one node that are promised to one order. Allocated once, then consumed or released once. */
export interface Allocation {
  /** Unique; the same id cannot be allocated or resolved twice. */
  allocationId: string;
  nodeId: string;
  lines: readonly StockLine[];
}

/** What a plan chose from: the levels as they were read, what has to stay there, and holds that may be taken over. */
export interface Stock {
  levels: ReadonlyMap<string, NodeLevel>;
  /** Units that have to stay at each shard, by place: what buffers keep back. */
  kept: ReadonlyMap<string, readonly number[]>;
  /** The buyer's own hold: what it holds is the buyer's to order. */
  own?: Hold | undefined;
  /** Holds whose time is up and that nobody has swept yet. */
  expired: readonly Hold[];
}

/** A hold that is resolved in the transaction that orders its units, or somebody else's expired ones. */
export interface TakenHold {
  hold: Hold;
  outcome: 'COMMITTED' | 'RELEASED' | 'EXPIRED';
}

/** The movements that give back what a hold holds. */
export const unreserve = (hold: Hold): Move<'UNRESERVE'>[] =>
  hold.lines.map((line) => ({
    ...{ sku: line.sku, nodeId: line.nodeId, kind: 'UNRESERVE', shares: line.shares },
    ...{ movementId: `${hold.holdId}#RESOLVED`, reference: hold.holdId },
  }));

const isWatched = ({ levels }: Stock, place: Place): boolean | undefined => {
  const level = levels.get(placeOf(place));
  return level === undefined ? undefined : level.lowAt !== undefined;
};

const givenBack = (hold: Hold, stock: Stock): Move[] =>
  unreserve(hold).map((move) => ({ ...move, isOwn: hold === stock.own, isWatched: isWatched(stock, move) }));

interface Left extends Pick<Shard, 'shard'> {
  available: number;
}

/** The stock while a plan is carried out on it: what one line takes, the next one does not find. */
class Shelf {
  readonly taken: TakenHold[] = [];
  readonly #left = new Map<string, Left[]>();
  readonly #pool = new Map<string, number>();
  readonly #stock: Stock;

  constructor(stock: Stock, endOfOwn: 'COMMITTED' | 'RELEASED') {
    this.#stock = stock;
    if (stock.own !== undefined) this.#takeOver(stock.own, endOfOwn);
  }

  #shards(place: Place): Left[] {
    const known = this.#left.get(placeOf(place));
    if (known !== undefined) return known;
    const level = this.#stock.levels.get(placeOf(place));
    const shards = (level?.shards ?? [{ shard: 0, available: 0 }]).map(({ shard, available }) => ({
      shard,
      available,
    }));
    this.#left.set(placeOf(place), shards);
    this.#pool.set(placeOf(place), level?.shards[0]?.onlineOnly ?? 0);
    return shards;
  }

  #add(place: Place, shares: readonly Share[], sign: 1 | -1): void {
    const shards = this.#shards(place);
    for (const { shard, units } of shares) {
      const one = shards.find((known) => known.shard === shard);
      if (one !== undefined) one.available += sign * units;
    }
  }

  #takeOver(hold: Hold, outcome: TakenHold['outcome']): void {
    this.taken.push({ hold, outcome });
    for (const line of hold.lines) this.#add(line, line.shares, 1);
  }

  /** Buyers begin at different ones, or all of them would take over the same hold, and all but one decide anew. */
  #nextExpired(place: Place, id: string): Hold | undefined {
    const taken = new Set(this.taken.map(({ hold }) => hold.holdId));
    const there = this.#stock.expired.filter(
      ({ holdId, lines }) => !taken.has(holdId) && lines.some((line) => placeOf(line) === placeOf(place)),
    );
    return there[spreadBy(id, there.length)];
  }

  /**
   * Units from shards, taking over expired holds where there is too little without. If all is in vain shard 0 is asked,
   * and its guard refuses.
   */
  take(place: Place, units: number, id: string): { shares: Share[]; onlineOnly: number } {
    const kept = this.#stock.kept.get(placeOf(place)) ?? [];
    for (;;) {
      const shares = takeFrom(this.#shards(place), units, kept, id);
      if (shares !== undefined) {
        this.#add(place, shares, -1);
        const pool = this.#pool.get(placeOf(place))!;
        const fromPool = Math.min(pool, units);
        this.#pool.set(placeOf(place), pool - fromPool);
        return { shares, onlineOnly: -fromPool };
      }
      const expired = this.#nextExpired(place, id);
      if (expired === undefined) return { shares: ONE_SHARD(units), onlineOnly: 0 };
      this.#takeOver(expired, 'EXPIRED');
    }
  }
}

/** The movements that promise some orders' lines, and the holds that they take over (rule 9). */
export const allocationMoves = (
  allocations: readonly Allocation[],
  stock: Stock,
): { moves: Move[]; taken: TakenHold[] } => {
  const shelf = new Shelf(stock, 'COMMITTED');
  const allocated = allocations.flatMap(({ allocationId, nodeId, lines }) =>
    sumBySku(lines).map(({ sku, units }): Move => {
      const { shares, onlineOnly } = shelf.take({ sku, nodeId }, units, allocationId);
      return {
        ...{ sku, nodeId, kind: 'ALLOCATE', shares, onlineOnly },
        ...{ movementId: `${allocationId}#ALLOCATED`, reference: allocationId },
        isWatched: isWatched(stock, { sku, nodeId }),
      };
    }),
  );
  return { moves: [...shelf.taken.flatMap(({ hold }) => givenBack(hold, stock)), ...allocated], taken: shelf.taken };
};

/** The movements that hold units for somebody, in place of the holder's hold before, and the holds they take over. */
export const reservationMoves = (
  holdId: string,
  lines: readonly HoldLine[],
  stock: Stock,
): { moves: Move[]; held: Hold['lines']; taken: TakenHold[] } => {
  const shelf = new Shelf(stock, 'RELEASED');
  const held = lines.map((line) => ({ ...line, shares: shelf.take(line, line.units, holdId).shares }));
  const reserved = held.map(
    ({ sku, nodeId, shares }): Move => ({
      ...{ sku, nodeId, kind: 'RESERVE', shares, movementId: `${holdId}#RESERVED`, reference: holdId },
      isWatched: isWatched(stock, { sku, nodeId }),
    }),
  );
  return {
    moves: [...shelf.taken.flatMap(({ hold }) => givenBack(hold, stock)), ...reserved],
    held,
    taken: shelf.taken,
  };
};

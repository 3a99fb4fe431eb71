import type { Tables } from '../../../shared/table.ts';
import { type Instant, plusSeconds } from '../../../shared/time.ts';
import { totalsOf } from '../domain/availability.ts';
import type { Place } from '../domain/movements.ts';
import type { MovementKind } from '../emits.ts';
import { movementsOf } from '../store/ledger.ts';
import { levelsAt } from '../store/levels.ts';

/** Corrections of what was known, whenever it was found out; everything else that changes units on hand took place. */
const KNOWLEDGE: readonly MovementKind[] = ['COUNT', 'CORRECTION'];
const PAGE = 100;
/** Movements that are looked back over; a level with more of them has to be counted anew. */
const PAGES_MAX = 20;

export interface AsOf {
  /** Units on hand by what is known now of the moment. */
  onHand: number;
  /** Units that came or left between `from` and the moment, both added up. */
  moved: number;
}

interface Looking {
  at: Instant;
  from: Instant;
  /** How the level stood when somebody began to watch it. */
  anchor: { version: number; at: Instant };
  /** Entries of requests that began so long before the anchor are taken for changes after it, too: they may be. */
  underWaySeconds?: number;
}

/**
 * What was on hand at a moment: the balance as it stands, without what took place after the moment. What was booked
 * late counts from when it happened. The ledger's index follows its table with a delay: undefined where it shows fewer
 * entries than the level had changes since the anchor, or where there are too many of them. Ask again.
 */
export const booksAsOf = async (
  tables: Tables,
  place: Place,
  { at, from, anchor, underWaySeconds = 0 }: Looking,
): Promise<AsOf | undefined> => {
  const [level] = await levelsAt(tables, [place]);
  const { onHand: booked, version } = totalsOf(level!);
  const asOf: AsOf = { onHand: booked, moved: 0 };
  let seen = 0;
  let cursor: string | undefined;
  for (let page = 0; version > anchor.version && page < PAGES_MAX; page += 1) {
    const span = { from: plusSeconds(anchor.at, -underWaySeconds), until: undefined };
    const found = await movementsOf(tables, place, span, { limit: PAGE, cursor });
    for (const movement of found.items) {
      const { kind, onHand } = movement;
      const tookPlaceAt = movement.occurredAt ?? movement.at;
      // An entry is a change of each shard that it touches.
      seen += (movement as { shards?: unknown[] }).shards?.length ?? 1;
      if (onHand === 0 || KNOWLEDGE.includes(kind)) continue;
      if (tookPlaceAt > at) asOf.onHand -= onHand;
      else if (tookPlaceAt > from) asOf.moved += Math.abs(onHand);
    }
    cursor = found.cursor;
    if (cursor === undefined) break;
  }
  const isWhole = cursor === undefined && seen >= version - anchor.version;
  return isWhole ? asOf : undefined;
};

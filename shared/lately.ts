import type { Tables } from './table.ts';
import type { Instant } from './time.ts';

/** How long a read serves whoever comes after it. Under load one second is many requests. */
const FRESH_MS = 1_000;

/**
 * A read of something that changes seldom and is asked for by everybody: as it stood at most a second ago. A read that
 * fails is not remembered. Two reads of one instant are two reads: a clock may stand still.
 */
export const lately = <T>(read: (tables: Tables) => Promise<T>): ((tables: Tables, now: Instant) => Promise<T>) => {
  const lastRead = new WeakMap<Tables, { atMs: number; found: Promise<T> }>();
  return (tables, now) => {
    const nowMs = Date.parse(now);
    const known = lastRead.get(tables);
    if (known !== undefined && nowMs > known.atMs && nowMs < known.atMs + FRESH_MS) return known.found;
    const found = read(tables);
    lastRead.set(tables, { atMs: nowMs, found });
    found.catch(() => lastRead.delete(tables));
    return found;
  };
};

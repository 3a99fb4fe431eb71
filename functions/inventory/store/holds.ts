import { put, update } from '../../../shared/change.ts';
import { DUE_ATTRIBUTES, dueAt, dueKeys } from '../../../shared/due.ts';
import type { Key, Part, Tables } from '../../../shared/table.ts';
import { epochSeconds, type Instant } from '../../../shared/time.ts';
import type { Hold, HoldStatus } from '../domain/holds.ts';
import { ONE_SHARD, type Share } from '../domain/shards.ts';
import { TABLE } from './levels.ts';

/** How long a resolved hold can still be asked about. */
const KEPT_SECONDS = 30 * 24 * 3600;

interface HoldItem extends Key, Omit<Hold, 'holdId' | 'lines'> {
  /** Shares only where they are not all at shard 0. */
  lines: { sku: string; nodeId: string; units: number; shares?: Share[] }[];
}

const holdKey = (holdId: string): Key => ({ pk: `HOLD#${holdId}`, sk: 'HOLD' });

export const holdOf = async (tables: Tables, holdId: string): Promise<Hold | undefined> => {
  const item = await tables.get<HoldItem>(TABLE, holdKey(holdId));
  if (item === undefined) return undefined;
  const { holderId, purpose, status, heldUntil, createdAt, version } = item;
  const lines = item.lines.map((line) => ({ ...line, shares: line.shares ?? ONE_SHARD(line.units) }));
  return { holdId, holderId, purpose, status, heldUntil, createdAt, version, lines };
};

export const newHoldPart = ({ holdId, lines, ...rest }: Hold): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    {
      ...{ ...holdKey(holdId), ...rest, ...dueAt(rest.heldUntil, holdId) },
      lines: lines.map(({ sku, nodeId, units, shares }) => ({
        ...{ sku, nodeId, units },
        ...(shares.length === 1 && shares[0]!.shard === 0 ? {} : { shares }),
      })),
    },
    [{ guard: 'once' }],
    { problem: 'changed-meanwhile', detail: `${holdId} exists already` },
  );

const HELD = [{ guard: 'one-of', attribute: 'status', values: ['HELD'] }] as const;

export const extendedPart = (hold: Hold): Part<'changed-meanwhile'> =>
  update(
    TABLE,
    holdKey(hold.holdId),
    { set: { heldUntil: hold.heldUntil, version: hold.version, ...dueAt(hold.heldUntil, hold.holdId) } },
    [...HELD, { guard: 'version', version: hold.version - 1 }],
    { problem: 'changed-meanwhile', detail: `${hold.holdId} was changed meanwhile` },
  );

/** The hold comes to its end, once: whoever is second is refused. */
export const resolvedPart = (
  { holdId, version }: Hold,
  status: Exclude<HoldStatus, 'HELD'>,
  now: Instant,
): Part<'changed-meanwhile'> =>
  update(
    TABLE,
    holdKey(holdId),
    {
      set: { status, version: version + 1, resolvedAt: now, expiresAt: epochSeconds(now) + KEPT_SECONDS },
      remove: DUE_ATTRIBUTES,
    },
    [...HELD, { guard: 'version', version }],
    { problem: 'changed-meanwhile', detail: `${holdId} was resolved or extended meanwhile` },
  );

const holdIdOf = ({ pk }: Key): string => pk.slice('HOLD#'.length);

/** Holds whose time is up at `now`, as they stand. */
export async function* expiredHolds(tables: Tables, now: Instant, max: number): AsyncGenerator<Hold> {
  for await (const key of dueKeys(tables, TABLE, now, max)) {
    const hold = await holdOf(tables, holdIdOf(key));
    if (hold?.status === 'HELD' && hold.heldUntil <= now) yield hold;
  }
}

/** The same, read at once: for somebody who waits for them. */
export const holdsExpired = async (tables: Tables, now: Instant, max: number): Promise<Hold[]> => {
  const keys: Key[] = [];
  for await (const key of dueKeys(tables, TABLE, now, max)) keys.push(key);
  const holds = await Promise.all(keys.map((key) => holdOf(tables, holdIdOf(key))));
  return holds.filter((hold) => hold?.status === 'HELD' && hold.heldUntil <= now) as Hold[];
};

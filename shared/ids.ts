import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** Prefixes of ids, so that one is recognised wherever it turns up. */
const PREFIXES = {
  cart: 'crt',
  order: 'ord',
  address: 'adr',
  hold: 'hld',
  movement: 'mov',
  request: 'req',
  product: 'prd',
  transfer: 'trf',
  count: 'cnt',
  session: 'rfs',
} as const;
export type IdKind = keyof typeof PREFIXES;

export type NewId = (kind: IdKind) => string;

/** Chance from the operating system, many bytes at a time: a ULID asks for each of its characters. */
const systemChance = (): (() => number) => {
  const POOL_BYTES = 4_096;
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at + 4 > pool.length) {
      pool = randomBytes(POOL_BYTES);
      at = 0;
    }
    at += 4;
    return pool.readUInt32LE(at - 4) / 2 ** 32;
  };
};

/**
 * Makes prefixed ULIDs (`ord_01J…`): sortable by time of creation, monotonic within one process. Their other half is
 * chance from the operating system, unless a simulation brings its own.
 */
export const idsFrom = (nowMs: () => number, random = systemChance()): NewId => {
  const next = monotonicFactory(random);
  return (kind) => `${PREFIXES[kind]}_${next(nowMs())}`;
};

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

/**
 * Makes prefixed ULIDs (`ord_01J…`): sortable by time of creation, monotonic within one process. Their other half is
 * chance from the operating system, unless a simulation brings its own.
 */
export const idsFrom = (nowMs: () => number, random?: () => number): NewId => {
  const next = monotonicFactory(random);
  return (kind) => `${PREFIXES[kind]}_${next(nowMs())}`;
};

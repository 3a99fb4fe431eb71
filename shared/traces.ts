import { isDeepStrictEqual } from 'node:util';
import { fromWire, toWire } from './expression.ts';
import type { Attributes, Part, Write } from './table.ts';

/** How a commit is known to have been carried out, when its answer was lost (ADR 19). */

/** As it is read again once it was written. */
const kept = (attributes: Attributes): Attributes => fromWire(toWire(attributes));

/** True where an item stands as a write that may have been carried out would have left it: nothing less, nothing more. */
export const isAsWritten = (write: Write, item: Attributes | undefined): boolean => {
  if (write.kind === 'delete') return item === undefined;
  if (item === undefined) return false;
  if (write.kind === 'put') return isDeepStrictEqual(item, kept(write.item));
  if (write.kind === 'check') return true;
  const isSet = Object.entries(kept(write.set ?? {})).every(([name, value]) => isDeepStrictEqual(item[name], value));
  return isSet && (write.remove ?? []).every((name) => item[name] === undefined);
};

/** The write of a transaction that tells whether it was carried out, by standing there. */
export const traceOf = (parts: readonly Part[]): Part | undefined =>
  parts.find(({ guards }) => guards.some(({ guard }) => guard === 'once'));

/**
 * One write alone needs no transaction, which would cost twice the units, where its guard fails on what it wrote
 * itself. Two need one, because only a transaction has a token to tell that an attempt which arrives late was carried
 * out before: adding to a number, and making what may be taken away again meanwhile (the discrepancy of a level).
 */
export const standsAlone = (parts: readonly Part[]): boolean => {
  const [part, another] = parts;
  if (part === undefined || another !== undefined || part.write.kind === 'check') return false;
  const adds = part.write.kind === 'update' && part.write.add !== undefined;
  return !adds && !part.guards.some(({ guard }) => guard === 'absent');
};

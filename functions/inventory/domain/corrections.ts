import { ok, type Result, refuse } from '../../../shared/result.ts';
import { availableOf, type NodeLevel, totalsOf } from './availability.ts';
import { type Move, type Place, placeOf } from './movements.ts';
import { ONE_SHARD, type Share, takeFrom } from './shards.ts';

/** What somebody enters into the books by hand. Unlike what happened, it may be refused. */
export interface Correction extends Place {
  kind: 'CORRECTION' | 'DAMAGE' | 'QUALITY_HOLD' | 'ONLINE_ONLY';
  units: number;
  movementId: string;
  reason: string;
}

/** Where what is set aside is counted. */
export const KEPT_IN = { DAMAGE: 'damaged', QUALITY_HOLD: 'qualityHold' } as const;

/** Shares of units that a correction takes from what `quantity` says is there; undefined where there is too little. */
const sharesOf = ({ kind, units, movementId }: Correction, { shards }: NodeLevel): Share[] | undefined => {
  if (kind === 'ONLINE_ONLY') return ONE_SHARD(units);
  const isFromAvailable = kind === 'CORRECTION' ? units < 0 : units > 0;
  if (isFromAvailable) {
    const taken = takeFrom(shards, Math.abs(units), [], movementId);
    return taken?.map((share) => ({ ...share, units: Math.sign(units) * share.units }));
  }
  if (kind === 'CORRECTION') return ONE_SHARD(units);
  const aside = shards.map((shard) => ({ shard: shard.shard, available: shard[KEPT_IN[kind]] }));
  return takeFrom(aside, -units, [], movementId)?.map((share) => ({ ...share, units: -share.units }));
};

/** A correction as a movement, or why the books do not allow it. */
export const correctionMove = (correction: Correction, level: NodeLevel): Result<Move, 'insufficient-stock'> => {
  const { kind, units, ...what } = correction;
  const place = placeOf(what);
  const { onlineOnly } = totalsOf(level);
  const available = availableOf(level);
  if (kind === 'ONLINE_ONLY' && (onlineOnly + units < 0 || (units > 0 && onlineOnly + units > available))) {
    const detail = `${onlineOnly} of ${available} available units of ${place} are set aside for online`;
    return refuse('insufficient-stock', detail, '/unitsDelta');
  }
  const shares = sharesOf(correction, level);
  if (shares === undefined) {
    const there = kind === 'CORRECTION' || units > 0 ? `${available} are available` : 'fewer are set aside';
    return refuse('insufficient-stock', `${Math.abs(units)} units of ${place}: ${there}`, '/unitsDelta');
  }
  return ok({ ...what, kind, shares, reference: what.movementId, isWatched: level.lowAt !== undefined });
};

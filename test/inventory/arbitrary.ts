import fc from 'fast-check';
import type { NodeLevel } from '../../functions/inventory/domain/availability.ts';
import type { Shard, Share } from '../../functions/inventory/domain/shards.ts';
import { QUANTITIES } from '../../functions/inventory/emits.ts';
import { plusSeconds } from '../../shared/time.ts';

export const NOW = '2026-11-21T09:00:00.000Z';
export const AT = { sku: 'TEE', nodeId: 'dc-1' };
export const plus = (units: readonly number[]): number => units.reduce((sum, one) => sum + one, 0);
export const unitsOf = (shares: readonly Share[]): number => plus(shares.map(({ units }) => units));

export const someUnits = fc.integer({ min: 0, max: 60 });
/** Availability of each shard; rule 13 lets one fall below zero. */
export const someShards = (min = 0) => fc.array(fc.integer({ min, max: 60 }), { minLength: 1, maxLength: 8 });
export const left = (units: readonly number[]) => units.map((available, shard) => ({ shard, available }));
export const instant = (fromDays: number, toDays: number) =>
  fc.integer({ min: fromDays * 86_400, max: toDays * 86_400 }).map((seconds) => plusSeconds(NOW, seconds));

export const levelOf = (available: readonly number[], more: Partial<NodeLevel> = {}): NodeLevel => ({
  ...{ ...AT, safetyStock: 0, isLow: false, lowCrossings: 0, belief: {} },
  shards: available.map((units, shard): Shard => {
    const nothing = Object.fromEntries(QUANTITIES.map((quantity) => [quantity, 0])) as Record<string, number>;
    return { ...nothing, shard, version: 1, onHand: units, available: units } as Shard;
  }),
  ...more,
});
export const withPool = (level: NodeLevel, onlineOnly: number): NodeLevel => ({
  ...level,
  shards: level.shards.map((shard) => (shard.shard === 0 ? { ...shard, onlineOnly } : shard)),
});

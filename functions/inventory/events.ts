import { change, fact } from '../../shared/change.ts';
import type { ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type inventory from './contract.ts';
import { availableOf, type NodeLevel } from './domain/availability.ts';
import { emits } from './emits.ts';
import { levelsAt, lowPart } from './store/levels.ts';

/** On which side of its threshold a level is, where that is another one than was known. */
const crossing = (level: NodeLevel): boolean | undefined => {
  const isLow = level.lowAt !== undefined && availableOf(level) <= level.lowAt;
  return level.lowAt === undefined || isLow === level.isLow ? undefined : isLow;
};

export const handlers = ({ tables }: Runtime): ReactionHandlers<typeof inventory> => ({
  LowStockSuspected: async ({ levels }) => {
    const read = await levelsAt(tables, levels);
    const crossed = read.flatMap((level) => {
      const isLow = crossing(level);
      return isLow === undefined ? [] : [{ level, isLow }];
    });
    if (crossed.length === 0) return undefined;
    return {
      change: change(
        crossed.map(({ level, isLow }) => lowPart(level, isLow)),
        crossed
          .filter(({ isLow }) => isLow)
          .map(({ level }) => {
            const { sku, nodeId, lowAt, lowCrossings } = level;
            const data = { sku, nodeId, available: availableOf(level), lowAt: lowAt! };
            return fact(emits.StockLow, `stock/${sku}@${nodeId}`, lowCrossings + 1, data);
          }),
      ),
    };
  },
});

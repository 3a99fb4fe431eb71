import { change, fact } from '../../shared/change.ts';
import type { ReactionHandlers } from '../../shared/events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type inventory from './contract.ts';
import { availableOf, type NodeLevel } from './domain/availability.ts';
import { type DoubtKind, doubted } from './domain/confidence.ts';
import { emits } from './emits.ts';
import { beliefPart } from './store/beliefs.ts';
import { levelsAt, lowPart } from './store/levels.ts';

/** On which side of its threshold a level is, where that is another one than was known. */
const crossing = (level: NodeLevel): boolean | undefined => {
  const isLow = level.lowAt !== undefined && availableOf(level) <= level.lowAt;
  return level.lowAt === undefined || isLow === level.isLow ? undefined : isLow;
};

/** What a refusal says of the books: a node that is busy says nothing. */
const DOUBT: Record<'NOT_FOUND' | 'DAMAGED' | 'BUSY' | 'OTHER', DoubtKind | undefined> = {
  NOT_FOUND: 'SHORT_PICK',
  DAMAGED: 'REFUSAL',
  OTHER: 'REFUSAL',
  BUSY: undefined,
};

export const handlers = ({ tables }: Runtime): ReactionHandlers<typeof inventory> => ({
  Rejected: async ({ nodeId, lines, cause }, { time }) => {
    const doubt = DOUBT[cause];
    if (doubt === undefined) return undefined;
    const levels = await levelsAt(
      tables,
      lines.map(({ sku }) => ({ sku, nodeId })),
    );
    return { change: change(levels.map((level) => beliefPart(level, doubted(level.belief, doubt, time)))) };
  },

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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHORT_SALE, tableOf } from './page.ts';
import { FlashSale, type HotFigures, measureSales } from './sale.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'hot-skus.md');
const { shards: _, firstLookSeconds: __, ...SALE } = SHORT_SALE;

describe('a flash sale behind the limits of DynamoDB', () => {
  let figures: HotFigures;

  it('sells every unit once, strands none, and says sold out only when it is', { timeout: 120_000 }, async () => {
    figures = await measureSales(SHORT_SALE);
    for (const result of [...figures.fixed, figures.tended]) {
      expect(result).toMatchObject({ sold: SALE.units, stranded: 0, wronglyRefused: 0 });
      expect(result.soldOut).toBe(SALE.buyers - SALE.units);
    }
  });

  it('is over sooner with more shards', () => {
    const seconds = figures.fixed.map((result) => result.seconds);
    expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
  });

  it('has the figures that its page states', () => {
    expect(readFileSync(PAGE, 'utf8')).toContain(tableOf(figures));
  });

  it('is the same again with the same seed', { timeout: 60_000 }, async () => {
    const again = await new FlashSale({ ...SALE, shards: 4 }).run();
    expect(again).toEqual(figures.fixed[1]);
  });

  it('goes faster once a rush from one shard on has turned shards on by itself', { timeout: 120_000 }, async () => {
    const rush = { ...SALE, units: 400, buyers: 600 };
    const alone = await new FlashSale({ ...rush, shards: 1 }).run();
    const tended = await new FlashSale({ ...rush, shards: 1, firstLookSeconds: 0.3 }).run();
    expect(tended).toMatchObject({ sold: 400, stranded: 0, wronglyRefused: 0 });
    expect(tended.opened.map(({ shards }) => shards)).toContain(4);
    expect(tended.seconds).toBeLessThan(alone.seconds);
  });
});

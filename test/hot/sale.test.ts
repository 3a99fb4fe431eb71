import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHORT_SALE, tableOf } from './page.ts';
import { FlashSale, type HotFigures, measureSales } from './sale.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'hot-skus.md');
const { shards: _, firstLookSeconds: __, ...SALE } = SHORT_SALE;

describe('a flash sale behind the limits of DynamoDB', () => {
  let figures: HotFigures;

  it('sells every unit once, strands none, and says sold out only when it is', { timeout: 240_000 }, async () => {
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

  it('is the same again with the same seed', { timeout: 120_000 }, async () => {
    const again = await new FlashSale({ ...SALE, shards: 4 }).run();
    expect(again).toEqual(figures.fixed[1]);
  });

  it('that begins with one shard turns shards on by itself', () => {
    expect(figures.tended.opened.map(({ shards }) => shards)).toContain(4);
  });
});

import type { Lookup } from '../../shared/lookup.ts';
import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import type { SellableVariant } from './contract.ts';
import type { VariantRecord } from './domain.ts';
import { variantsLookup, variantsOf } from './store.ts';

export type { SellableVariant } from './contract.ts';
/** What the catalog knows of some SKUs, of withdrawn ones too, by SKU; for ever. Needs GetItem on `catalog`. */
export { variantsOf as known } from './store.ts';

const onSale = (variants: ReadonlyMap<string, VariantRecord>): Map<string, SellableVariant> =>
  new Map([...variants].filter(([, { withdrawn }]) => !withdrawn));

/** What some SKUs are and cost now, by SKU. One that is missing is not on sale. Needs GetItem on `catalog`. */
export const sellable = async (tables: Tables, skus: readonly string[]): Promise<Map<string, SellableVariant>> =>
  onSale(await variantsOf(tables, skus));

/** As `sellable`, to be read together with something else. */
export const sellableLookup = (skus: readonly string[]): Lookup<Map<string, SellableVariant>> => {
  const { reads, of } = variantsLookup(skus);
  return { reads, of: (items) => onSale(of(items)) };
};

/** How long a read of a variant serves those who only show it. */
const FRESH_MS = 1_000;
const REMEMBERED_MAX = 5_000;

const lastRead = new WeakMap<Tables, Map<string, { atMs: number; variant: SellableVariant }>>();

/**
 * As `sellable`, as it stood at most a second ago: for showing, where whoever buys reads again. What is not on sale is
 * looked for each time, so that a new product is there at once. Two reads of one instant are two reads: a clock may
 * stand still.
 */
export const sellableLately = async (
  tables: Tables,
  skus: readonly string[],
  now: Instant,
): Promise<Map<string, SellableVariant>> => {
  const nowMs = Date.parse(now);
  const known = lastRead.get(tables) ?? new Map<string, { atMs: number; variant: SellableVariant }>();
  lastRead.set(tables, known);
  const isFresh = (sku: string): boolean => {
    const atMs = known.get(sku)?.atMs ?? Number.NaN;
    return nowMs > atMs && nowMs < atMs + FRESH_MS;
  };
  const stale = skus.filter((sku) => !isFresh(sku));
  const fresh = stale.length === 0 ? new Map<string, SellableVariant>() : await sellable(tables, stale);
  if (known.size > REMEMBERED_MAX) known.clear();
  for (const sku of stale) known.delete(sku);
  for (const [sku, variant] of fresh) known.set(sku, { atMs: nowMs, variant });
  return new Map(
    skus.flatMap((sku) => {
      const variant = fresh.get(sku) ?? known.get(sku)?.variant;
      return variant === undefined ? [] : [[sku, variant] as const];
    }),
  );
};

import { changedMeanwhile, put } from '../../shared/change.ts';
import { type Lookup, lookUp } from '../../shared/lookup.ts';
import type { Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { Product, ProductSummary } from './contract.ts';
import type { VariantRecord } from './domain.ts';

const TABLE = 'catalog';

/** Reads that one TransactGetItems takes. */
const SNAPSHOT_MAX = 100;
const PUBLISHED = 'PUBLISHED';

const productKey = (productId: string): Key => ({ pk: `PRODUCT#${productId}`, sk: 'PRODUCT' });
const variantKey = (sku: string): Key => ({ pk: `SKU#${sku}`, sk: 'VARIANT' });

export const productOf = (tables: Tables, productId: string): Promise<Product | undefined> =>
  tables.get(TABLE, productKey(productId));

/** Records of SKUs, withdrawn ones too, by SKU; a SKU that never was is missing. */
export const variantsLookup = (skus: readonly string[]): Lookup<Map<string, VariantRecord>> => ({
  reads: [...new Set(skus)].map((sku) => ({ table: TABLE, key: variantKey(sku) })),
  of: (items) => new Map(items.flatMap((item) => (item === undefined ? [] : [[item.sku as string, item as never]]))),
});

/** As the lookup, for any number of SKUs. */
export const variantsOf = async (tables: Tables, skus: readonly string[]): Promise<Map<string, VariantRecord>> => {
  const found: [string, VariantRecord][] = [];
  for (let from = 0; from < skus.length; from += SNAPSHOT_MAX) {
    found.push(...(await lookUp(tables, variantsLookup(skus.slice(from, from + SNAPSHOT_MAX))))[0]);
  }
  return new Map(found);
};

export const listingOf = (
  tables: Tables,
  category: string | undefined,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<ProductSummary>> =>
  tables.query(TABLE, {
    index: 'listing',
    pk: PUBLISHED,
    ...(category === undefined ? {} : { startsWith: `${category}#` }),
    ...page,
  });

/** The first version must be new, any later one must follow the one that the decision was made on. */
const follows = (version: number): Guard[] => [
  version === 1 ? { guard: 'absent' } : { guard: 'version', version: version - 1 },
];

export const productPart = (product: Product): Part<'changed-meanwhile'> => {
  const { productId, category, variants, version } = product;
  const [cheapest] = variants.map(({ price }) => price).sort((a, b) => a.amountMinor - b.amountMinor);
  return put(
    TABLE,
    {
      ...productKey(productId),
      ...product,
      priceFrom: cheapest,
      skus: variants.map(({ sku }) => sku),
      listingPk: PUBLISHED,
      listingSk: `${category}#${productId}`,
    },
    follows(version),
    changedMeanwhile(`product ${productId}`),
  );
};

export const variantPart = (record: VariantRecord): Part<'changed-meanwhile'> =>
  put(TABLE, { ...variantKey(record.sku), ...record }, follows(record.version), changedMeanwhile(`SKU ${record.sku}`));

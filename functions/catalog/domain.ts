import { ok, type Result, refuse } from '../../shared/result.ts';
import type { NewProduct, Product, SellableVariant } from './contract.ts';

/** What the catalog knows of a SKU. Kept when it is withdrawn, so that nobody else can ever take the SKU. */
export type VariantRecord = SellableVariant & { withdrawn: boolean; version: number };

/** What publishing a product writes. `variants` are all that change: those on sale and those withdrawn by it. */
export interface Publication {
  product: Product;
  variants: VariantRecord[];
  /** Those of `variants` that had another price before. */
  repriced: VariantRecord[];
}

type PublishRefusal = 'invalid-input' | 'already-exists';

const checkVariants = (
  { productId, variants }: NewProduct,
  known: ReadonlyMap<string, VariantRecord>,
): Result<void, PublishRefusal> => {
  const currency = variants[0]!.price.currency;
  const seen = new Set<string>();
  for (const [index, { sku, price }] of variants.entries()) {
    const field = `/variants/${index}`;
    const owner = known.get(sku)?.productId ?? productId;
    if (seen.has(sku)) return refuse('invalid-input', `${sku} is given twice`, `${field}/sku`);
    if (price.currency !== currency) {
      return refuse('invalid-input', `a product has one currency, here ${currency}`, `${field}/price/currency`);
    }
    if (owner !== productId) return refuse('already-exists', `${sku} belongs to product ${owner}`, `${field}/sku`);
    seen.add(sku);
  }
  return ok(undefined);
};

/**
 * Publishes what is `wanted` in place of what was published `earlier`. `known` holds the records of all SKUs of both.
 * A SKU belongs to the product that first had it, for ever: stock, ledgers and orders go by SKU, and must not come to
 * mean something else.
 */
export const publish = (
  wanted: NewProduct,
  earlier: Product | undefined,
  known: ReadonlyMap<string, VariantRecord>,
): Result<Publication, PublishRefusal> => {
  const checked = checkVariants(wanted, known);
  if (!checked.ok) return checked;
  const { productId, name, category, storage } = wanted;
  const onSale = wanted.variants.map(
    (variant): VariantRecord => ({
      ...variant,
      ...{ productId, name, category, storage },
      withdrawn: false,
      version: (known.get(variant.sku)?.version ?? 0) + 1,
    }),
  );
  const kept = new Set(onSale.map(({ sku }) => sku));
  const withdrawn = (earlier?.variants ?? [])
    .filter(({ sku }) => !kept.has(sku))
    .map(({ sku }) => known.get(sku)!)
    .map((record) => ({ ...record, withdrawn: true, version: record.version + 1 }));
  const repriced = onSale.filter(({ sku, price }) => {
    const before = known.get(sku)?.price ?? price;
    return before.amountMinor !== price.amountMinor || before.currency !== price.currency;
  });
  return ok({
    product: { ...wanted, version: (earlier?.version ?? 0) + 1 },
    variants: [...onSale, ...withdrawn],
    repriced,
  });
};

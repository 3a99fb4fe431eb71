import type { Tables } from '../../../shared/table.ts';
import { sellable as onSale } from '../../catalog/parts.ts';
import type { StockPolicy } from '../domain/availability.ts';

/** Categories of some SKUs. The catalog is asked only where some of the policies go by category. */
export const categoriesOf = async (
  tables: Tables,
  skus: readonly string[],
  policies: readonly StockPolicy[],
): Promise<(sku: string) => string | undefined> => {
  if (!policies.some(({ categories }) => categories.length > 0)) return () => undefined;
  const products = await onSale(tables, skus);
  return (sku) => products.get(sku)?.category;
};

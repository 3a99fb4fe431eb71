import type { Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { sellable as onSale } from '../../catalog/parts.ts';
import { knownPolicies } from '../store/policies.ts';

/** Categories of some SKUs. The catalog is asked only where some buffer or pilot goes by category. */
export const categoriesOf = async (
  tables: Tables,
  skus: readonly string[],
  now: Instant,
): Promise<(sku: string) => string | undefined> => {
  const policies = await knownPolicies(tables, now);
  if (!policies.some(({ categories }) => categories.length > 0)) return () => undefined;
  const products = await onSale(tables, skus);
  return (sku) => products.get(sku)?.category;
};

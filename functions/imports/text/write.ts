import { stringify } from 'csv-stringify/sync';

/** What an export says of a SKU at a node. The first three columns are those that an import takes. */
export interface ExportRow {
  sku: string;
  nodeId: string;
  onHand: number;
  available: number;
  /** Of the product; empty where the catalog does not know the SKU. */
  name: string;
}

const COLUMNS: (keyof ExportRow)[] = ['sku', 'nodeId', 'onHand', 'available', 'name'];

/**
 * Rows as CSV (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it (rule 21);
 * numbers stay numbers, those below zero, too.
 */
export const asCsv = (rows: readonly ExportRow[], { header, bom }: { header: boolean; bom: boolean }): string =>
  stringify([...rows], { columns: COLUMNS, header, bom, escape_formulas: true, record_delimiter: 'windows' });

export const asJsonLines = (rows: readonly ExportRow[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

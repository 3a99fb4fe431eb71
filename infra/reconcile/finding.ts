/** What does not add up, in words that a person can act on. */
export interface Finding {
  check: 'stock' | 'holds' | 'allocations' | 'payments' | 'points' | 'outbox';
  /** What it is about, e.g. `TEE-BLK-M at dc-icheon` or `ord_01J…`. */
  subject: string;
  detail: string;
}

export const finding = (check: Finding['check'], subject: string, detail: string): Finding => ({
  check,
  subject,
  detail,
});

/** An item as it lies in a table. Reconciling trusts no code that wrote it: what is missing counts as nothing. */
export type Item = Record<string, unknown> & { pk: string; sk: string };

export const numberIn = (item: Item, attribute: string): number => {
  const value = item[attribute];
  return typeof value === 'number' ? value : 0;
};

export const textIn = (item: Item, attribute: string): string => {
  const value = item[attribute];
  return typeof value === 'string' ? value : '';
};

export const total = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

import type { Instant } from '../../../shared/time.ts';

/** Serials by GTIN: tags as they are kept. */
export type Tags = Record<string, number[]>;

/** What one reader saw at one time. */
export interface Batch {
  tags: Tags;
  readAt: Instant;
  by: string;
}

/** All different tags of some batches, in whatever order they came and however often. */
export class ReadSet {
  readonly #serials = new Map<string, Set<number>>();
  readonly #readers = new Set<string>();
  reads = 0;
  firstAt: Instant | undefined;
  lastAt: Instant | undefined;

  add({ tags, readAt, by }: Batch): void {
    for (const [gtin14, serials] of Object.entries(tags)) {
      const known = this.#serials.get(gtin14) ?? new Set();
      for (const serial of serials) known.add(serial);
      this.#serials.set(gtin14, known);
      this.reads += serials.length;
    }
    this.#readers.add(by);
    if (this.firstAt === undefined || readAt < this.firstAt) this.firstAt = readAt;
    if (this.lastAt === undefined || readAt > this.lastAt) this.lastAt = readAt;
  }

  get readers(): string[] {
    return [...this.#readers].sort();
  }

  /** Different tags of each GTIN. */
  get tagsByGtin(): Map<string, number> {
    return new Map([...this.#serials].map(([gtin14, serials]) => [gtin14, serials.size]));
  }
}

/** What the tags are of: units of each SKU that is counted, and what else was about. */
export interface Sorted {
  unitsBySku: Map<string, number>;
  strays: number;
  unknownGtins: { gtin14: string; tags: number }[];
}

export const sorted = (
  tagsByGtin: ReadonlyMap<string, number>,
  skuOf: ReadonlyMap<string, string>,
  skus: readonly string[],
): Sorted => {
  // A SKU without a tag is counted, too: as none.
  const unitsBySku = new Map(skus.map((sku) => [sku, 0]));
  const unknownGtins: Sorted['unknownGtins'] = [];
  let strays = 0;
  for (const [gtin14, tags] of tagsByGtin) {
    const sku = skuOf.get(gtin14);
    const units = sku === undefined ? undefined : unitsBySku.get(sku);
    if (sku === undefined) unknownGtins.push({ gtin14, tags });
    else if (units === undefined) strays += tags;
    else unitsBySku.set(sku, units + tags);
  }
  return { unitsBySku, strays, unknownGtins: unknownGtins.sort((a, b) => b.tags - a.tags) };
};

/** Groups of so many SKUs, always the same for the same SKUs. */
export const groupsOf = (skus: readonly string[], size: number): string[][] => {
  const all = [...new Set(skus)].sort();
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
};

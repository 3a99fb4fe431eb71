import type { Attributes, Key, Tables } from './table.ts';

/** A read as data: which items are wanted, and what they say once they are there. */
export interface Lookup<T> {
  reads: readonly { table: string; key: Key }[];
  /** In the order of `reads`. */
  of(items: readonly (Attributes | undefined)[]): T;
}

type Found<L extends readonly Lookup<unknown>[]> = { [K in keyof L]: L[K] extends Lookup<infer T> ? T : never };

/** Several capabilities' lookups as ONE consistent read, of at most 100 items. */
export const lookUp = async <const L extends readonly Lookup<unknown>[]>(
  tables: Tables,
  ...lookups: L
): Promise<Found<L>> => {
  const items = await tables.snapshot(lookups.flatMap(({ reads }) => reads));
  let at = 0;
  return lookups.map(({ reads, of }) => {
    const own = items.slice(at, at + reads.length);
    at += reads.length;
    return of(own);
  }) as Found<L>;
};

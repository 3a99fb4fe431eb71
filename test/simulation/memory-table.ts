/** An attribute in DynamoDB's typed JSON. */
export type Value = { S?: string; N?: string } & Record<string, unknown>;
export type Item = Record<string, Value>;

interface Row {
  /** Sort key, then the item's own key: order within a partition. */
  order: string;
  sk: string;
  item: Item;
}

/** Below every character that a key of ours holds. */
const SEPARATOR = '\u0000';

/** Partitions of rows in the order of their sort keys. */
class Collection {
  readonly #partitions = new Map<string, Row[]>();

  partition(pk: string): readonly Row[] {
    return this.#partitions.get(pk) ?? [];
  }

  set(pk: string, row: Row): void {
    const rows = this.#partitions.get(pk);
    if (rows === undefined) this.#partitions.set(pk, [row]);
    else {
      const at = place(rows, row.order);
      rows.splice(at, rows[at]?.order === row.order ? 1 : 0, row);
    }
  }

  delete(pk: string, order: string): void {
    const rows = this.#partitions.get(pk) ?? [];
    const at = place(rows, order);
    if (rows[at]?.order === order) rows.splice(at, 1);
  }

  find(pk: string, order: string): Item | undefined {
    const rows = this.partition(pk);
    const row = rows[place(rows, order)];
    return row?.order === order ? row.item : undefined;
  }

  all(): Item[] {
    const keys = [...this.#partitions.keys()].sort();
    return keys.flatMap((pk) => this.partition(pk).map(({ item }) => item));
  }
}

/** Where `order` is, or would have to be put. */
const place = (rows: readonly Row[], order: string): number => {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.order < order) low = middle + 1;
    else high = middle;
  }
  return low;
};

interface Index {
  project: 'keys' | readonly string[];
  rows: Collection;
}

interface Asked {
  index: string | undefined;
  pk: string;
  inRange(sk: string): boolean;
  limit: number;
  forward: boolean;
  start: Item | undefined;
}

/** One table with string keys `pk` and `sk`, and sparse indexes `byX` with the keys `byXPk` and `byXSk`. */
export class MemoryTable {
  readonly #rows = new Collection();
  readonly #indexes: Map<string, Index>;

  constructor(indexes: Record<string, { project: 'keys' | readonly string[] }>) {
    this.#indexes = new Map(
      Object.entries(indexes).map(([name, { project }]) => [name, { project, rows: new Collection() }]),
    );
  }

  get(key: Item): Item | undefined {
    return this.#rows.find(key.pk!.S!, key.sk!.S!);
  }

  put(item: Item): void {
    this.delete(item);
    const sk = item.sk!.S!;
    this.#rows.set(item.pk!.S!, { order: sk, sk, item });
    for (const [name, { rows }] of this.#indexes) {
      const at = indexPlace(name, item);
      if (at !== undefined) rows.set(at.pk, { order: at.order, sk: at.sk, item });
    }
  }

  delete(key: Item): void {
    const old = this.get(key);
    if (old === undefined) return;
    this.#rows.delete(old.pk!.S!, old.sk!.S!);
    for (const [name, { rows }] of this.#indexes) {
      const at = indexPlace(name, old);
      if (at !== undefined) rows.delete(at.pk, at.order);
    }
  }

  all(): Item[] {
    return this.#rows.all();
  }

  query({ index, pk, inRange, limit, forward, start }: Asked): { items: Item[]; last: Item | undefined } {
    const found = index === undefined ? undefined : this.#indexes.get(index);
    if (index !== undefined && found === undefined) throw new Error(`there is no index ${index}`);
    const partition = (found?.rows ?? this.#rows).partition(pk);
    const rows = forward ? partition : partition.toReversed();
    const after = start && (index === undefined ? start.sk!.S! : indexPlace(index, start)!.order);
    const isAfter = ({ order }: Row): boolean => after === undefined || (forward ? order > after : order < after);
    const wanted = rows.filter((row) => inRange(row.sk) && isAfter(row));
    const items = wanted.slice(0, limit).map(({ item }) => item);
    const keys = index === undefined ? ['pk', 'sk'] : ['pk', 'sk', `${index}Pk`, `${index}Sk`];
    const last = wanted.length > limit ? only(items.at(-1)!, keys) : undefined;
    const project = found?.project;
    if (project === undefined) return { items, last };
    return { items: items.map((item) => only(item, project === 'keys' ? keys : [...keys, ...project])), last };
  }
}

const indexPlace = (name: string, item: Item): { pk: string; sk: string; order: string } | undefined => {
  const pk = item[`${name}Pk`]?.S;
  const sk = item[`${name}Sk`]?.S;
  if (pk === undefined || sk === undefined) return undefined;
  return { pk, sk, order: [sk, item.pk!.S!, item.sk!.S!].join(SEPARATOR) };
};

const only = (item: Item, attributes: readonly string[]): Item =>
  Object.fromEntries(attributes.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));

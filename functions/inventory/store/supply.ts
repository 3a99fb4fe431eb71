import { changedMeanwhile, put, remove } from '../../../shared/change.ts';
import type { Guard, Key, Part, Tables } from '../../../shared/table.ts';
import type { Supply } from '../domain/availability.ts';
import { NODES_MAX, TABLE } from './levels.ts';

const supplyKey = ({ sku, nodeId, supplyId }: Omit<Supply, 'units' | 'dueAt'>): Key => ({
  pk: `SUPPLY#${sku}`,
  sk: `${nodeId}#${supplyId}`,
});

/** What is on its way of a SKU, to every node. */
export const supplyOf = async (tables: Tables, sku: string): Promise<Supply[]> => {
  const { items } = await tables.query<Supply & Key>(TABLE, { pk: `SUPPLY#${sku}`, limit: NODES_MAX });
  return items.map(({ pk, sk, ...supply }) => supply);
};

/** Announces supply, or says anew how much of it and when. With `from`, only where it still stands at so many units. */
export const supplyPart = (supply: Supply, from?: number): Part<'changed-meanwhile'> => {
  const guards: Guard[] = from === undefined ? [] : [{ guard: 'one-of', attribute: 'units', values: [from] }];
  const refusal = changedMeanwhile(`supply ${supply.supplyId} of ${supply.sku}`);
  return supply.units > 0
    ? put(TABLE, { ...supplyKey(supply), ...supply }, guards, refusal)
    : remove(TABLE, supplyKey(supply), guards, refusal);
};

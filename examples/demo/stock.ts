import { createHash } from 'node:crypto';
import { NODES } from './nodes.ts';
import { PRODUCTS } from './products.ts';

export interface StockLine {
  sku: string;
  units: number;
}

/** What the stories need to be so before they start. Everything else may be sold by whoever tries the demo. */
export const STORY_STOCK = {
  /** Only stores have it: the distribution centres are out. */
  storeOnly: { sku: 'TOTE-GRN', nodeIds: ['store-gangnam', 'store-jamsil'], units: 3 },
  /** One unit is left of it, in one place. */
  last: { sku: 'POSTER', nodeId: 'store-hongdae', units: 1 },
} as const;

/** Nodes with an associate of their own. */
export const STORY_NODE_IDS: readonly string[] = [
  ...['dc-icheon', 'dc-yangsan'],
  ...STORY_STOCK.storeOnly.nodeIds,
  STORY_STOCK.last.nodeId,
];

const CENTRE_UNITS = 120;
/** Of a hundred variants that a store could carry, so many it does. */
const STORE_RANGE_PERCENT = 15;

/** A number below `size` that is the same on every machine, every time. */
const drawn = (seed: string, size: number): number => createHash('md5').update(seed).digest().readUInt32BE(0) % size;

const ambientAtStore = (nodeId: string, sku: string): number =>
  drawn(`${nodeId} ${sku} carried`, 100) < STORE_RANGE_PERCENT ? 2 + drawn(`${nodeId} ${sku} units`, 9) : 0;

const unitsAt = (nodeId: string, isCentre: boolean, sku: string, isCold: boolean): number => {
  const { storeOnly, last } = STORY_STOCK;
  if (sku === storeOnly.sku) return (storeOnly.nodeIds as readonly string[]).includes(nodeId) ? storeOnly.units : 0;
  if (sku === last.sku) return nodeId === last.nodeId ? last.units : 0;
  if (isCentre) return CENTRE_UNITS;
  // Chilled goods wait where there is a cold chain: not in a store.
  return isCold ? 0 : ambientAtStore(nodeId, sku);
};

/** What every node holds when the chain opens. */
export const OPENING_STOCK: readonly { nodeId: string; lines: StockLine[] }[] = NODES.map(({ nodeId, kind }) => ({
  nodeId,
  lines: PRODUCTS.flatMap(({ storage, variants }) =>
    variants.map(({ sku }) => ({ sku, units: unitsAt(nodeId, kind === 'DC', sku, storage === 'COLD') })),
  ).filter(({ units }) => units > 0),
}));

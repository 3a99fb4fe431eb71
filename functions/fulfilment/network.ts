import type { Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import { type NetworkNode, nodesOf } from '../network/parts.ts';

/**
 * How long a read of the network serves. Reading 500 nodes for every order would cost more than sourcing it; under
 * load one second is many orders, and a node that closes is asked for one second longer.
 */
const FRESH_MS = 1_000;

const lastRead = new WeakMap<Tables, { atMs: number; nodes: Promise<NetworkNode[]> }>();

/** The network as it stood at most a second ago. Two reads of one instant are two reads: a clock may stand still. */
export const knownNetwork = (tables: Tables, now: Instant): Promise<NetworkNode[]> => {
  const nowMs = Date.parse(now);
  const known = lastRead.get(tables);
  if (known !== undefined && nowMs > known.atMs && nowMs < known.atMs + FRESH_MS) return known.nodes;
  const nodes = nodesOf(tables);
  lastRead.set(tables, { atMs: nowMs, nodes });
  nodes.catch(() => lastRead.delete(tables));
  return nodes;
};

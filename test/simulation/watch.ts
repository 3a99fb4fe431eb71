import type { Cluster } from './cluster.ts';
import { NODES, POP_UP, SKUS } from './shop.ts';
import type { Witness } from './witness.ts';

const QUANTITIES = ['available', 'allocated', 'reserved', 'onHand'] as const;

interface Asking {
  /** Fewest units of each SKU that could be had while this request was under way. */
  fewest: Map<string, number>;
}

/** Looks at the stock after every single write: it may not be below zero for a moment, nor called sold out (I1, I11). */
export class StockWatch {
  readonly #cluster: Cluster;
  readonly #witness: Witness;
  readonly #asking = new Set<Asking>();
  #isBroken = false;

  constructor(cluster: Cluster, witness: Witness) {
    this.#cluster = cluster;
    this.#witness = witness;
    cluster.onChange = () => this.#look();
    cluster.workflows.onEnd = (name) => this.#atTheEndOf(name);
  }

  /** Watches a request that may be answered with `sold-out`; tell what came of it. */
  begin(): (problem: { type?: string; detail?: string } | undefined) => void {
    const asking: Asking = { fewest: new Map(SKUS.map((sku) => [sku, this.#available(sku)])) };
    this.#asking.add(asking);
    return (problem) => {
      this.#asking.delete(asking);
      const [, units, sku] = /^\d+ of (\d+) (\S+) are available/.exec(problem?.detail ?? '') ?? [];
      if (problem?.type !== 'urn:ieum:problem:sold-out' || sku === undefined) return;
      const fewest = asking.fewest.get(sku)!;
      const isTrue = fewest < Number(units);
      this.#witness.expect('I11', isTrue, () => `"${problem.detail}", yet there were never fewer than ${fewest}`);
    };
  }

  /** A workflow ends when the work does, and not before (I10). */
  #atTheEndOf(name: string): void {
    const [, orderId, n] = /^(.+)-(\d+)$/.exec(name)!;
    const status = this.#cluster.engine.item('fulfilment', `ORDER#${orderId}`, `FO#${n}`)?.status?.S;
    const isOver = status === 'CLOSED' || status === 'INCOMPLETE' || status === 'CANCELLED';
    this.#witness.expect('I10', isOver, () => `the workflow of ${name} has ended, and the work is ${status}`);
  }

  #level(sku: string, nodeId: string) {
    return this.#cluster.engine.item('inventory', `SKU#${sku}`, `NODE#${nodeId}`);
  }

  /** At nodes that are always open: what a plan could have counted on. */
  #available(sku: string): number {
    return NODES.reduce((sum, nodeId) => sum + Number(this.#level(sku, nodeId)?.available?.N ?? 0), 0);
  }

  #look(): void {
    for (const sku of SKUS) {
      for (const nodeId of [...NODES, POP_UP]) {
        const level = this.#level(sku, nodeId);
        const below = QUANTITIES.find((quantity) => Number(level?.[quantity]?.N ?? 0) < 0);
        if (below === undefined || this.#isBroken) continue;
        this.#isBroken = true;
        this.#witness.expect('I1', false, () => `${sku} at ${nodeId} has ${level![below]!.N} ${below}`);
      }
      for (const { fewest } of this.#asking) fewest.set(sku, Math.min(fewest.get(sku)!, this.#available(sku)));
    }
    this.#witness.checked.I1 += 1;
  }
}

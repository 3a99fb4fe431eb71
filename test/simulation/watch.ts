import type { Cluster } from './cluster.ts';
import { DISPUTED, NODES, POP_UP, SKUS } from './shop.ts';
import type { Witness } from './witness.ts';

const QUANTITIES = ['available', 'allocated', 'reserved', 'onHand', 'damaged', 'qualityHold', 'onlineOnly'] as const;

interface Asking {
  /** Fewest units of each SKU that could be had while this request was under way. */
  fewest: Map<string, number>;
}

/**
 * Looks at the stock after every single write: it may not be below zero for a moment but for what a till sold and put on
 * record as a discrepancy, nor be called sold out while it is there (I1, I11).
 */
export class StockWatch {
  readonly #cluster: Cluster;
  readonly #witness: Witness;
  readonly #asking = new Set<Asking>();
  #isBroken = false;
  readonly #before = new Map<string, number>();
  /** Units by which levels fell below zero, each time added up, by place: so many have to be on record (rule 13). */
  readonly shortfalls = new Map<string, number>();

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
      if (problem?.type !== 'urn:ieum:problem:sold-out' || sku === undefined || sku === DISPUTED) return;
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

  /** The shards of a level; most have one. */
  #shards(sku: string, nodeId: string) {
    const { engine } = this.#cluster;
    const first = engine.item('inventory', `SKU#${sku}`, `NODE#${nodeId}`);
    const further = Array.from({ length: Number(first?.shards?.N ?? 1) - 1 }, (_, index) =>
      engine.item('inventory', `SKU#${sku}#${index + 1}`, `NODE#${nodeId}`),
    );
    return [first, ...further];
  }

  /** At nodes that are always open: what a plan could have counted on. */
  #available(sku: string): number {
    const shards = NODES.flatMap((nodeId) => this.#shards(sku, nodeId));
    return shards.reduce((sum, shard) => sum + Number(shard?.available?.N ?? 0), 0);
  }

  #look(): void {
    for (const sku of SKUS) {
      for (const nodeId of [...NODES, POP_UP]) this.#lookAt(sku, nodeId);
      for (const { fewest } of this.#asking) fewest.set(sku, Math.min(fewest.get(sku)!, this.#available(sku)));
    }
    this.#witness.checked.I1 += 1;
  }

  #noteShortfall(place: string, available: number): void {
    const short = Math.min(0, this.#before.get(place) ?? 0) - Math.min(0, available);
    this.#before.set(place, available);
    if (short > 0) this.shortfalls.set(place, (this.shortfalls.get(place) ?? 0) + short);
  }

  #lookAt(sku: string, nodeId: string): void {
    const shards = this.#shards(sku, nodeId);
    const available = shards.reduce((sum, shard) => sum + Number(shard?.available?.N ?? 0), 0);
    if (sku === DISPUTED) this.#noteShortfall(`${sku} at ${nodeId}`, available);
    if (this.#isBroken) return;
    for (const shard of shards) {
      const below = QUANTITIES.find((quantity) => Number(shard?.[quantity]?.N ?? 0) < 0);
      if (below === undefined) continue;
      const isPhysical = sku === DISPUTED && (below === 'available' || below === 'onHand');
      if (isPhysical) continue;
      this.#isBroken = true;
      this.#witness.expect('I1', false, () => `${sku} at ${nodeId} has ${shard![below]!.N} ${below}`);
    }
  }
}

import { distanceFrom } from '../../../shared/geography.ts';
import type { SourcedLine } from '../contract.ts';
import { sameDayClock } from './clock.ts';
import type { Availability, SourcingChoice, SourcingNode, SourcingRequest } from './request.ts';

/** Why a node may supply something or nothing. Ruled out by itself first, by stock next, by place and time last. */
export type Verdict =
  | 'CLOSED'
  | 'EXCLUDED'
  | 'NOT_ABLE'
  | 'NO_STOCK'
  | 'NO_COLD_CHAIN'
  | 'OUT_OF_REACH'
  | 'PAST_CUT_OFF'
  | 'SOME_LINES'
  | 'ALL_LINES';

/** What was found out about one node. */
export interface Considered {
  node: SourcingNode;
  verdict: Verdict;
  /** Only where it was needed: a node without stock has none. */
  distanceKm?: number;
  /** Usable units by line, never more than wanted. Empty where there is none. */
  units: readonly number[];
}

/** The lines as wanted: one a SKU, by SKU, so that the order of the request means nothing. */
export const mergeLines = (lines: readonly SourcedLine[]): SourcedLine[] => {
  const bySku = new Map<string, SourcedLine>();
  for (const { sku, units, storage } of lines) {
    const known = bySku.get(sku);
    const isCold = storage === 'COLD' || known?.storage === 'COLD';
    bySku.set(sku, { sku, units: units + (known?.units ?? 0), storage: isCold ? 'COLD' : 'AMBIENT' });
  }
  return [...bySku.values()].sort((a, b) => (a.sku < b.sku ? -1 : 1));
};

const ABILITY: Record<SourcingChoice, string> = {
  HOME_DELIVERY: 'SHIP',
  SAME_DAY: 'SAME_DAY',
  DAWN: 'DAWN',
  PICKUP: 'PICKUP',
};

const isAble = (node: SourcingNode, choice: SourcingChoice): boolean => {
  if (!node.abilities.includes(ABILITY[choice])) return false;
  if (choice === 'SAME_DAY') return node.sameDay !== undefined;
  return choice !== 'DAWN' || node.dawn !== undefined;
};

const NOTHING: readonly number[] = [];

/** Looks at nodes for one request. The cheapest question comes first; distance is asked of nodes with stock only. */
export class Survey {
  readonly request: SourcingRequest;
  readonly lines: readonly SourcedLine[];
  readonly considered: Considered[] = [];
  /** Units by line at all nodes that are open and not excluded, whatever they can do. */
  readonly inNetwork: number[];
  /** Units by line at the nodes that may supply this request. */
  readonly usable: number[];
  private readonly levels: readonly (ReadonlyMap<string, number> | undefined)[];
  private readonly excluded: ReadonlySet<string>;
  private readonly distanceTo: ((node: SourcingNode) => number) | undefined;
  private readonly canDeliverToday: (node: SourcingNode) => boolean;
  private readonly isCold: boolean;

  constructor(request: SourcingRequest, nodes: readonly SourcingNode[], available: Availability) {
    this.request = request;
    this.lines = mergeLines(request.lines);
    this.levels = this.lines.map(({ sku }) => available.get(sku));
    this.isCold = this.lines.some(({ storage }) => storage === 'COLD');
    this.excluded = new Set(request.excludedNodeIds);
    this.inNetwork = this.lines.map(() => 0);
    this.usable = this.lines.map(() => 0);
    this.canDeliverToday = sameDayClock(request.now);
    if (request.destination !== undefined) {
      const distance = distanceFrom(request.destination);
      this.distanceTo = ({ location }) => distance(location);
    }
    for (const node of nodes) this.considered.push(this.consider(node));
  }

  private consider(node: SourcingNode): Considered {
    if (node.status !== 'OPEN') return { node, verdict: 'CLOSED', units: NOTHING };
    if (this.excluded.has(node.nodeId)) return { node, verdict: 'EXCLUDED', units: NOTHING };
    const units = this.unitsAt(node, this.inNetwork, false);
    const { choice, pickupNodeId } = this.request;
    const isElsewhere = choice === 'PICKUP' && pickupNodeId !== undefined && pickupNodeId !== node.nodeId;
    if (isElsewhere || !isAble(node, choice)) return { node, verdict: 'NOT_ABLE', units: NOTHING };
    if (units === NOTHING) return { node, verdict: 'NO_STOCK', units };
    return this.considerStocked(node, units);
  }

  private considerStocked(node: SourcingNode, stocked: readonly number[]): Considered {
    const { choice } = this.request;
    const distanceKm = this.distanceTo?.(node);
    const place = distanceKm === undefined ? {} : { distanceKm };
    const express = { SAME_DAY: node.sameDay, DAWN: node.dawn, HOME_DELIVERY: undefined, PICKUP: undefined }[choice];
    if (express !== undefined && !(distanceKm !== undefined && distanceKm <= express.radiusKm)) {
      return { node, verdict: 'OUT_OF_REACH', units: NOTHING, ...place };
    }
    if (choice === 'SAME_DAY' && !this.canDeliverToday(node)) {
      return { node, verdict: 'PAST_CUT_OFF', units: NOTHING, ...place };
    }
    const isWarm = this.isCold && !node.abilities.includes('COLD_CHAIN');
    const units = isWarm ? this.unitsAt(node, this.usable, true) : stocked;
    if (units === NOTHING) return { node, verdict: 'NO_COLD_CHAIN', units, ...place };
    if (!isWarm) this.unitsAt(node, this.usable, false);
    const hasAll = this.lines.every((line, index) => units[index] === line.units);
    return { node, verdict: hasAll ? 'ALL_LINES' : 'SOME_LINES', units, ...place };
  }

  /** Units of each line at a node, at most as wanted, while what is there is added to `totals`. */
  private unitsAt({ nodeId }: SourcingNode, totals: number[], ambientOnly: boolean): readonly number[] {
    let units: number[] | undefined;
    for (let line = 0; line < this.lines.length; line += 1) {
      const { units: wanted, storage } = this.lines[line]!;
      // A till may sell below zero (rule 13): what is missing at one node is not taken from another.
      const there = Math.max(0, this.levels[line]?.get(nodeId) ?? 0);
      if (there === 0 || (ambientOnly && storage === 'COLD')) continue;
      units ??= new Array<number>(this.lines.length).fill(0);
      units[line] = Math.min(there, wanted);
      totals[line] = totals[line]! + there;
    }
    return units ?? NOTHING;
  }
}

const KIND_RANK: Record<SourcingNode['kind'], number> = { DC: 0, THIRD_PARTY: 1, STORE: 2, POP_UP: 3 };

export const byKind = (a: Considered, b: Considered): number => KIND_RANK[a.node.kind] - KIND_RANK[b.node.kind];

/** Who is asked first: distribution centres before shops, the nearest first; the id decides what is left. */
export const byPreference = (a: Considered, b: Considered): number => byKind(a, b) || byDistance(a, b);

export const byDistance = (a: Considered, b: Considered): number =>
  (a.distanceKm ?? 0) - (b.distanceKm ?? 0) || (a.node.nodeId < b.node.nodeId ? -1 : 1);

/** The most preferred of some, without sorting them. */
export const mostPreferred = (some: Iterable<Considered>): Considered | undefined => {
  let best: Considered | undefined;
  for (const one of some) if (best === undefined || byPreference(one, best) < 0) best = one;
  return best;
};

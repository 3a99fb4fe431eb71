/**
 * Which nodes together have everything, in as few parcels as possible. Greedy finds an answer at once; a bounded exact
 * search then looks for one with fewer parcels, and for the answer that greedy missed: "sold out" has to be true (I11).
 */

/** Units by line that one node can supply. Candidates stand in order of preference. */
export type Supply = readonly number[];

export interface Cover {
  /** Candidates by index, in the order in which they were chosen. */
  chosen: number[];
  /** Units by line that nobody of them has. */
  missing: number[];
}

/** A parcel costs more than it is worth long before that. */
export const PARCELS_MAX = 4;
/** Lines that the exact search may compare: keeps it under a millisecond, whatever the network. */
const COMPARISONS_MAX = 60_000;

const isCovered = (remaining: Supply): boolean => remaining.every((units) => units === 0);

const after = (remaining: Supply, supply: Supply): number[] =>
  remaining.map((units, line) => Math.max(0, units - supply[line]!));

/** Takes, again and again, the node that completes most lines; then the one with most units; then the preferred one. */
const greedy = (supplies: readonly Supply[], wanted: Supply): Cover => {
  const chosen: number[] = [];
  let missing = [...wanted];
  while (chosen.length < PARCELS_MAX && !isCovered(missing)) {
    let best = -1;
    let bestLines = 0;
    let bestUnits = 0;
    for (let index = 0; index < supplies.length; index += 1) {
      if (chosen.includes(index)) continue;
      const supply = supplies[index]!;
      let lines = 0;
      let units = 0;
      for (let line = 0; line < missing.length; line += 1) {
        const left = missing[line]!;
        if (left === 0) continue;
        const taken = Math.min(left, supply[line]!);
        units += taken;
        if (taken === left) lines += 1;
      }
      if (lines > bestLines || (lines === bestLines && units > bestUnits)) {
        best = index;
        bestLines = lines;
        bestUnits = units;
      }
    }
    if (best < 0) break;
    chosen.push(best);
    missing = after(missing, supplies[best]!);
  }
  return { chosen, missing };
};

const holdersOf = (supplies: readonly Supply[], line: number): number[] => {
  const holders: number[] = [];
  for (let index = 0; index < supplies.length; index += 1) if (supplies[index]![line]! > 0) holders.push(index);
  return holders;
};

/** The most that no, one, two … nodes have together. */
const fullest = (units: readonly number[]): number[] => {
  const top: number[] = [];
  for (const some of units) {
    let place = top.length;
    while (place > 0 && top[place - 1]! < some) place -= 1;
    if (place < PARCELS_MAX) top.splice(place, 0, some);
    if (top.length > PARCELS_MAX) top.pop();
  }
  const together = [0];
  for (const some of top) together.push(together.at(-1)! + some);
  return together;
};

/** Depth-first over sets of nodes: each step takes a node that has some of the line that fewest nodes have. */
class ExactSearch {
  private comparisons = 0;
  private readonly supplies: readonly Supply[];
  private readonly wanted: Supply;
  /** Candidates on the way to where the search stands: each is taken once, with all that it has. */
  private readonly taken: number[] = [];
  /** By line, the candidates that have some of it. */
  private readonly holders: readonly number[][];
  /** By line and number of parcels, the most that so many nodes have together. */
  private readonly atMost: readonly number[][];

  constructor(supplies: readonly Supply[], wanted: Supply) {
    this.supplies = supplies;
    this.wanted = wanted;
    this.holders = wanted.map((_, line) => holdersOf(supplies, line));
    this.atMost = this.holders.map((holders, line) => fullest(holders.map((index) => supplies[index]![line]!)));
  }

  /** The first set of at most `parcels` nodes that has everything; undefined where there is none, or none in time. */
  find(parcels: number, remaining: Supply = this.wanted): number[] | undefined {
    const rarest = this.rarestLine(parcels, remaining);
    if (rarest === 'none') return [...this.taken];
    if (rarest === 'hopeless') return undefined;
    for (const index of this.holders[rarest]!) {
      if (this.taken.includes(index)) continue;
      if (this.isExhausted()) return undefined;
      this.comparisons += remaining.length;
      const supply = this.supplies[index]!;
      if (parcels === 1 && !remaining.every((units, line) => supply[line]! >= units)) continue;
      this.taken.push(index);
      const found = this.find(parcels - 1, after(remaining, supply));
      this.taken.pop();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  isExhausted(): boolean {
    return this.comparisons > COMPARISONS_MAX;
  }

  /** The line still wanted that fewest nodes have; hopeless where not even the fullest nodes have enough of one. */
  private rarestLine(parcels: number, remaining: Supply): number | 'none' | 'hopeless' {
    let rarest: number | 'none' = 'none';
    for (let line = 0; line < remaining.length; line += 1) {
      if (remaining[line] === 0) continue;
      const most = this.atMost[line]!;
      if (remaining[line]! > most[Math.min(parcels, most.length - 1)]!) return 'hopeless';
      if (rarest === 'none' || this.holders[line]!.length < this.holders[rarest]!.length) rarest = line;
    }
    return rarest;
  }
}

/** Nodes that have `wanted` between them, as few as can be found; what is missing where no four nodes have it all. */
export const cover = (supplies: readonly Supply[], wanted: Supply): Cover => {
  const quick = greedy(supplies, wanted);
  const isEnough = isCovered(quick.missing);
  const search = new ExactSearch(supplies, wanted);
  for (let parcels = 1; parcels <= (isEnough ? quick.chosen.length - 1 : PARCELS_MAX); parcels += 1) {
    const chosen = search.find(parcels);
    if (chosen !== undefined) return { chosen, missing: wanted.map(() => 0) };
    if (search.isExhausted()) break;
  }
  return quick;
};

/**
 * Who of the chosen supplies how much, by line: one of them alone wherever one has all of it, else all in the order of
 * preference. Rows stand as `supplies` do.
 */
export const share = (supplies: readonly Supply[], wanted: Supply): number[][] => {
  const shares = supplies.map(() => wanted.map(() => 0));
  wanted.forEach((units, line) => {
    const whole = supplies.findIndex((supply) => supply[line]! >= units);
    let left = units;
    for (let index = Math.max(0, whole); index < supplies.length && left > 0; index += 1) {
      const taken = Math.min(left, supplies[index]![line]!);
      shares[index]![line] = taken;
      left -= taken;
    }
  });
  return shares;
};

/** What has to be true, in the words of the rules (I1 … I12), and what belongs to none of them by name. */
export const INVARIANTS = {
  I1: 'available, reserved, allocated and on hand are never below zero',
  I2: 'the shards of a level add up to what its ledger says is on hand',
  I3: 'what is allocated is the sum of the promises that are open',
  I4: 'a balance is the sum of its entries, its version their number',
  I5: 'what moves between shards and nodes adds up: out = in, on its way, or lost',
  I6: 'at most one charge an order, captured what was fulfilled, a charge without an order is given back',
  I7: 'one event per fact, published exactly when its change happened; a repeat of all events changes nothing',
  I8: 'the same key gets the same answer, byte for byte',
  I9: 'points are earned and matured once',
  I10: 'every workflow ends, no hold outlives its expiry by 90 s',
  I11: 'sold out is said only when it is true',
  I12: 'an answer holds only what belongs to whoever asked',
  kept: 'what was acknowledged is there, as it was acknowledged',
  works: 'nothing fails once the trouble is over',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  invariant: Invariant;
  detail: string;
}

/** Remembers what was looked at and what was wrong. */
export class Witness {
  readonly violations: Violation[] = [];
  readonly checked = Object.fromEntries(Object.keys(INVARIANTS).map((name) => [name, 0])) as Record<Invariant, number>;

  /** One look at one thing. */
  expect(invariant: Invariant, holds: boolean, detail: () => string): void {
    this.checked[invariant] += 1;
    if (!holds) this.violations.push({ invariant, detail: detail() });
  }
}

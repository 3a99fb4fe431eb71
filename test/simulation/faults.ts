import type { Chance } from './chance.ts';

/** What happens to one call that a function makes of somebody else. */
export const FATES = [
  'works',
  'is slow',
  'never arrives',
  'answer is lost',
  'arrives late',
  'is throttled',
  'conflicts',
  'fails inside',
  'caller dies before',
  'caller dies after',
  'caller sleeps before',
  'caller sleeps after',
] as const;
export type Fate = (typeof FATES)[number];

/** Everything that may go wrong, as probabilities. A seed has its own mixture, so that rare mixtures come up too. */
export interface Faults {
  fates: Record<Fate, number>;
  /** Events and stream records. */
  duplicate: number;
  delay: number;
  /** The stream gives an outbox item up: the sweep has to find it. */
  forget: number;
  /** PutEvents takes a call, but not this entry of it. */
  refuseEntry: number;
  /** A client does not hear the answer, or a request never reaches the API. */
  lostRequest: number;
  /** A client sends a command twice at the same time. */
  doubleSubmit: number;
  /** A task of the workflow is started twice. */
  doubleTask: number;
  /** Clocks of functions are off by up to so much, each by its own. */
  skewMs: number;
  /** The payment provider does not answer, whether it acted or not. */
  silentProvider: number;
}

export const NO_FAULTS: Faults = {
  fates: Object.fromEntries(FATES.map((fate) => [fate, fate === 'works' ? 1 : 0])) as Record<Fate, number>,
  ...{ duplicate: 0, delay: 0, forget: 0, refuseEntry: 0, lostRequest: 0, doubleSubmit: 0, doubleTask: 0 },
  ...{ skewMs: 0, silentProvider: 0 },
};

/** How often each goes wrong at most, in a seed that has it. */
const WORST: Record<Exclude<Fate, 'works'>, number> = {
  'is slow': 0.03,
  'never arrives': 0.02,
  'answer is lost': 0.03,
  'arrives late': 0.01,
  'is throttled': 0.03,
  conflicts: 0.05,
  'fails inside': 0.02,
  'caller dies before': 0.012,
  'caller dies after': 0.012,
  'caller sleeps before': 0.008,
  'caller sleeps after': 0.008,
};

/** A mixture of faults: each kind is there or not, and where it is, more or less often. */
export const someFaults = (chance: Chance): Faults => {
  const some = (worst: number): number => (chance.happens(0.75) ? worst * (0.2 + 0.8 * chance.next()) : 0);
  const fates = Object.fromEntries(Object.entries(WORST).map(([fate, worst]) => [fate, some(worst)]));
  const troubled = Object.values(fates).reduce((sum, one) => sum + one, 0);
  return {
    fates: { ...(fates as Record<Exclude<Fate, 'works'>, number>), works: 1 - troubled },
    duplicate: some(0.15),
    delay: some(0.15),
    forget: some(0.05),
    refuseEntry: some(0.05),
    lostRequest: some(0.04),
    doubleSubmit: some(0.1),
    doubleTask: some(0.1),
    skewMs: chance.happens(0.8) ? 60_000 : 0,
    silentProvider: some(0.06),
  };
};

import type { ProblemName } from './problem.ts';

/** Why a command was not carried out: an answer for the caller, never an exception. Nothing was changed. */
export interface Refusal<P extends ProblemName = ProblemName> {
  /** Key of the problem table; decides the HTTP status. */
  problem: P;
  /** One sentence for a person, with the figures that led to the refusal. */
  detail: string;
  /** JSON pointer to the input field that caused it, e.g. `/lines/2/units`. */
  field?: string;
}

/**
 * What domain code returns. Bugs throw; refusals are values. `mayBeDone`: an attempt got no answer, and what it writes
 * others may have changed since; it may have been carried out before it was refused.
 */
export type Result<T, P extends ProblemName = ProblemName> =
  | { ok: true; value: T }
  | { ok: false; refusal: Refusal<P>; mayBeDone?: boolean };

export const ok = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

export const refuse = <P extends ProblemName>(
  problem: P,
  detail: string,
  field?: string,
): { ok: false; refusal: Refusal<P> } => ({
  ok: false,
  refusal: field === undefined ? { problem, detail } : { problem, detail, field },
});

import type { AwsError } from './aws.ts';
import type { ProblemName } from './problem.ts';
import type { Part } from './table.ts';

/** What transactions do that meet on an item: try again, at random moments, and remember what they met on. */

export const RETRY_BASE_MS = 20;
const RETRY_CAP_MS = 500;
const TRANSIENT_REASONS = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** Others write the same items just now; it may be tried again at once, with jitter. */
export const isContention = ({ name, CancellationReasons: reasons }: AwsError): boolean =>
  name === 'TransactionInProgressException' ||
  name === 'TransactionConflictException' ||
  (name === 'TransactionCanceledException' && reasons.some((reason) => TRANSIENT_REASONS.has(reason.Code ?? '')));

/** As contention, or more is asked of a partition than it gives, and all attempts met that: try again later. */
export const isTooBusy = (error: AwsError): boolean =>
  isContention(error) || /^(Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded)/.test(error.name);

/** Parts whose items other transactions were writing, or whose partition gave no more. */
export const contended = <P extends ProblemName>(
  { CancellationReasons: reasons }: AwsError,
  parts: readonly Part<P>[],
): Part<P>[] =>
  parts.filter((part, index) => part.tally !== undefined && TRANSIENT_REASONS.has(reasons?.[index]?.Code ?? ''));

export const backoffMs = (random: () => number, attempt: number): number =>
  random() * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** attempt);

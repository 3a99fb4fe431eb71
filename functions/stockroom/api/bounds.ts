import { type Principal, worksAt } from '../../../shared/auth.ts';
import type { Change } from '../../../shared/change.ts';
import type { ProblemName } from '../../../shared/problem.ts';
import { ok, type Result, refuse } from '../../../shared/result.ts';

/** Somebody else's node looks like a missing one. */
export const atOwnNode = (principal: Principal, nodeId: string): Result<void, 'not-found'> =>
  worksAt(principal, nodeId) ? ok(undefined) : refuse('not-found', `${nodeId} is not your node`);

/** DynamoDB takes 100 writes; the remembered answer and the outbox are two of them. */
const WRITES_MAX = 98;

/**
 * Contracts bound lines so that an act fits into one transaction. Levels that are spread over shards take more writes:
 * then somebody has to do it in parts, and is told so.
 */
export const fitting = <P extends ProblemName>(...changes: Change<P>[]): Result<Change<P>[], 'wrong-state'> => {
  const writes = changes.reduce((sum, { parts }) => sum + parts.length, 0);
  return writes <= WRITES_MAX
    ? ok(changes)
    : refuse('wrong-state', `this takes ${writes} writes at once, some SKUs are spread over shards; do it in parts`);
};

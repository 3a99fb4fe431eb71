import type { Operation } from '../../shared/contract.ts';
import { problemsOf } from '../../shared/http.ts';
import { PROBLEMS, type ProblemName, problemType } from '../../shared/problem.ts';
import type { Answer } from '../support/call.ts';

/** What is wrong with a refusal whatever it refuses: undeclared, misshapen, or our own failure. Undefined: nothing. */
export const misfit = (operation: Operation, { status, body, headers }: Answer): string | undefined => {
  if (status >= 500) return `answers ${status}: ${JSON.stringify(body)}`;
  if (status < 400) return status === (operation.status ?? 200) ? undefined : `succeeds with ${status}`;
  const name = problemsOf(operation).find((candidate) => problemType(candidate) === body.type);
  if (name === undefined) return `answers ${body.type}, which it does not declare`;
  const { status: declared, title } = PROBLEMS[name];
  if (status !== declared || body.status !== declared) return `answers ${name} with ${status}, ${body.status}`;
  if (body.title !== title || typeof body.detail !== 'string') return `answers ${name} without its words`;
  if (headers['content-type'] !== 'application/problem+json') return `answers ${name} as ${headers['content-type']}`;
  return undefined;
};

/** What is wrong with the refusal of a request that has to be refused so. */
export const notRefused = (
  operation: Operation,
  answer: Answer,
  problem: ProblemName,
  field: string | undefined,
): string | undefined => {
  const wrong = misfit(operation, answer);
  if (wrong !== undefined) return wrong;
  const { body } = answer;
  if (body.type !== problemType(problem)) {
    return `${answer.status} ${body.type ?? 'success'} instead of ${problem}: ${JSON.stringify(body).slice(0, 300)}`;
  }
  const fields = ((body.errors ?? []) as { field: string }[]).map((error) => error.field);
  return field === undefined || fields.includes(field) ? undefined : `names ${fields.join(', ')} instead of ${field}`;
};

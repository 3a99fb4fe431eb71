import type { Floor } from './floor.ts';

export type Fate = 'lives' | 'dies before' | 'dies after';

/** Does something while processes die at their commits, before or after, as a plan says for as long as it goes. */
export const whileDying = async <T>(floor: Floor, plan: readonly Fate[], act: () => Promise<T>): Promise<T> => {
  let commits = 0;
  const revive = floor.engine.intercept(async (operation, input, next) => {
    if (operation !== 'TransactWriteItems') return next(input);
    const fate = plan[commits] ?? 'lives';
    commits += 1;
    if (fate === 'dies before') throw new Error('the process died before its commit');
    const answer = await next(input);
    if (fate === 'dies after') throw new Error('the process died after its commit');
    return answer;
  });
  try {
    return await act();
  } finally {
    revive();
  }
};

/** Asks with one key until there is an answer that is no failure, as a client does that lost the last one. */
export const untilAnswered = async <A extends { status: number }>(ask: () => Promise<A>): Promise<A> => {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const answer = await ask();
    if (answer.status < 500) return answer;
  }
  throw new Error('ten attempts were not enough');
};

import { type Change, change } from '../../shared/change.ts';
import type { Result } from '../../shared/result.ts';
import { commitChanges, type Runtime } from '../../shared/runtime.ts';
import type { TaskHandlers, TaskRun } from '../../shared/tasks.ts';
import { plusSeconds } from '../../shared/time.ts';
import { release } from '../inventory/parts.ts';
import type fulfilment from './contract.ts';
import type { PlannedWork, WantedWork } from './contract.ts';
import {
  allocationOf,
  answerOf,
  expired,
  type FulfilmentWork,
  isOver,
  type NodeAnswer,
  opened,
  planned,
} from './domain.ts';
import { assign, incomplete, pickupExpired } from './facts.ts';
import { sourceAnew } from './resourcing.ts';
import type { Workflow } from './step-functions.ts';
import { type AwaitedFact, changedPart, getFulfilmentOrder, tokenPart, tokensOf, unchangedPart } from './store.ts';
import { SHIP_WITHIN_SECONDS } from './workflow.ts';

/** A task that loses a race decides anew on what is there then; the workflow tries again what does not end. */
const DECISIONS_MAX = 8;
const REDECIDE_BASE_MS = 10;
/** Longer than any state of the workflow waits. */
const TOKEN_KEPT_SECONDS = SHIP_WITHIN_SECONDS + 24 * 3600;

/** What a task wants now: its answer, or a change first. After a change it asks again, unless it knows its answer. */
type Move<T> = { done: T } | { change: readonly Change[]; answer?: T };

/** Puts planned work on record, in the conversation that asked for it. Refused where somebody has done so before. */
const putOnRecord = (
  runtime: Runtime,
  { now, cause }: TaskRun,
  id: string,
  work: PlannedWork,
  ...ahead: Change[]
): Promise<Result<void>> =>
  commitChanges(runtime, { ...cause, ...work.cause }, [...ahead, assign(planned(id, work, now))]);

/** Decides and commits until the answer is there. A lost race, for stock too, is decided anew: `lost` counts them. */
const carryOut = async <T>(
  runtime: Runtime,
  run: TaskRun,
  { fulfilmentOrderId: id, planned: work }: WantedWork,
  decide: (order: FulfilmentWork, lost: number) => Move<T> | Promise<Move<T>>,
  lostBefore = 0,
): Promise<T> => {
  for (let lost = lostBefore; lost < DECISIONS_MAX; ) {
    const order = await getFulfilmentOrder(runtime.tables, id);
    if (order === undefined && work === undefined) throw new Error(`there is no fulfilment order ${id}`);
    const move = order && (await decide(order, lost));
    if (move !== undefined && 'done' in move) return move.done;
    const committed = await (move ? run.commit(...move.change) : putOnRecord(runtime, run, id, work!));
    if (committed.ok && move?.answer !== undefined) return move.answer;
    if (committed.ok) continue;
    lost += 1;
    await runtime.sleep(runtime.random() * REDECIDE_BASE_MS * 2 ** lost);
  }
  throw new Error(`fulfilment order ${id} was changed by others ${DECISIONS_MAX} times while it was decided on`);
};

const tokenOf = ({ token }: TaskRun): string => {
  if (token === undefined) throw new Error('this task is for a state that waits with a token');
  return token;
};

const keepToken = (run: TaskRun, id: string, awaited: AwaitedFact, earlier: readonly string[] = []) =>
  tokenPart(id, awaited, tokenOf(run), earlier, plusSeconds(run.now, TOKEN_KEPT_SECONDS));

/** Leaves the token where the answer will find it, or gives the answer that was faster than the workflow. */
const waitFor = async <A extends NodeAnswer | 'DONE'>(
  runtime: Runtime,
  workflow: Workflow,
  run: TaskRun,
  wanted: WantedWork,
  awaited: AwaitedFact,
  answerNow: (order: FulfilmentWork) => A | undefined,
  lostBefore = 0,
): Promise<A | 'WAITING'> => {
  const { fulfilmentOrderId: id } = wanted;
  const decide = async (order: FulfilmentWork, lost: number): Promise<Move<A | 'WAITING'>> => {
    const given = answerNow(order);
    if (given !== undefined) return { done: given };
    // Nearly every task runs once: that there is no token yet takes no look, because its key is free or it is not.
    const earlier = lost === 0 ? [] : await tokensOf(runtime.tables, id, awaited);
    const held = order.status === 'SCHEDULED' ? changedPart(opened(order, run.now)) : unchangedPart(order);
    return { change: [change([keepToken(run, id, awaited, earlier), held])], answer: 'WAITING' };
  };
  const answer = await carryOut(runtime, run, wanted, decide, lostBefore);
  if (answer !== 'WAITING') await workflow.answer(tokenOf(run), { answer });
  return answer;
};

export const handlers = (runtime: Runtime, workflow: Workflow): TaskHandlers<typeof fulfilment> => ({
  offer: async (wanted, run) => {
    const { fulfilmentOrderId: id, planned: work } = wanted;
    // Nearly every offer is the first, and makes the work. The token comes first: it tells which attempt did.
    const token = change([keepToken(run, id, 'ANSWER')]);
    if (work !== undefined && (await putOnRecord(runtime, run, id, work, token)).ok) return { answer: 'WAITING' };
    const lost = work === undefined ? 0 : 1;
    return { answer: await waitFor(runtime, workflow, run, wanted, 'ANSWER', answerOf, lost) };
  },

  awaitDone: async (wanted, run) => ({
    answer: await waitFor(runtime, workflow, run, wanted, 'DONE', (order) => (isOver(order) ? 'DONE' : undefined)),
  }),

  resource: async (wanted, run) => ({
    answer: await carryOut<NodeAnswer>(runtime, run, wanted, async (order) => {
      const given = answerOf(order);
      if (given === 'ACCEPTED' || given === 'RESOLVED') return { done: given };
      return { change: await sourceAnew(runtime.tables, order, run.cause, run.now) };
    }),
  }),

  restock: async (wanted, run) => ({
    work: await carryOut(runtime, run, wanted, async (order) => {
      if (isOver(order)) return { done: order.work };
      const after = expired(order, run.now);
      const facts = [pickupExpired(after), incomplete(after, order.lines, 'nobody came to collect it in time')];
      return {
        change: [change([changedPart(after)], facts), await release(runtime.tables, allocationOf(order), run.cause)],
      };
    }),
  }),
});

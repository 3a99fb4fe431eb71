import { describe, expect, test, vi } from 'vitest';
import type { WorkflowHost } from '../../../infra/local/workflows.ts';
import {
  answer,
  callback,
  called,
  calls,
  chain,
  code,
  FULFILMENT,
  host,
  json,
  never,
  only,
  outputOf,
  pass,
  start,
  task,
  tokenOf,
} from './fixture.ts';

describe('a fulfilment order', () => {
  test('is offered, fulfilled and closed as the answers come', async () => {
    const workflows = host(FULFILMENT, ({ task }) => (task === 'close' ? { done: true } : null));
    const arn = start(workflows);
    await workflows.idle();
    expect(called()).toEqual(['offer']);
    expect(calls[0]).toMatchObject({ input: { order: 'o-1' }, state: 'Offer' });
    answer(workflows, tokenOf('offer'), { answer: 'ACCEPTED' });
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'RUNNING', transitions: 3, name: 'o-1' });
    answer(workflows, tokenOf('fulfil'), { shipped: 2 });
    await workflows.idle();
    expect(called()).toEqual(['offer', 'fulfil', 'close']);
    expect(workflows.describe(arn)).toMatchObject({ status: 'SUCCEEDED', transitions: 4 });
    expect(outputOf(workflows, arn)).toEqual({
      order: 'o-1',
      offer: { answer: 'ACCEPTED' },
      work: { shipped: 2 },
      closed: { result: { done: true } },
    });
  });

  test('that nobody accepts in time is sourced again, with the timeout as the reason', async () => {
    const workflows = host(FULFILMENT);
    const arn = start(workflows);
    await workflows.idle();
    await pass(workflows, 1799);
    expect(called()).toEqual(['offer']);
    await pass(workflows, 2);
    expect(called()).toEqual(['offer', 'resource']);
    expect(outputOf(workflows, arn).refusal).toMatchObject({ Error: 'States.Timeout' });
    expect(code(() => answer(workflows, tokenOf('offer'), { answer: 'ACCEPTED' }))).toBe('TaskTimedOut');
  });

  test('keeps its history with the instants at which things first happened', async () => {
    const workflows = host(FULFILMENT);
    const arn = start(workflows);
    const startedAt = Date.now();
    await workflows.idle();
    vi.advanceTimersByTime(60_000);
    answer(workflows, tokenOf('offer'), { answer: 'REJECTED' });
    await workflows.idle();
    const entered = workflows.history(arn).filter((event) => event.type === 'StateEntered');
    expect(entered.map((event) => [event.state, event.at - startedAt])).toEqual([
      ['Offer', 0],
      ['Answered', 60_000],
      ['Resource', 60_000],
    ]);
    expect(workflows.history(arn).some((event) => event.type === 'StateFailed')).toBe(false);
  });

  test('may be answered by its own function before that returns', async () => {
    const workflows: WorkflowHost = host(FULFILMENT, ({ task, token }) => {
      if (task === 'offer') answer(workflows, token, { answer: 'REJECTED' });
      return task === 'offer' ? never() : null;
    });
    const arn = start(workflows);
    await vi.waitFor(() => expect(workflows.describe(arn).status).toBe('SUCCEEDED'));
    expect(called()).toEqual(['offer', 'resource']);
  });
});

test('an answer is applied at whatever moment after the function returned it comes', async () => {
  const answered = (workflows: WorkflowHost, token: string, hops: number): unknown =>
    hops === 0
      ? answer(workflows, token, { answer: 'REJECTED' })
      : queueMicrotask(() => answered(workflows, token, hops - 1));
  const workflows: WorkflowHost = host(FULFILMENT, ({ task, token, input }) => {
    if (task === 'offer') answered(workflows, token, input.hops as number);
  });
  for (let hops = 0; hops < 100; hops++) start(workflows, { hops }, `hops-${hops}`);
  await workflows.idle();
  expect(workflows.list().filter((execution) => execution.status !== 'SUCCEEDED')).toEqual([]);
});

describe('a token', () => {
  test('answers once, and says so afterwards', async () => {
    const workflows = host(FULFILMENT);
    start(workflows);
    await workflows.idle();
    const offer = tokenOf('offer');
    answer(workflows, offer, { answer: 'ACCEPTED' });
    expect(code(() => answer(workflows, offer, { answer: 'REJECTED' }))).toBe('TaskTimedOut');
    await workflows.idle();
    answer(workflows, tokenOf('fulfil'), {});
    await workflows.idle();
    expect(called()).toEqual(['offer', 'fulfil', 'close']);
    expect(code(() => workflows.sendTaskHeartbeat({ taskToken: offer }))).toBe('TaskTimedOut');
  });

  test('that nobody issued is refused', () => {
    const workflows = host(FULFILMENT);
    expect(code(() => answer(workflows, 'made up', {}))).toBe('InvalidToken');
    expect(code(() => answer(workflows, 'A'.repeat(43), {}))).toBe('TaskDoesNotExist');
  });

  test('takes only JSON for an answer, and stays open for a better one', async () => {
    const workflows = host(only(callback('offer')));
    const arn = start(workflows);
    await workflows.idle();
    const taskToken = tokenOf('offer');
    expect(code(() => workflows.sendTaskSuccess({ taskToken, output: 'not json' }))).toBe('InvalidOutput');
    expect(code(() => workflows.sendTaskSuccess({ taskToken, output: json('x'.repeat(262_144)) }))).toBe(
      'InvalidOutput',
    );
    answer(workflows, taskToken, { fine: true });
    await workflows.idle();
    expect(outputOf(workflows, arn)).toEqual({ fine: true });
  });

  test('is lost when heartbeats stop, and kept while they come', async () => {
    const state = callback('pick', { HeartbeatSeconds: 60, TimeoutSeconds: 150 });
    const workflows = host(only(state));
    const silent = start(workflows, {}, 'silent');
    const alive = start(workflows, {}, 'alive');
    await workflows.idle();
    await pass(workflows, 50);
    workflows.sendTaskHeartbeat({ taskToken: tokenOf('pick', 1) });
    await pass(workflows, 50);
    expect(workflows.describe(silent)).toMatchObject({ status: 'FAILED', error: 'States.HeartbeatTimeout' });
    workflows.sendTaskHeartbeat({ taskToken: tokenOf('pick', 1) });
    expect(workflows.describe(alive).status).toBe('RUNNING');
    await pass(workflows, 51);
    expect(workflows.describe(alive)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  test('that misses a heartbeat is caught as a timeout too', async () => {
    const caught = [{ ErrorEquals: ['States.Timeout'], Next: 'Ask' }];
    const workflows = host(
      chain({ Pick: callback('pick', { HeartbeatSeconds: 60, Catch: caught }), Ask: task('ask') }),
    );
    start(workflows);
    await workflows.idle();
    await pass(workflows, 61);
    expect(calls[1]).toMatchObject({ task: 'ask', input: { Error: 'States.HeartbeatTimeout' } });
  });

  test('that fails names the error for Catch', async () => {
    const caught = { ErrorEquals: ['OutOfStock'], ResultPath: '$.why', Next: 'Ask' };
    const workflows = host(chain({ Offer: callback('offer', { Catch: [caught] }), Ask: task('ask') }));
    start(workflows);
    await workflows.idle();
    workflows.sendTaskFailure({ taskToken: tokenOf('offer'), error: 'OutOfStock', cause: 'sold at the till' });
    await workflows.idle();
    expect(calls[1]).toMatchObject({
      task: 'ask',
      input: { order: 'o-1', why: { Error: 'OutOfStock', Cause: 'sold at the till' } },
    });
  });
});

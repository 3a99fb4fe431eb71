import { describe, expect, test, vi } from 'vitest';
import {
  answer,
  callback,
  chain,
  type Fields,
  FULFILMENT,
  host,
  json,
  only,
  outputOf,
  start,
  task,
  tokenOf,
} from './fixture.ts';

describe('a definition', () => {
  const passing = { Type: 'Pass', End: true };
  test.each([
    ['JSONata', { ...only(passing), QueryLanguage: 'JSONata' }, 'JSONata'],
    ['variables', only({ ...passing, Assign: { a: 1 } }), 'Assign'],
    [
      'a context field that is not kept',
      only({ ...passing, Parameters: { 'a.$': '$$.State.RetryCount' } }),
      'RetryCount',
    ],
    ['what a re-run would draw anew', only({ ...passing, Parameters: { 'a.$': 'States.UUID()' } }), 'States.UUID'],
    ['a service other than Lambda', only({ ...task('x'), Resource: 'arn:aws:states:::sqs:sendMessage' }), 'sqs'],
    ['a transition to nowhere', chain({ A: { Type: 'Pass', Next: 'B' } }), 'invalid'],
  ])('with %s is refused by name', (_, definition, named) => {
    expect(() => host(definition)).toThrow(named);
    expect(() => host(definition)).toThrow('State machine Fulfilment');
  });

  test('of an EXPRESS machine is refused', () => {
    expect(() => host(FULFILMENT, undefined, { StateMachineType: 'EXPRESS' })).toThrow('Fulfilment is EXPRESS');
  });

  test('may ask whether a field is absent, and write a result over everything', async () => {
    const rule = (Variable: string, test: string) => ({ Variable, [test]: false });
    const definition = chain({
      Ask: {
        Type: 'Choice',
        Choices: [{ And: [rule('$.node', 'IsPresent'), { Not: rule('$.order', 'IsNull') }], Next: 'Wrong' }],
        Default: 'Also',
      },
      Also: { Type: 'Choice', Choices: [{ ...rule('$.node', 'IsPresent'), Next: 'Close' }], Default: 'Wrong' },
      Close: task('close', { ResultPath: '$' }),
      Wrong: { Type: 'Fail', Error: 'Wrong', Cause: 'took the wrong turn' },
    });
    const workflows = host(definition, () => 7);
    const arn = start(workflows);
    await workflows.idle();
    expect(workflows.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: json({ result: 7 }) });
    expect(workflows.describe(start(workflows, { node: 's-1' }, 'o-2')).status).toBe('RUNNING');
    await workflows.idle();
    expect(workflows.list()[1]).toMatchObject({ status: 'FAILED', error: 'Wrong', cause: 'took the wrong turn' });
  });

  test('sees the same execution in its context on every run', async () => {
    const seen = (next: Fields) => ({
      Type: 'Pass',
      Parameters: { 'id.$': '$$.Execution.Id', 'name.$': '$$.StateMachine.Name', 'at.$': '$$.Execution.StartTime' },
      ...next,
    });
    const workflows = host(
      chain({ Wait: callback('wait', { End: undefined, Next: 'See' }), See: seen({ End: true }) }),
    );
    const at = new Date().toISOString();
    const arn = start(workflows);
    await workflows.idle();
    vi.advanceTimersByTime(5000);
    answer(workflows, tokenOf('wait'), {});
    await workflows.idle();
    expect(outputOf(workflows, arn)).toEqual({ id: arn, name: 'fulfilment', at });
  });
});

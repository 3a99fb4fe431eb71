import { expect, it, onTestFinished } from 'vitest';
import { EventBus } from '../../infra/local/bus.ts';
import { Deliveries } from '../../infra/local/deliveries.ts';
import { openJournal } from '../../infra/local/journal.ts';
import { parseSchedule, Schedules } from '../../infra/local/schedules.ts';
import type { Resource } from '../../infra/local/template.ts';
import { ACCOUNT, fakeFunctions, functionArn, REGION, resource, temporaryDirectory } from './parts.ts';

const at = (text: string): number => Date.parse(`${text}Z`);

// biome-ignore format: a table reads by its rows
it.each([
  ['rate(1 minute)', '2026-03-01T10:00:30', '2026-03-01T10:01:30'],
  ['rate(5 minutes)', '2026-03-01T10:00:30', '2026-03-01T10:05:30'],
  ['rate(2 hours)', '2026-03-01T23:00:00', '2026-03-02T01:00:00'],
  ['rate(1 day)', '2026-02-28T10:00:00', '2026-03-01T10:00:00'],
  ['cron(0 18 * * ? *)', '2026-03-01T17:59:59', '2026-03-01T18:00:00'],
  ['cron(0 18 * * ? *)', '2026-03-01T18:00:00', '2026-03-02T18:00:00'],
  ['cron(0/15 * * * ? *)', '2026-03-01T10:16:00', '2026-03-01T10:30:00'],
  ['cron(15,45 9-10 * * ? *)', '2026-03-01T10:45:00', '2026-03-02T09:15:00'],
  ['cron(0 1 ? * MON-FRI *)', '2026-03-06T01:00:00', '2026-03-09T01:00:00'], // a Friday, then Monday
  ['cron(0 1 ? * 1 *)', '2026-03-02T00:00:00', '2026-03-08T01:00:00'], // 1 is Sunday
  ['cron(0 0 1 JAN,JUL ? *)', '2026-03-01T00:00:00', '2026-07-01T00:00:00'],
  ['cron(0 0 29 2 ? *)', '2026-03-01T00:00:00', '2028-02-29T00:00:00'],
  ['cron(0 0 1 1 ? 2030)', '2026-03-01T00:00:00', '2030-01-01T00:00:00'],
])('%s after %s fires at %s', (expression, after, next) => {
  expect(new Date(parseSchedule(expression)(at(after))).toISOString()).toBe(`${next}.000Z`);
});

it('a schedule in the past never fires', () => {
  expect(parseSchedule('cron(0 0 1 1 ? 2020)')(at('2026-03-01T00:00:00'))).toBe(Number.POSITIVE_INFINITY);
});

it.each(['rate(0 minutes)', 'rate(1 second)', 'cron(0 0 * *)', 'cron(0 0 L * ? *)', 'cron(61 * * * ? *)', 'at(noon)'])(
  '%s is refused',
  (expression) => expect(() => parseSchedule(expression)).toThrow(/Unknown/),
);

const sweep = resource('AWS::Events::Rule', 'Sweep', {
  ScheduleExpression: 'rate(1 minute)',
  Targets: [{ Id: 'Target0', Arn: functionArn('inventory') }],
});

function clockwork(dataDir: string, rules: Resource[], now: () => number) {
  const journal = openJournal(dataDir);
  const functions = fakeFunctions();
  const deliveries = new Deliveries({ journal, functions, send: async () => {} });
  const bus = new EventBus({
    journal,
    deliveries,
    buses: [],
    rules,
    archives: [],
    region: REGION,
    account: ACCOUNT,
    now,
  });
  const schedules = new Schedules({ journal, bus, rules, now });
  const close = async () => {
    schedules.close();
    await deliveries.close();
    if (journal.isOpen) journal.close();
  };
  onTestFinished(close);
  return { schedules, deliveries, functions, close };
}

it('a scheduled rule invokes its function once a period', async () => {
  let now = at('2026-03-01T10:00:00');
  const disabled = { ...sweep, arn: `${sweep.arn}2`, properties: { ...sweep.properties, State: 'DISABLED' } };
  const { schedules, deliveries, functions } = clockwork(temporaryDirectory(), [sweep, disabled], () => now);
  for (let second = 0; second <= 150; second += 1) {
    schedules.tick();
    now += 1_000;
  }
  await deliveries.idle();
  expect(functions.calls).toHaveLength(2);
  expect(functions.calls[0]?.event).toMatchObject({
    source: 'aws.events',
    'detail-type': 'Scheduled Event',
    time: '2026-03-01T10:01:00Z',
    resources: [sweep.arn],
    detail: {},
  });
});

it('times missed while the process was down are made up for once', async () => {
  const dataDir = temporaryDirectory();
  let now = at('2026-03-01T10:00:00');
  const first = clockwork(dataDir, [sweep], () => now);
  await first.close();
  now += 10 * 60_000;
  const second = clockwork(dataDir, [sweep], () => now);
  second.schedules.tick();
  second.schedules.tick();
  await second.deliveries.idle();
  expect(second.functions.calls).toHaveLength(1);
});

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventBus } from './bus.ts';
import { transaction } from './journal.ts';
import type { Resource } from './template.ts';

/** The first time after `at` (epoch milliseconds) at which a schedule fires; Infinity when it never does again. */
export type Schedule = (at: number) => number;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const UNITS: Record<string, number> = { minute: MINUTE, hour: 60 * MINUTE, day: DAY };
/** A cron expression is looked up this many days ahead; beyond a leap day's distance there is nothing new. */
const MAXIMUM_DAYS_AHEAD = 8 * 366;

/**
 * Fires the rules that have a ScheduleExpression. When a rule last fired is in the journal: a time missed while the
 * process was down is made up for once, at the next start (AWS is never down).
 */
export class Schedules {
  readonly #options: { journal: DatabaseSync; bus: EventBus; now: () => number };
  readonly #rules: { rule: Resource; next: Schedule; due: number }[];
  readonly #write: StatementSync;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { journal: DatabaseSync; bus: EventBus; rules: Resource[]; now?: () => number }) {
    const { journal, bus, rules, now = Date.now } = options;
    this.#options = { journal, bus, now };
    journal.exec('CREATE TABLE IF NOT EXISTS schedules (rule TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT');
    const read = journal.prepare('SELECT at FROM schedules WHERE rule = ?');
    this.#write = journal.prepare('INSERT INTO schedules VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at');
    this.#rules = rules
      .filter(({ properties }) => properties.ScheduleExpression !== undefined && properties.State !== 'DISABLED')
      .map((rule) => {
        const next = scheduleOf(rule);
        const at = read.get(rule.arn)?.at ?? now();
        this.#write.run(rule.arn, at);
        return { rule, next, due: next(Number(at)) };
      });
  }

  /** Looks at the clock now and every second from now on. */
  start(): void {
    if (this.#rules.length === 0) return;
    this.tick();
    this.#timer = setInterval(() => this.tick(), 1_000);
    this.#timer.unref();
  }

  /** Fires what is due. */
  tick(): void {
    const { bus, journal, now } = this.#options;
    const at = now();
    for (const each of this.#rules) {
      const { rule, due, next } = each;
      if (at < due) continue;
      each.due = next(at);
      transaction(journal, () => {
        this.#write.run(rule.arn, at);
        bus.fire(
          rule,
          bus.envelope({ source: 'aws.events', detailType: 'Scheduled Event', resources: [rule.arn], at }),
        );
      });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function scheduleOf({ stack, id, properties }: Resource): Schedule {
  try {
    return parseSchedule(String(properties.ScheduleExpression));
  } catch (error) {
    throw new Error(`${stack}/${id}: ${(error as Error).message}`);
  }
}

/**
 * Reads `rate(5 minutes)` or `cron(minutes hours day-of-month month day-of-week year)` in UTC.
 * @throws Error for anything else, and for the cron letters L, W and #.
 */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate && Number(rate[1]) > 0) {
    const period = Number(rate[1]) * UNITS[rate[2]!]!;
    return (at) => at + period;
  }
  const fields = /^cron\(([^)]+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) throw new Error(`Unknown schedule ${expression}`);
  return cron(fields);
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function cron(fields: string[]): Schedule {
  const [minutes, hours, days, months, weekdays, years] = [
    range(fields[0]!, 0, 59),
    range(fields[1]!, 0, 23),
    range(fields[2]!, 1, 31),
    range(fields[3]!, 1, 12, MONTHS),
    range(fields[4]!, 1, 7, WEEKDAYS),
    range(fields[5]!, 1970, 2199),
  ] as const;
  const times = [...hours].flatMap((hour) => [...minutes].map((minute) => (hour * 60 + minute) * MINUTE));
  times.sort((a, b) => a - b);
  return (at) => {
    const today = Math.floor(at / DAY) * DAY;
    for (let day = today; day < today + MAXIMUM_DAYS_AHEAD * DAY; day += DAY) {
      const date = new Date(day);
      const isThatDay =
        days.has(date.getUTCDate()) &&
        months.has(date.getUTCMonth() + 1) &&
        weekdays.has(date.getUTCDay() + 1) &&
        years.has(date.getUTCFullYear());
      const time = isThatDay ? times.find((offset) => day + offset > at) : undefined;
      if (time !== undefined) return day + time;
    }
    return Number.POSITIVE_INFINITY;
  };
}

/** The values of one cron field: `*`, `?`, `5`, `1-5`, `0/15`, lists of them, and names. */
function range(field: string, first: number, last: number, names: string[] = []): Set<number> {
  const values = new Set<number>();
  const numberOf = (text: string): number => {
    const value = names.includes(text.toUpperCase()) ? names.indexOf(text.toUpperCase()) + first : Number(text);
    if (!Number.isInteger(value) || value < first || value > last) throw new Error(`Unknown cron field ${field}`);
    return value;
  };
  for (const part of field.split(',')) {
    const [span = '', step] = part.split('/');
    const [from = '', to] = span === '*' || span === '?' ? [String(first), String(last)] : span.split('-');
    const end = to !== undefined ? numberOf(to) : step !== undefined ? last : numberOf(from);
    const increment = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(increment) || increment < 1) throw new Error(`Unknown cron field ${field}`);
    for (let value = numberOf(from); value <= end; value += increment) values.add(value);
  }
  return values;
}

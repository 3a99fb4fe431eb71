import { Temporal } from 'temporal-polyfill';
import { type Instant, instantOf } from './time.ts';

/** What clocks on a wall show. Apart from time.ts, because most functions need instants only and load faster without. */

const zoned = (at: Instant, timeZone: string) => Temporal.Instant.from(at).toZonedDateTimeISO(timeZone);

const toInstant = (at: Temporal.ZonedDateTime): Instant => instantOf(at.epochMilliseconds);

/** The first moment not before `at` when clocks in `timeZone` show `time` (`HH:MM`). */
export const nextTimeOfDay = (at: Instant, timeZone: string, time: string): Instant => {
  const from = zoned(at, timeZone);
  const today = from.withPlainTime(Temporal.PlainTime.from(time));
  return toInstant(Temporal.ZonedDateTime.compare(today, from) >= 0 ? today : today.add({ days: 1 }));
};

/** The moment when clocks in `timeZone` show `time`, `days` calendar days after the day of `at`. */
export const timeOfDayAfter = (at: Instant, timeZone: string, days: number, time: string): Instant =>
  toInstant(zoned(at, timeZone).add({ days }).withPlainTime(Temporal.PlainTime.from(time)));

/** Date (`YYYY-MM-DD`), day of the week (1 Monday … 7 Sunday) and time (`HH:MM`) that clocks in `timeZone` show. */
export const localClock = (at: Instant, timeZone: string): { date: string; weekday: number; time: string } => {
  const local = zoned(at, timeZone);
  const time = local.toPlainTime().toString({ smallestUnit: 'minute' });
  return { date: local.toPlainDate().toString(), weekday: local.dayOfWeek, time };
};

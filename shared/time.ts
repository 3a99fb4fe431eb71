import { Temporal } from 'temporal-polyfill';
import * as z from 'zod';

/** A point in time: ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it; sorts as text. */
export type Instant = string;

export const InstantSchema = z.iso.datetime({ precision: 3 }).meta({ examples: ['2026-11-21T09:00:00.000Z'] });

/** `HH:MM` on a node's own clock. */
export const LocalTimeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM');

export const TimeZoneSchema = z
  .string()
  .max(64)
  .refine(
    (zone) => {
      try {
        Temporal.Now.zonedDateTimeISO(zone);
        return true;
      } catch {
        return false;
      }
    },
    { error: 'is not an IANA time zone' },
  )
  .meta({ examples: ['Asia/Seoul'] });

export const instantOf = (epochMs: number): Instant => new Date(epochMs).toISOString();

export const plusSeconds = (at: Instant, seconds: number): Instant => instantOf(Date.parse(at) + seconds * 1000);

export const epochSeconds = (at: Instant): number => Math.floor(Date.parse(at) / 1000);

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

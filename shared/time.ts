import * as z from 'zod';

/** A point in time: ISO 8601 in UTC with milliseconds, as `Date.prototype.toISOString` writes it; sorts as text. */
export type Instant = string;

export const InstantSchema = z.iso
  .datetime({ precision: 3 })
  .max(24)
  .meta({ examples: ['2026-11-21T09:00:00.000Z'] });

/** `HH:MM` on a node's own clock. */
export const LocalTimeSchema = z
  .string()
  .max(5)
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM');

export const TimeZoneSchema = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_+:/-]+$/, 'is not an IANA time zone')
  .refine(
    (zone) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: zone });
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

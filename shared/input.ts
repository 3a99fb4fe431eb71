import * as z from 'zod';

/** Bounded building blocks of every contract (rule 21). */

const BODY_BYTES_MAX = 256 * 1024;
const DEPTH_MAX = 32;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

export interface FieldError {
  /** JSON pointer. */
  field: string;
  detail: string;
}

/** Half of a surrogate pair is no character: DynamoDB refuses it, and encoders replace it by something else. */
const isText = (text: string): boolean => text.isWellFormed();

/** Finds what no schema may see, anywhere in a value: names that reach for prototypes, broken text, and nesting that is there to exhaust us. */
const hostile = (value: unknown, path: string, depth: number): FieldError | undefined => {
  if (typeof value === 'string') return isText(value) ? undefined : { field: path, detail: 'is not valid Unicode' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > DEPTH_MAX) return { field: path, detail: `is nested deeper than ${DEPTH_MAX} levels` };
  for (const [key, inner] of Object.entries(value)) {
    const field = `${path}${pointer([key])}`;
    if (FORBIDDEN_KEYS.has(key) || !isText(key)) return { field, detail: 'is not allowed as a field name' };
    const found = hostile(inner, field, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** What is in a value that no schema may see, undefined where nothing is. */
export const harmIn = (value: unknown): FieldError | undefined => hostile(value, '', 1);

export type ParsedBody =
  | { ok: true; fields: Record<string, unknown> }
  | { ok: false; problem: 'payload-too-large' | 'invalid-input'; errors: FieldError[] };

/** Reads a JSON object body, refusing what is too large, too deep or not an object. No body is an empty object. */
export const parseBody = (text: string | undefined): ParsedBody => {
  const invalid = (detail: string, field = ''): ParsedBody => ({
    ok: false,
    problem: 'invalid-input',
    errors: [{ field, detail }],
  });
  if (text === undefined || text === '') return { ok: true, fields: {} };
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) return { ok: false, problem: 'payload-too-large', errors: [] };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalid('the body is not an object');
  const found = harmIn(value);
  return found === undefined
    ? { ok: true, fields: value as Record<string, unknown> }
    : invalid(found.detail, found.field);
};

export const pointer = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Turns what zod found into field errors; an unknown key is named itself, not its parent. */
export const fieldErrors = (error: z.ZodError): FieldError[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ field: pointer([...issue.path, key]), detail: 'is not a known field' }))
      : [{ field: pointer(issue.path), detail: issue.message }],
  );

const passesLuhn = (digits: string): boolean => {
  const total = [...digits].reverse().reduce((subtotal, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return subtotal + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return total % 10 === 0;
};

/** Digits as people group them: `4111 1111-1111.1111`. Beside a hexadecimal letter they belong to an identifier. */
const DIGIT_GROUPS = /(?<![0-9A-Fa-f])\d+(?:[\s.\-‐-―_/]{1,3}\d+)*(?![0-9A-Fa-f])/gu;
/** First digits of the card schemes, Korea's own among them. */
const CARD_PREFIX = /^[2-69]/;
/** People write card numbers in groups of four to six; longer groups side by side are something else, as in a UUID. */
const GROUP_DIGITS_MAX = 6;

const isCardNumber = (digits: string): boolean => digits.length >= 13 && digits.length <= 19 && passesLuhn(digits);

/** Whether some of these groups, one after the other, are a card number: an expiry or a code may stand around it. */
const holdsCardGroups = (groups: readonly string[]): boolean =>
  groups.some((first, index) => {
    if (isCardNumber(first)) return true;
    if (!CARD_PREFIX.test(first)) return false;
    let digits = '';
    for (const group of groups.slice(index)) {
      digits += group;
      if (group.length > GROUP_DIGITS_MAX || digits.length > 19) return false;
      if (isCardNumber(digits)) return true;
    }
    return false;
  });

const digitRuns = (text: string): RegExpExecArray[] => [...text.normalize('NFKC').matchAll(DIGIT_GROUPS)];

/** True where a text holds what looks like a card number: 13 to 19 digits that pass Luhn, however they are grouped. */
export const holdsCardNumber = (text: string): boolean =>
  digitRuns(text).some(([run]) => holdsCardGroups(run.split(/\D+/)));

/** For logs: digits that look like a card number are taken out (rule 24). */
export const withoutCardNumbers = (text: string): string =>
  text.replaceAll(DIGIT_GROUPS, (run) => (holdsCardNumber(run) ? '[card number]' : run));

const ONE_LINE = /^[^\p{Cc}]*$/u;
const LINES = /^[^\p{Cc}]*(?:[\n\t][^\p{Cc}]*)*$/u;

const typed = (lengthMax: number, pattern: RegExp) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(pattern, 'holds characters that are not allowed')
    .refine((text) => !holdsCardNumber(text), { error: 'must not contain a card number' });

/** One line that people type. Card numbers are refused, wherever they are typed by mistake (rule 24). */
export const freeText = (lengthMax: number, pattern = ONE_LINE) => typed(lengthMax, pattern);

/** As `freeText`, with line breaks. */
export const freeLines = (lengthMax: number) => typed(lengthMax, LINES);

/** One line that we wrote for a person to read. */
export const Sentence = z.string().max(500).regex(ONE_LINE);

export const Sku = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
  .meta({ description: 'Stock keeping unit: the sellable variant', examples: ['TEE-BLK-M'] });

export const NodeId = z
  .string()
  .max(32)
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/, 'must be 1 to 32 letters, digits or dashes')
  .meta({ description: 'A place that holds stock', examples: ['store-gangnam'] });

/** Whole sellable units of a command. */
export const Units = z.int().min(1).max(1_000_000);

export const Id = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not an id');

/** Where a list goes on; made by the list itself, and of no use to any other. */
const Cursor = z
  .string()
  .max(2048)
  .regex(/^[A-Za-z0-9_-]+$/, 'was not handed out by this list');

const PAGE_MAX = 100;

/** Query parameters of every list. */
export const paging = {
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(20).meta({ description: 'Items of a page at most' }),
  cursor: Cursor.optional().meta({ description: 'As the page before answered it; the first page has none' }),
};

/** Answer of every list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item).max(PAGE_MAX),
    cursor: Cursor.optional().meta({ description: 'For the next page; absent on the last' }),
  });

/** Kept to the centimetre: a double may be smaller than any number that DynamoDB takes. */
const degrees = (limit: number) =>
  z
    .number()
    .min(-limit)
    .max(limit)
    .overwrite((value) => Math.round(value * 1e7) / 1e7);

export const Location = z.strictObject({ latitude: degrees(90), longitude: degrees(180) });
export type Location = z.infer<typeof Location>;

/** A text in the languages of the house; Korean is always there. */
export const LocalizedText = z
  .strictObject({ ko: freeText(200), en: freeText(200).optional(), ja: freeText(200).optional() })
  .meta({ id: 'LocalizedText' });

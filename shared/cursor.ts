import type { Attributes, QueryInput } from './table.ts';

/** Opaque to clients: where the next page of a query begins. */
export const encodeCursor = (key: Attributes | undefined): string | undefined =>
  key === undefined ? undefined : Buffer.from(JSON.stringify(key)).toString('base64url');

/** The caller sent a cursor that this query did not hand out. */
export class InvalidCursor extends Error {}

/** What DynamoDB takes as part of a key. */
const isKeyText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && Buffer.byteLength(value) <= 1024;

/**
 * A cursor that was tampered with may only fail, never show another partition. It has to be a key that this very query
 * can have stopped at, or else DynamoDB takes it for a bug of ours.
 */
export const decodeCursor = (input: QueryInput, pkName: string, skName: string): Attributes | undefined => {
  if (input.cursor === undefined) return undefined;
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(input.cursor, 'base64url').toString());
  } catch {}
  const key = Object(decoded) as Attributes;
  const names = new Set(['pk', 'sk', pkName, skName]);
  const sk = key[skName];
  const isWhole = Object.keys(key).length === names.size && [...names].every((name) => isKeyText(key[name]));
  const isInRange =
    typeof sk === 'string' && sk.startsWith(input.startsWith ?? '') && (input.upTo === undefined || sk <= input.upTo);
  if (isWhole && isInRange && key[pkName] === input.pk) return key;
  throw new InvalidCursor();
};

import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Entry, PublicKey } from './contract.ts';

/** What keeps a signature of an entry from meaning anything else. */
const TYPE = 'ieum.till-entry.v1';

/**
 * What a till signs: the entry without its signature, with the till's id and a type, as JSON by RFC 8785 (JCS). Its
 * texts need no escapes and its numbers are whole, so that is: names in this order, no white space, UTF-8.
 */
const canonicalForm = (tillId: string, entry: Omit<Entry, 'signature'>): string => {
  const { kind, lines, occurredAt, previous, saleId, sequence } = entry;
  return JSON.stringify({
    kind,
    lines: lines.map(({ sku, units }) => ({ sku, units })),
    occurredAt,
    previous,
    saleId,
    sequence,
    tillId,
    type: TYPE,
  });
};

/** What the next entry calls `previous`. */
export const hashOf = (tillId: string, entry: Omit<Entry, 'signature'>): string =>
  createHash('sha256').update(canonicalForm(tillId, entry)).digest('base64url');

/** Whether one of the keys has signed the entry as an entry of this till. */
export const isSignedBy = (keys: readonly PublicKey[], tillId: string, entry: Entry): boolean => {
  const signed = Buffer.from(canonicalForm(tillId, entry));
  const signature = Buffer.from(entry.signature, 'base64url');
  return keys.some((key) => verify(null, signed, createPublicKey({ key: { ...key }, format: 'jwk' }), signature));
};

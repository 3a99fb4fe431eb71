import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { opened } from '../../functions/customers/domain.ts';
import { sealerFrom, unseal } from '../../functions/customers/sealing.ts';

const sealer = sealerFrom(randomBytes);

describe('sealing', () => {
  const key = sealer.newKey();
  const sealed = sealer.seal(key, 'CUSTOMER#1/PROFILE', { name: '한 고객' });

  it('opens with the key, where it was sealed', () => {
    expect(unseal(key, 'CUSTOMER#1/PROFILE', sealed)).toEqual({ name: '한 고객' });
  });

  it('opens with no other key', () => {
    expect(() => unseal(sealer.newKey(), 'CUSTOMER#1/PROFILE', sealed)).toThrow();
  });

  it("does not open in another customer's place", () => {
    expect(() => unseal(key, 'CUSTOMER#2/PROFILE', sealed)).toThrow();
  });

  it.each([0, 12, 28])('does not open once byte %i was changed', (position) => {
    const bytes = Buffer.from(sealed, 'base64');
    bytes[position]! ^= 1;
    expect(() => unseal(key, 'CUSTOMER#1/PROFILE', bytes.toString('base64'))).toThrow();
  });

  it('never gives the same bytes twice, so that equal data cannot be told from different data', () => {
    expect(sealer.seal(key, 'CUSTOMER#1/PROFILE', { name: '한 고객' })).not.toBe(sealed);
  });

  it('has keys of 256 bits', () => {
    expect(Buffer.from(sealer.newKey(), 'base64')).toHaveLength(32);
  });
});

describe('opening a customer', () => {
  const newKey = () => 'new';
  it.each([
    ['a stranger', undefined, { key: 'new', keyVersion: 1, version: 0, isNew: true }],
    ['a known one', { key: 'old', keyVersion: 1, version: 4 }, { key: 'old', keyVersion: 1, version: 4, isNew: false }],
    [
      'an erased one',
      { version: 5, erasedAt: '2026-11-21T09:00:00.000Z' },
      { key: 'new', keyVersion: 6, version: 5, isNew: true },
    ],
  ])('%s', (_, found, expected) => {
    expect(opened('c', found, newKey)).toEqual({ customerId: 'c', ...expected });
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { holdsCardNumber, withoutCardNumbers } from '../../shared/input.ts';

describe('card numbers in text', () => {
  // Numbers that the card schemes publish for tests.
  test.each([
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111.1111.1111.1111',
    '4111 1111 1111 1111 12/29',
    'my card is 4111 1111 1111 1111, code 123',
    '12 4111 1111 1111 1111',
    '카드번호4111111111111111입니다',
    '４１１１　１１１１　１１１１　１１１１',
    '3782 822463 10005',
    '5555555555554444',
    '6011 1111 1111 1117',
    '30569309025904',
  ])('%s is found', (text) => {
    expect(holdsCardNumber(text)).toBe(true);
  });

  test.each([
    '4111 1111 1111 1112',
    'a4111111111111111',
    '010-1234-5678',
    '+82 10-1234-5678',
    '서울 강남구 테헤란로 152, 06236',
    '2026-11-23T01:00:00.000Z',
    '411111111111111111111111',
    'TEE-BLK-M 12 × 3',
  ])('%s is none', (text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });

  test('no identifier of ours is taken for one', () => {
    const ids = Array.from({ length: 20_000 }, () => randomUUID());
    expect(ids.filter((id) => holdsCardNumber(`SKU-${id}`))).toEqual([]);
  });

  test('they do not reach the logs', () => {
    expect(withoutCardNumbers('Error: 4111 1111 1111 1111 is no name, at line 12')).toBe(
      'Error: [card number] is no name, at line 12',
    );
  });
});

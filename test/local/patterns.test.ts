import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../infra/local/patterns.ts';

const event = {
  source: 'ieum.orders',
  'detail-type': 'order.placed.v1',
  resources: ['order#1', 'customer#7'],
  detail: {
    total: 42_000,
    currency: 'KRW',
    gift: false,
    coupon: null,
    none: [],
    ip: '10.1.2.3',
    ipv6: '2001:db8::1',
    path: 'img/a*b.png',
    lines: [
      { sku: 'TEE-1', units: 2 },
      { sku: 'MUG-9', units: 1 },
    ],
    node: { id: 'store-3', kind: 'STORE' },
  },
};

const on = (detail: object) => ({ detail });

// biome-ignore format: a table reads by its rows
const table: [what: string, pattern: object, matches: boolean][] = [
  ['an exact text', { source: ['ieum.orders'] }, true],
  ['one of several texts', { source: ['x', 'ieum.orders'] }, true],
  ['another text', { source: ['ieum'] }, false],
  ['all fields together', { source: ['ieum.orders'], 'detail-type': ['order.placed.v1'] }, true],
  ['all fields but one', { source: ['ieum.orders'], 'detail-type': ['order.cancelled.v1'] }, false],
  ['an exact number', on({ total: [42_000] }), true],
  ['a number as text', on({ total: ['42000'] }), false],
  ['an exact boolean', on({ gift: [false] }), true],
  ['the other boolean', on({ gift: [true] }), false],
  ['null', on({ coupon: [null] }), true],
  ['null where there is a value', on({ currency: [null] }), false],
  ['null where there is nothing', on({ missing: [null] }), false],
  ['one element of an array', { resources: ['customer#7'] }, true],
  ['no element of an array', { resources: ['customer#8'] }, false],
  ['an empty array', on({ none: ['x'] }), false],
  ['a missing parent', { detail: { missing: { id: ['x'] } } }, false],
  ['text where the event has an object', on({ node: ['store-3'] }), false],
  ['an object where the event has text', on({ currency: { code: ['KRW'] } }), false],
  ['a nested field', on({ node: { id: ['store-3'] } }), true],
  ['one object of an array', on({ lines: { sku: ['MUG-9'], units: [1] } }), true],
  ['two objects of an array mixed up', on({ lines: { sku: ['MUG-9'], units: [2] } }), false],
  ['prefix', { 'detail-type': [{ prefix: 'order.' }] }, true],
  ['a prefix in the middle', { 'detail-type': [{ prefix: 'placed' }] }, false],
  ['prefix of an array element', { resources: [{ prefix: 'customer#' }] }, true],
  ['prefix of a number', on({ total: [{ prefix: '4' }] }), false],
  ['prefix in any case', { source: [{ prefix: { 'equals-ignore-case': 'IEUM.' } }] }, true],
  ['suffix', on({ path: [{ suffix: '.png' }] }), true],
  ['another suffix', on({ path: [{ suffix: '.jpg' }] }), false],
  ['suffix in any case', on({ path: [{ suffix: { 'equals-ignore-case': '.PNG' } }] }), true],
  ['equals-ignore-case', on({ currency: [{ 'equals-ignore-case': 'krw' }] }), true],
  ['equals-ignore-case of a part', on({ currency: [{ 'equals-ignore-case': 'kr' }] }), false],
  ['wildcard', on({ path: [{ wildcard: 'img/*.png' }] }), true],
  ['wildcard in the wrong place', on({ path: [{ wildcard: '*.jpg' }] }), false],
  ['a wildcard is no regular expression', { source: [{ wildcard: 'ieum?orders*' }] }, false],
  ['an escaped star', on({ path: [{ wildcard: '*a\\*b*' }] }), true],
  ['an escaped star against another character', on({ currency: [{ wildcard: 'K\\*W' }] }), false],
  ['anything but', on({ currency: [{ 'anything-but': 'USD' }] }), true],
  ['anything but itself', on({ currency: [{ 'anything-but': ['USD', 'KRW'] }] }), false],
  ['anything but a number', on({ total: [{ 'anything-but': [1, 42_000] }] }), false],
  ['anything but, of an array with something else', { resources: [{ 'anything-but': 'order#1' }] }, true],
  ['anything but, of nothing', on({ missing: [{ 'anything-but': 'x' }] }), false],
  ['anything but a prefix', on({ currency: [{ 'anything-but': { prefix: 'KR' } }] }), false],
  ['anything but several prefixes', on({ currency: [{ 'anything-but': { prefix: ['US', 'EU'] } }] }), true],
  ['anything but a suffix', on({ path: [{ 'anything-but': { suffix: '.png' } }] }), false],
  ['anything but in any case', on({ currency: [{ 'anything-but': { 'equals-ignore-case': ['krw'] } }] }), false],
  ['anything but a wildcard', on({ path: [{ 'anything-but': { wildcard: 'img/*' } }] }), false],
  ['numeric equality', on({ total: [{ numeric: ['=', 42_000] }] }), true],
  ['a numeric range', on({ total: [{ numeric: ['>', 0, '<=', 42_000] }] }), true],
  ['a numeric range just missed', on({ total: [{ numeric: ['>=', 0, '<', 42_000] }] }), false],
  ['numeric against text', on({ currency: [{ numeric: ['>', 0] }] }), false],
  ['numeric in an array of objects', on({ lines: { units: [{ numeric: ['>', 1] }] } }), true],
  ['exists', on({ currency: [{ exists: true }] }), true],
  ['exists, as null', on({ coupon: [{ exists: true }] }), true],
  ['exists where it does not', on({ missing: [{ exists: true }] }), false],
  ['exists on an object, which is no leaf', on({ node: [{ exists: true }] }), false],
  ['does not exist', on({ missing: [{ exists: false }] }), true],
  ['does not exist where it does', on({ currency: [{ exists: false }] }), false],
  ['does not exist under a missing parent', on({ missing: { id: [{ exists: false }] } }), true],
  ['does not exist or has a value', on({ currency: [{ exists: false }, 'KRW'] }), true],
  ['cidr', on({ ip: [{ cidr: '10.1.0.0/16' }] }), true],
  ['another cidr', on({ ip: [{ cidr: '10.2.0.0/16' }] }), false],
  ['cidr of IPv6', on({ ipv6: [{ cidr: '2001:db8::/32' }] }), true],
  ['cidr against text', on({ currency: [{ cidr: '0.0.0.0/0' }] }), false],
  ['$or, first branch', { $or: [{ source: ['ieum.orders'] }, { source: ['x'] }] }, true],
  ['$or, second branch', { detail: { $or: [{ currency: ['USD'] }, { total: [{ numeric: ['>', 1] }] }] } }, true],
  ['$or, no branch', { $or: [{ source: ['x'] }, { detail: { currency: ['USD'] } }] }, false],
  ['$or beside a field that fails', { source: ['x'], $or: [{ source: ['ieum.orders'] }, { detail: { gift: [false] } }] }, false],
];

describe('an event pattern', () => {
  it.each(table)('%s: %j matches → %s', (_what, pattern, matches) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });

  // biome-ignore format: a table reads by its rows
  it.each<[string, unknown, RegExp]>([
    ['no object', ['x'], /the pattern must be an object/],
    ['an empty object', {}, /must not be empty/],
    ['a bare value', { source: 'x' }, /source must be an object/],
    ['an empty array', { detail: { a: [] } }, /detail\.a must not be an empty array/],
    ['an unknown operator', { a: [{ contains: 'x' }] }, /a has the unknown operator contains/],
    ['two operators', { a: [{ prefix: 'x', suffix: 'y' }] }, /exactly one operator/],
    ['a numeric without a number', { a: [{ numeric: ['>', '1'] }] }, /numeric takes/],
    ['half a numeric', { a: [{ numeric: ['>'] }] }, /numeric takes/],
    ['exists without a boolean', { a: [{ exists: 'yes' }] }, /exists takes true or false/],
    ['no address block', { a: [{ cidr: '10.0.0.1' }] }, /cidr takes/],
    ['one branch of $or', { $or: [{ a: ['x'] }] }, /at least two/],
    ['two stars in a row', { a: [{ wildcard: 'a**b' }] }, /two stars/],
    ['a nested array', { a: [['x']] }, /no JSON scalar/],
  ])('is refused when it has %s', (_what, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});

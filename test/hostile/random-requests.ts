import fc from 'fast-check';
import type { Operation } from '../../shared/contract.ts';
import type { Caller, CallOptions } from '../support/call.ts';
import { requestOf } from './mutants.ts';

type Json = Record<string, unknown>;

/** A request that nobody thought of, and who sends it. */
export interface Random {
  operation: string;
  as: Caller;
  call: CallOptions;
}

/** Texts that have broken something somewhere. */
const NASTY_TEXTS = [
  ...[
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    '가'.repeat(300),
    'x'.repeat(3000),
    '#',
    'a#b',
    '{{',
    '../..',
    '%00',
    'null',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'XXQ',
    'KRW',
    '4111 1111 1111 1111',
    '𝟙',
    '-0',
    '1e400',
    'tok_timeout',
    'tok_needs_action',
    "' OR 1=1 --",
  ],
];
const NASTY_NUMBERS = [0, -0, -1, 0.5, 5e-324, 1e-200, 1e308, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e21];

const text = fc.oneof(fc.constantFrom(...NASTY_TEXTS), fc.string({ unit: 'binary', maxLength: 80 }), fc.string());
const number = fc.oneof(
  fc.constantFrom(...NASTY_NUMBERS),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: text },
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 4, arbitrary: text },
    { weight: 3, arbitrary: number },
    { weight: 1, arbitrary: fc.constantFrom(null, true, false) },
    { weight: 1, arbitrary: fc.array(tie('json'), { maxLength: 6 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.tuple(key, tie('json')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
    },
  ),
}));

/** One step into a value by a number that means one of its places; undefined where it has none. */
const placeOf = (value: unknown, pick: number): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const places = Object.keys(value);
  return places.length === 0 ? undefined : places[pick % places.length];
};

/** The value with something else at a place that the picks lead to; `drop` takes it away instead. */
const replaced = (value: unknown, [pick = 0, ...deeper]: readonly number[], by: unknown, drop: boolean): unknown => {
  const place = placeOf(value, pick);
  if (place === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as Json) };
  const inner = (value as Json)[place];
  const goesOn = deeper.length > 0 && typeof inner === 'object' && inner !== null;
  if (!goesOn && drop) delete (copy as Json)[place];
  else (copy as Json)[place] = goesOn ? replaced(inner, deeper, by, drop) : by;
  return copy;
};

const picks = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 });

const mutated = (input: Json) =>
  fc
    .array(fc.record({ picks, by: json, drop: fc.boolean() }), { minLength: 0, maxLength: 3 })
    .map((changes) =>
      changes.reduce<unknown>((value, { picks: at, by, drop }) => replaced(value, at, by, drop), input),
    ) as fc.Arbitrary<Json>;

const extended = (input: Json) =>
  fc.tuple(mutated(input), key, json).map(([value, name, more]) => ({ ...value, [name]: more }));

/** Requests of one operation: its valid one bent in random places, random objects, and what is no object at all. */
export const randomRequests = (name: string, operation: Operation, as: Caller, input: Json): fc.Arbitrary<Random> => {
  const { path = {} } = requestOf(operation, input);
  const asSent = (flat: unknown): CallOptions => {
    const { path: changed, ...call } = requestOf(operation, Object(flat) as Json);
    // API Gateway finds a route for a path only with all its parts.
    return { ...call, path: { ...path, ...changed } };
  };
  const calls = fc.oneof(
    { weight: 5, arbitrary: mutated(input).map(asSent) },
    { weight: 2, arbitrary: extended(input).map(asSent) },
    { weight: 1, arbitrary: json.map((value): CallOptions => ({ path, rawBody: JSON.stringify(value) })) },
    { weight: 1, arbitrary: text.map((rawBody): CallOptions => ({ path, rawBody })) },
  );
  return fc.tuple(calls, fc.option(text, { freq: 12 }), fc.nat(11)).map(([call, idempotencyKey, pick]) => ({
    operation: name,
    as: pick === 0 ? undefined : as,
    call: { ...call, ...(idempotencyKey === null ? {} : { idempotencyKey }) },
  }));
};

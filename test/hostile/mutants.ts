import * as z from 'zod';
import type { Operation } from '../../shared/contract.ts';
import { pathParameters } from '../../shared/contract.ts';
import type { CallOptions } from '../support/call.ts';

type Json = Record<string, unknown>;

interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  $defs?: Record<string, Schema>;
}

/** A request that has to be refused, and the field that has to be named. */
export interface Mutant {
  /** What was done to the valid request, e.g. `missing /lines/0/sku`. */
  name: string;
  problem: 'invalid-input' | 'payload-too-large' | 'idempotency-key-missing';
  field: string | undefined;
  call: CallOptions;
}

interface Change {
  what: string;
  path: readonly string[];
  /** The value that takes the place of the valid one; undefined: the field is left out. */
  value?: unknown;
}

const CARD_NUMBER = '4111 1111 1111 1111';
const WRONG_TYPES: Record<string, readonly unknown[]> = {
  string: [12, null, {}, ['a'], true],
  integer: ['many', null, {}, [1], true],
  number: ['many', null, {}, [1]],
  boolean: ['yes', null, 1],
  array: [{}, 'a', null],
  object: ['a', 7, [], null],
};

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Walks a schema along a valid value and collects what can be done to it that must not pass. */
class Walk {
  readonly changes: Change[] = [];
  /** JSON pointers of the schema's fields that the value has. */
  readonly visited = new Set<string>();
  readonly unvisited = new Set<string>();
  readonly #defs: Record<string, Schema>;

  constructor(root: Schema) {
    this.#defs = root.$defs ?? {};
  }

  /** The schema itself, or the one of its branches that the value belongs to. */
  #resolve(schema: Schema, value: unknown): Schema {
    if (schema.$ref !== undefined) return this.#resolve(this.#defs[schema.$ref.replace('#/$defs/', '')]!, value);
    const branches = schema.anyOf ?? schema.oneOf;
    if (branches === undefined) return schema;
    const resolved = branches.map((branch) => this.#resolve(branch, value));
    const found = resolved.find(({ properties = {} }) =>
      Object.entries(properties).every(([name, inner]) => {
        const is = (value as Json)[name];
        return (inner.const === undefined || inner.const === is) && (inner.enum?.includes(is) ?? true);
      }),
    );
    if (found === undefined) throw new Error(`no branch takes ${JSON.stringify(value)}`);
    return found;
  }

  #change(what: string, path: readonly string[], value?: unknown): void {
    this.changes.push({ what, path, ...(value === undefined ? {} : { value }) });
  }

  at(given: Schema, value: unknown, path: readonly string[]): void {
    const schema = this.#resolve(given, value);
    if (path.length > 0) {
      for (const wrong of WRONG_TYPES[schema.type ?? ''] ?? []) {
        this.#change(`mistyped as ${JSON.stringify(wrong)}`, path, wrong);
      }
    }
    if (schema.enum !== undefined || schema.const !== undefined) this.#change('unknown value', path, 'NO_SUCH_VALUE');
    else if (schema.type === 'string') this.#string(schema, path);
    if (schema.type === 'integer' || schema.type === 'number') this.#number(schema, value as number, path);
    if (schema.type === 'array') this.#array(schema, value as unknown[], path);
    if (schema.type === 'object') this.#object(schema, value as Json, path);
  }

  #string(schema: Schema, path: readonly string[]): void {
    this.#change('oversized', path, 'x'.repeat(5_000));
    this.#change('empty', path, '');
    this.#change('half a character', path, 'a\ud800');
    if (path.at(-1) === 'currency') {
      for (const unknown of ['XXQ', 'krw', 'toString']) this.#change(`unknown currency ${unknown}`, path, unknown);
    }
    if (schema.pattern === undefined) this.#change('a card number', path, `pay with ${CARD_NUMBER} 12/29`);
  }

  #number(schema: Schema, value: number, path: readonly string[]): void {
    if ((schema.minimum ?? schema.exclusiveMinimum ?? -1) >= 0) this.#change('negative', path, -1);
    if (schema.type === 'integer') this.#change('fraction', path, value + 0.5);
    if (schema.maximum !== undefined) this.#change('above its maximum', path, schema.maximum + 1);
    if (schema.minimum !== undefined) this.#change('below its minimum', path, schema.minimum - 1);
  }

  #array(schema: Schema, value: unknown[], path: readonly string[]): void {
    if (schema.maxItems === undefined) throw new Error(`/${path.join('/')} takes any number of items`);
    this.#change('one too many', path, Array(schema.maxItems + 1).fill(value[0]));
    if ((schema.minItems ?? 0) > 0) this.#change('empty', path, []);
    this.at(schema.items!, value[0], [...path, '0']);
  }

  #object(schema: Schema, value: Json, path: readonly string[]): void {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const pointer = `/${[...path, name].join('/')}`;
      if (!(name in value)) {
        this.unvisited.add(pointer);
        continue;
      }
      this.visited.add(pointer);
      if (schema.required?.includes(name)) this.#change('missing', [...path, name]);
      this.at(inner, value[name], [...path, name]);
    }
    const { additionalProperties: others } = schema;
    if (isObject(others)) {
      const [name] = Object.keys(value);
      this.at(others, value[name!], [...path, name!]);
      this.#change('a card number as a name', [...path, CARD_NUMBER], 'x');
    } else this.#change('unknown field', [...path, 'surprise'], 1);
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      this.#change('reaching for the prototype', [...path, name], { polluted: true });
    }
  }
}

const pointerOf = (path: readonly string[]): string => path.map((step) => `/${step}`).join('');

/** A copy with one place changed. `__proto__` becomes an own property, as JSON.parse makes it. */
const changed = (input: unknown, [step, ...rest]: readonly string[], value: unknown): unknown => {
  const copy = Array.isArray(input) ? [...input] : { ...(input as Json) };
  const inner = rest.length === 0 ? value : changed((input as Json)[step!], rest, value);
  if (inner === undefined) delete (copy as Json)[step!];
  else Object.defineProperty(copy, step!, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
};

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The flat input as API Gateway hands it over. */
export const requestOf = ({ route }: Pick<Operation, 'route'>, input: Json): CallOptions => {
  const inPath = new Set(pathParameters(route));
  const isCommand = !route.startsWith('GET ');
  const part = (isIn: (name: string) => boolean) => Object.entries(input).filter(([name]) => isIn(name));
  const path = Object.fromEntries(part((name) => inPath.has(name)).map(([name, value]) => [name, text(value)]));
  const query = part((name) => !isCommand && !inPath.has(name)).map(([name, value]) => [name, text(value)]);
  const body = part((name) => isCommand && !inPath.has(name));
  return {
    path,
    // fromEntries makes `__proto__` an own property, as parsing does.
    ...(query.length === 0 ? {} : { query: Object.fromEntries(query) }),
    ...(body.length === 0 ? {} : { body: Object.fromEntries(body) }),
  };
};

const schemaOf = ({ input }: Pick<Operation, 'input'>): Schema =>
  z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema;

/** Of a query or a path only what text can say: everything is text there, and an empty path segment is no route. */
const inText = ({ what, value }: Change, isInPath: boolean): boolean =>
  (!what.startsWith('mistyped') || value === 'many') &&
  !(isInPath && (what === 'missing' || what === 'empty' || what.startsWith('half')));

/** What may not pass of what a valid request says, by the contract's own schema. */
export const fieldMutants = (operation: Operation, input: Json) => {
  const schema = schemaOf(operation);
  const walk = new Walk(schema);
  walk.at(schema, input, []);
  const inPath = new Set(pathParameters(operation.route));
  const isCommand = !operation.route.startsWith('GET ');
  const mutants = walk.changes
    .filter((change) => {
      const [first] = change.path;
      return (isCommand && !inPath.has(first!)) || inText(change, inPath.has(first!));
    })
    .map(
      ({ what, path, value }): Mutant => ({
        name: `${what} ${pointerOf(path)}`,
        problem: 'invalid-input',
        field: pointerOf(path),
        call: requestOf(operation, changed(input, path, value) as Json),
      }),
    );
  return { mutants, visited: walk.visited, unvisited: walk.unvisited };
};

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** What may not pass as a whole, whatever the operation. */
export const bodyMutants = (operation: Operation, input: Json): Mutant[] => {
  const { path, query, body } = requestOf(operation, input);
  const raw = (
    name: string,
    rawBody: string,
    field: string | undefined,
    problem: Mutant['problem'] = 'invalid-input',
  ) => ({
    name,
    problem,
    field,
    call: { path: path!, ...(query === undefined ? {} : { query }), rawBody },
  });
  const padded = JSON.stringify({ ...(body as Json), padding: 'x'.repeat(256 * 1024) });
  return [
    raw('oversized: more than 256 KB', padded, undefined, 'payload-too-large'),
    raw(
      'oversized in bytes, not in characters',
      JSON.stringify('가'.repeat(90 * 1024)),
      undefined,
      'payload-too-large',
    ),
    raw('nested too deep', `{"deep":${nested(40)}}`, `/deep${'/a'.repeat(31)}`),
    raw(
      'nested as deep as 200 KB allow',
      `{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `/deep${'/0'.repeat(31)}`,
    ),
    raw('no JSON', '{"units": 1', ''),
    raw('a list', '[]', ''),
    raw('a number', '7', ''),
    raw('null', 'null', ''),
    raw('__proto__ deep inside', '{"a":[{"__proto__":{"polluted":true}}]}', '/a/0/__proto__'),
    raw('a field name that needs escaping', '{"a/b~c":{"__proto__":1}}', '/a~1b~0c/__proto__'),
  ];
};

/** A POST without its key, and keys that are none. */
export const keyMutants = (operation: Operation, input: Json): Mutant[] => {
  const call = requestOf(operation, input);
  const bad = [`x${'y'.repeat(128)}`, '', 'with space', 'ключ'].map(
    (key): Mutant => ({
      name: `Idempotency-Key ${JSON.stringify(key.slice(0, 12))}`,
      problem: 'invalid-input',
      field: 'Idempotency-Key',
      call: { ...call, idempotencyKey: key },
    }),
  );
  if (!operation.route.startsWith('POST ')) return bad;
  const none: Mutant = {
    name: 'no Idempotency-Key',
    problem: 'idempotency-key-missing',
    field: undefined,
    call: { ...call, idempotencyKey: null },
  };
  return [...bad, none];
};

const cursor = (key: unknown): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** Cursors that no list handed out. */
export const cursorMutants = (operation: Operation, input: Json): Mutant[] => {
  if (!('cursor' in operation.input.shape)) return [];
  const forged: Record<string, string> = {
    'no base64': '***',
    'no JSON': Buffer.from('{').toString('base64url'),
    'the key null': cursor(null),
    'the key a text': cursor('pk'),
    'an empty key': cursor({}),
    'numbers as keys': cursor({ pk: 1, sk: 2 }),
    "another partition's key": cursor({ pk: 'PROVIDER#x', sk: 'CHARGE' }),
    oversized: 'x'.repeat(2049),
  };
  return Object.entries(forged).map(([name, value]) => ({
    name: `cursor: ${name}`,
    problem: 'invalid-input',
    field: '/cursor',
    call: requestOf(operation, { ...input, cursor: value }),
  }));
};

/** What a request may not say beside its input: a query of a command, and a path parameter once more. */
export const strayMutants = (operation: Operation, input: Json): Mutant[] => {
  const call = requestOf(operation, input);
  const [name] = pathParameters(operation.route);
  const again =
    name === undefined
      ? []
      : [
          { field: name, where: 'query' as const },
          { field: name, where: 'body' as const },
        ];
  const isCommand = !operation.route.startsWith('GET ');
  const [inBody] = Object.keys((call.body ?? {}) as Json);
  const fromBody = inBody === undefined ? [] : [{ field: inBody, where: 'query' as const }];
  return [...again, ...fromBody, { field: 'surprise', where: 'query' as const }]
    .filter(({ where }) => where === 'query' || isCommand)
    .map(({ field, where }) => ({
      name: `${field} in the ${where}`,
      problem: 'invalid-input',
      field: `/${field}`,
      call: { ...call, [where]: { ...(call[where] as Json), [field]: String(input[field] ?? 1) } },
    }));
};

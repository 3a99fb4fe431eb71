import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

type Json = Record<string, unknown>;

/** Schemas of a document by name. */
export type Components = Record<string, Json>;

const INT32_LIMIT = 2 ** 31;

/** Integers say whether they fit into 32 bits, for languages that have to choose. */
const withFormats = (_: string, value: unknown): unknown => {
  const schema = value as { type?: unknown; minimum?: number; maximum?: number } | null;
  if (schema?.type !== 'integer') return value;
  const { minimum = -Infinity, maximum = Infinity } = schema;
  return { ...schema, format: minimum >= -INT32_LIMIT && maximum < INT32_LIMIT ? 'int32' : 'int64' };
};

/**
 * The JSON schema of one input, output or event. Named schemas inside it become components of the document, because a
 * reference into `$defs` of a part would point to the document's own root. Throws where one name has two meanings.
 */
export const schemaOf = (schema: z.ZodType, io: 'input' | 'output', components: Components): Json => {
  const drawn = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' });
  const text = JSON.stringify(drawn, withFormats).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema, $defs, ...json } = JSON.parse(text) as Json;
  for (const [name, { id, ...named }] of Object.entries(($defs ?? {}) as Components)) {
    const known = components[name];
    if (known !== undefined && !isDeepStrictEqual(known, named)) throw new Error(`two schemas are named ${name}`);
    components[name] = named;
  }
  return json;
};

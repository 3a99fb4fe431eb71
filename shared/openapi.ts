import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type Access, SCOPES, scopeInToken } from './auth.ts';
import { type Capability, type Operation, pathParameters } from './contract.ts';
import { problemsOf } from './http.ts';
import { PROBLEMS, problemType } from './problem.ts';

type Json = Record<string, unknown>;

/** Schemas of the document by name. */
type Components = Record<string, Json>;

/**
 * The JSON schema of one input or output. Named schemas inside it become components, because a reference into `$defs`
 * of a part of the document would point to the document's own root. Throws where one name has two meanings.
 */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output', components: Components): Json => {
  const drawn = JSON.stringify(z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' }));
  const { $schema, $defs, ...json } = JSON.parse(drawn.replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  for (const [name, { id, ...named }] of Object.entries(($defs ?? {}) as Components)) {
    const known = components[name];
    if (known !== undefined && !isDeepStrictEqual(known, named)) throw new Error(`two schemas are named ${name}`);
    components[name] = named;
  }
  return json;
};

const security = (access: Access): Json[] =>
  access.kind === 'anyone' ? [] : access.anyOf.map((scope) => ({ oauth2: [scopeInToken(scope)] }));

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A new UUID for a new command, the same one for a repeat. Repeats get the first answer for 7 days.',
  schema: { type: 'string', minLength: 1, maxLength: 128 },
};

const problemResponses = (operation: Operation): Json => {
  const byStatus = new Map<number, string[]>();
  for (const name of problemsOf(operation)) {
    const { status } = PROBLEMS[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  return Object.fromEntries(
    [...byStatus].sort().map(([status, names]) => [
      String(status),
      {
        description: names.map((name) => `${PROBLEMS[name as keyof typeof PROBLEMS].title} (\`${name}\`)`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
};

/** Path parameters and query are split off the flat input; what is left of a command's input is its body. */
const requestOf = (operation: Operation, components: Components): Json => {
  const inPath = new Set(pathParameters(operation.route));
  const isCommand = !operation.route.startsWith('GET ');
  const {
    properties = {},
    required = [],
    ...rest
  } = schemaOf(operation.input, 'input', components) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const names = Object.keys(properties);
  const parameters: Json[] = names
    .filter((name) => inPath.has(name) || !isCommand)
    .map((name) => ({
      name,
      in: inPath.has(name) ? 'path' : 'query',
      required: inPath.has(name) || required.includes(name),
      schema: properties[name],
    }));
  const body = names.filter((name) => isCommand && !inPath.has(name));
  const needsKey = operation.route.startsWith('POST ');
  if (isCommand) parameters.push({ ...IDEMPOTENCY_KEY, required: needsKey });
  if (body.length === 0) return { parameters };
  const schema = {
    ...rest,
    type: 'object',
    properties: Object.fromEntries(body.map((name) => [name, properties[name]])),
    required: required.filter((name) => body.includes(name)),
    additionalProperties: false,
  };
  return { parameters, requestBody: { required: true, content: { 'application/json': { schema } } } };
};

const operationOf = (capability: Capability, name: string, operation: Operation, components: Components): Json => ({
  operationId: `${capability.name}.${name}`,
  tags: [capability.name],
  summary: operation.summary,
  security: security(operation.access),
  ...requestOf(operation, components),
  responses: {
    [String(operation.status ?? 200)]: {
      description: 'Done',
      content: { 'application/json': { schema: schemaOf(operation.output, 'output', components) } },
    },
    ...problemResponses(operation),
  },
});

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', examples: [problemType('insufficient-stock')] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string', description: 'JSON pointer' }, detail: { type: 'string' } },
      },
    },
  },
};

/** The API of some capabilities as an OpenAPI 3.1 document. */
export const openapi = (capabilities: readonly Capability[]): Json => {
  const paths: Record<string, Json> = {};
  const schemas: Components = { Problem: PROBLEM_SCHEMA };
  for (const capability of capabilities) {
    for (const [name, operation] of Object.entries(capability.operations)) {
      const [method, path] = operation.route.split(' ') as [string, string];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(capability, name, operation, schemas) };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ieum',
      version: '1',
      summary: 'Unified commerce: one stock, one customer, one price, one order.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: capabilities.map(({ name, summary }) => ({ name, description: summary })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        oauth2: {
          type: 'oauth2',
          flows: {
            clientCredentials: {
              tokenUrl: '/oauth2/token',
              scopes: Object.fromEntries(
                Object.entries(SCOPES).map(([scope, text]) => [scopeInToken(scope as keyof typeof SCOPES), text]),
              ),
            },
          },
        },
      },
    },
  };
};

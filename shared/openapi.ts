import { type Capability, type Operation, pathParameters } from './contract.ts';
import { IDEMPOTENCY_KEY, parameterOf } from './openapi/parameters.ts';
import { HEADERS, PROBLEM_SCHEMAS, responsesOf } from './openapi/responses.ts';
import { type Components, schemaOf } from './openapi/schemas.ts';
import { accessInWords, SECURITY_SCHEMES, securityOf } from './openapi/security.ts';

type Json = Record<string, unknown>;

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
    .map((name) =>
      inPath.has(name)
        ? parameterOf(name, 'path', true, properties[name]!)
        : parameterOf(name, 'query', required.includes(name), properties[name]!),
    );
  const body = names.filter((name) => isCommand && !inPath.has(name));
  if (isCommand) parameters.push({ ...IDEMPOTENCY_KEY, required: operation.route.startsWith('POST ') });
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

const REPEATS = {
  GET: '',
  POST: ' A repeat with the same Idempotency-Key gets the first answer.',
  PUT: ' Safe to repeat.',
  PATCH: '',
  DELETE: ' Safe to repeat.',
};

const operationOf = (capability: Capability, name: string, operation: Operation, components: Components): Json => {
  const { route, access, summary } = operation;
  return {
    operationId: `${capability.name}.${name}`,
    tags: [capability.name],
    summary,
    description: `${accessInWords(access)}${REPEATS[route.split(' ')[0] as keyof typeof REPEATS]}`,
    security: securityOf(access),
    ...requestOf(operation, components),
    responses: responsesOf(operation, schemaOf(operation.output, 'output', components)),
  };
};

const INFO = {
  title: 'Ieum',
  version: '1',
  summary: 'Unified commerce: one stock, one customer, one price, one order.',
  description:
    'One API for every channel: web, app, till, kiosk, marketplace, live and agent. Every refusal is an RFC 9457 problem whose type says what to do.',
  license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
};

const SERVERS = [
  {
    url: 'https://{api}.execute-api.{region}.amazonaws.com',
    description: 'A stage on AWS: production, or staging',
    variables: { api: { default: 'api' }, region: { default: 'ap-northeast-2' } },
    'x-internal': false,
  },
];

/** The API of some capabilities as an OpenAPI 3.1 document. */
export const openapi = (capabilities: readonly Capability[]): Json => {
  const paths: Record<string, Json> = {};
  const schemas: Components = { ...PROBLEM_SCHEMAS };
  const asking = capabilities.filter(({ operations }) => Object.keys(operations).length > 0);
  for (const capability of asking) {
    for (const [name, operation] of Object.entries(capability.operations)) {
      const [method, path] = operation.route.split(' ') as [string, string];
      paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(capability, name, operation, schemas) };
    }
  }
  return {
    openapi: '3.1.0',
    info: INFO,
    servers: SERVERS,
    tags: asking
      .map(({ name, summary }) => ({ name, description: summary }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    paths,
    components: { schemas, headers: HEADERS, securitySchemes: SECURITY_SCHEMES },
  };
};

import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { asyncapi } from '../../docs/asyncapi.ts';
import { apiFindings, eventFindings } from '../../docs/lint.ts';
import { accessPatternsOf, readmeOf, untold } from '../../docs/readmes.ts';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { anyone } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';
import { openapi } from '../../shared/openapi.ts';

const document = openapi(CAPABILITIES);

/** What a reference within the document leads to. */
const targetOf = (reference: string): unknown =>
  reference
    .replace('#/', '')
    .split('/')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);

describe('the API description', () => {
  it('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target!);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => targetOf(reference) === undefined)).toEqual([]);
  });

  it('describes every operation once', () => {
    const described = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>)
      .flatMap((methods) => Object.values(methods))
      .map(({ operationId }) => operationId);
    const declared = CAPABILITIES.flatMap(({ name, operations }) =>
      Object.keys(operations).map((operationName) => `${name}.${operationName}`),
    );
    expect(described.sort()).toEqual(declared.sort());
  });

  it('one name with two meanings is refused', () => {
    const named = (inner: z.ZodType) => z.object({ inner: inner.meta({ id: 'Twice' }) });
    const of = (name: string, inner: z.ZodType) =>
      capability({
        name,
        summary: name,
        operations: {
          look: operation({
            route: `GET /v1/${name}`,
            access: anyone(),
            summary: name,
            input: z.object({}),
            output: named(inner),
            problems: [],
          }),
        },
      });
    expect(() => openapi([of('a', z.object({ text: z.string() })), of('b', z.object({ text: z.int() }))])).toThrow(
      'Twice',
    );
  });
});

type Responses = Record<string, { headers?: Record<string, unknown> }>;
const copyOf = (): typeof document => structuredClone(document);
const operationIn = (changed: typeof document, path: string, method: string) =>
  (changed.paths as Record<string, Record<string, { responses: Responses; security: unknown[] }>>)[path]![method]!;

describe('the rules that the API description is held to', () => {
  it('have nothing against it: Spectral, and OWASP', async () => {
    expect(await apiFindings(document)).toEqual([]);
  });

  it.each<[string, string, (changed: typeof document) => void]>([
    [
      'an answer without the rate limit',
      'owasp:api4:2023-rate-limit',
      (changed) => void delete operationIn(changed, '/v1/orders', 'post').responses[409]!.headers!['X-RateLimit-Limit'],
    ],
    [
      'a guarded operation without a 401',
      'owasp:api8:2023-define-error-responses-401',
      (changed) => void delete operationIn(changed, '/v1/orders', 'post').responses[401],
    ],
    [
      'a command that anybody may send',
      'owasp:api2:2023-write-restricted',
      (changed) => void operationIn(changed, '/v1/orders', 'post').security.splice(0),
    ],
    [
      'text of any length',
      'owasp:api4:2023-string-limit',
      (changed) =>
        void Object.assign((changed.components as { schemas: object }).schemas, { Note: { type: 'string' } }),
    ],
  ])('see %s', async (_, code, spoil) => {
    const changed = copyOf();
    spoil(changed);
    expect((await apiFindings(changed)).map((finding) => finding.code)).toContain(code);
  });
});

describe('the description of the events', () => {
  it('passes the parser without a hint', async () => {
    expect(await eventFindings(asyncapi(CAPABILITIES))).toEqual([]);
  });

  it('does not pass with a reference that leads nowhere', async () => {
    const broken = asyncapi(CAPABILITIES) as { components: { schemas: Record<string, unknown> } };
    delete broken.components.schemas.Money;
    expect((await eventFindings(broken)).map(({ code }) => code)).toContain('invalid-ref');
  });
});

describe("each capability's page", () => {
  it.each(CAPABILITIES.map((each) => [each.name, each] as const))('%s tells its events and indexes', (_, each) => {
    expect(untold(each, readmeOf(each))).toEqual([]);
  });

  it('is found out where it leaves something out', () => {
    const orders = CAPABILITIES.find(({ name }) => name === 'orders')!;
    const page = readmeOf(orders).replace('index `due`', 'index').replaceAll('order.completed', 'order');
    expect(untold(orders, page)).toEqual([
      'orders: no access pattern by index due',
      'orders: no word of the event order.completed.v1',
    ]);
    expect(accessPatternsOf('# orders')).toBeUndefined();
  });
});

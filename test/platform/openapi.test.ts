import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { anyone } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';
import { openapi } from '../../shared/openapi.ts';

const document = openapi(CAPABILITIES);
const schemas = (document.components as { schemas: Record<string, unknown> }).schemas;

describe('the API description', () => {
  it('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target!);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((target) => !(target.replace('#/components/schemas/', '') in schemas))).toEqual([]);
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

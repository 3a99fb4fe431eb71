import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSEMBLY } from '../../infra/local/synth.ts';

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation properties are what they are.
export type Properties = Record<string, any>;
export interface Found {
  id: string;
  type: string;
  properties: Properties;
  resource: Properties;
}

/** Resources of the templates that were synthesized before the tests, both stacks together. */
export const resources = (type?: string): Found[] =>
  ['Ieum-dev-Data', 'Ieum-dev'].flatMap((stack) => {
    const template = JSON.parse(readFileSync(join(ASSEMBLY, `${stack}.template.json`), 'utf8')) as Properties;
    return Object.entries(template.Resources as Record<string, Properties>)
      .filter(([, resource]) => type === undefined || resource.Type === type)
      .map(([id, resource]) => ({ id, type: resource.Type, properties: resource.Properties ?? {}, resource }));
  });

/** True where a value refers to the resource with this logical id, by any intrinsic. */
export const refersTo = (value: unknown, id: string): boolean => JSON.stringify(value ?? null).includes(`"${id}"`);

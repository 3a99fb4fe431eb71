import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import spectral from '@stoplight/spectral-core';
import { API_RULES } from './rules.ts';

/** `node docs/lint.ts`: whether the generated documents say what their formats, Spectral and OWASP ask for. */

const { Spectral } = spectral;

interface Finding {
  code: string;
  message: string;
  where: string;
}

const findingOf = (result: { code: string | number; message: string; path: (string | number)[] }): Finding => ({
  code: String(result.code),
  message: result.message,
  where: result.path.join('.'),
});

/** What the rules have against an OpenAPI document, warnings and hints included. */
export const apiFindings = async (openapi: Record<string, unknown>): Promise<Finding[]> => {
  const linter = new Spectral();
  linter.setRuleset(API_RULES);
  return (await linter.run(openapi)).map(findingOf);
};

/** What the parser has against an AsyncAPI document, warnings and hints included. */
export const eventFindings = async (asyncapi: Record<string, unknown>): Promise<Finding[]> => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncapi));
  const findings = diagnostics.map(findingOf);
  if (document === undefined && findings.length === 0) throw new Error('the parser read nothing, and found nothing');
  return findings;
};

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'generated', name), 'utf8')) as Record<string, unknown>;

if (import.meta.main) {
  const findings = [...(await apiFindings(read('openapi.json'))), ...(await eventFindings(read('asyncapi.json')))];
  for (const { code, message, where } of findings) console.error(`${code} ${where}: ${message}`);
  if (findings.length > 0) process.exit(1);
}

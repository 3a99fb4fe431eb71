import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Properties } from '../../infra/local/template.ts';

export const options = { region: 'ap-northeast-2', account: '000000000000' };

type Resources = Record<string, { Type: string; Properties?: Properties }>;

/** A temporary cloud assembly, as `cdk synth` would leave it. */
export interface Assembly extends Disposable {
  dir: string;
  /** A fresh directory that goes away with the assembly. */
  dataDir: string;
}

/** Writes an assembly of one stack named `Shop`. `code` is the source of `index.mjs` of each code asset. */
export function assemblyOf(resources: Resources, code: Record<string, string> = {}): Assembly {
  const root = mkdtempSync(join(tmpdir(), 'assembly-'));
  const dir = join(root, 'cdk.out');
  const write = (path: string, content: unknown) =>
    writeFileSync(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
  for (const asset of ['', ...Object.keys(code)]) mkdirSync(join(dir, asset && `asset.${asset}`), { recursive: true });
  for (const [asset, source] of Object.entries(code)) write(`asset.${asset}/index.mjs`, source);
  write('Shop.template.json', { Resources: resources });
  write('Shop.assets.json', {
    files: Object.fromEntries(
      Object.keys(code).map((asset) => [asset, { source: { path: `asset.${asset}`, packaging: 'zip' } }]),
    ),
  });
  write('manifest.json', {
    artifacts: {
      'Shop.assets': { type: 'cdk:asset-manifest', properties: { file: 'Shop.assets.json' } },
      Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.template.json' } },
    },
  });
  return {
    dir,
    dataDir: join(root, 'data'),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A function whose code is the asset of the same name, with a role that carries these statements. */
export function functionOf(id: string, properties: Properties = {}, statements: Properties[] = []): Resources {
  return {
    [id]: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Key: `${id}.zip` },
        Handler: 'index.handler',
        Role: { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
        ...properties,
      },
    },
    [`${id}Role`]: {
      Type: 'AWS::IAM::Role',
      Properties: { Policies: [{ PolicyName: 'all', PolicyDocument: { Statement: statements } }] },
    },
  };
}

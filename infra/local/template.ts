import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOMES, type Identity } from './homes.ts';
import { Resolver } from './intrinsics.ts';

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation properties have no one shape; each reader knows its own type's.
export type Properties = Record<string, any>;

/** One resource of the synthesized app, as if CloudFormation had created it. */
export interface Resource {
  stack: string;
  /** Logical id. */
  id: string;
  type: string;
  /** Physical name: what `Ref` returns for most types. */
  name: string;
  arn: string;
  /** Properties with every intrinsic function resolved. */
  properties: Properties;
  metadata?: Properties;
}

export interface Template {
  resources(type: string): Resource[];
  byArn(arn: string): Resource | undefined;
  byName(type: string, name: string): Resource | undefined;
  /** Stack outputs by their key; a key that two stacks use is read as `<stack>.<key>`. */
  outputs: Record<string, string>;
  /** Directory on disk of a code asset, from the `S3Key` of a function's `Code`. */
  assetPath(s3Key: string): string;
}

interface RawResource {
  Type: string;
  Properties?: Properties;
  Metadata?: Properties;
  Condition?: string;
}

/** A template as synthesized. */
export interface RawTemplate {
  Resources?: Record<string, RawResource>;
  Outputs?: Record<string, { Value: unknown; Export?: { Name: unknown }; Condition?: string }>;
  Parameters?: Record<string, { Type: string; Default?: unknown }>;
  Conditions?: Record<string, unknown>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
}

export interface Stack {
  name: string;
  template: RawTemplate;
}

/** A stack set could not be read: the message names the logical id and what to do. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/**
 * Reads a cloud assembly (`cdk.out`) as one set of resources with all references resolved, also between stacks.
 * Throws TemplateError for a resource type without a home, naming its logical id and what to do.
 */
export function loadTemplate(assemblyDir: string, options: { region: string; account: string }): Template {
  const { stacks, assets } = readAssembly(assemblyDir);
  const template = resolveStacks(stacks, options);
  return {
    ...template,
    assetPath(s3Key) {
      const path = assets.get(s3Key.replace(/\.zip$/, ''));
      if (!path) throw new TemplateError(`No asset "${s3Key}" in ${assemblyDir}: run "npm run synth" again.`);
      return path;
    },
  };
}

/**
 * Where the assembly was synthesized for. An app without a fixed environment runs in AWS_REGION (Seoul unless set) of
 * an account of zeros.
 */
export function deploymentOf(assemblyDir: string): { region: string; account: string } {
  const [environment = ''] = Object.values(readManifest(assemblyDir).artifacts ?? {})
    .filter(({ type }) => type === 'aws:cloudformation:stack')
    .map((artifact) => artifact.environment);
  const [, account, region] = /^aws:\/\/(\d{12}|unknown-account)\/(.+)$/.exec(environment) ?? [];
  return {
    region: region && region !== 'unknown-region' ? region : (process.env.AWS_REGION ?? 'ap-northeast-2'),
    account: account && account !== 'unknown-account' ? account : '000000000000',
  };
}

/** The same without files: for templates made by hand. */
export function resolveStacks(
  stacks: Stack[],
  options: { region: string; account: string },
): Omit<Template, 'assetPath'> {
  const resolver = new Resolver(stacks, options, (stack, id) => identify(resolver, stack, id, options));
  const all = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources ?? {})
      .filter(([, raw]) => resolver.holds(stack, raw.Condition))
      .map(([id, raw]) => resourceOf(stack, id, raw, resolver)),
  );
  const byType = Map.groupBy(all, (resource) => resource.type);
  const byArn = new Map(all.filter((resource) => resource.arn).map((resource) => [resource.arn, resource]));
  return {
    resources: (type) => byType.get(type) ?? [],
    byArn: (arn) => byArn.get(arn),
    byName: (type, name) => byType.get(type)?.find((resource) => resource.name === name),
    outputs: outputsOf(stacks, resolver),
  };
}

/** Name, ARN and attributes of a resource; only its name property is resolved, so that references cannot circle. */
function identify(resolver: Resolver, stack: Stack, id: string, options: { region: string; account: string }) {
  const raw = stack.template.Resources?.[id];
  if (!raw) throw new TemplateError(`${stack.name} refers to "${id}", which it does not contain.`);
  const home = HOMES[raw.Type];
  if (!home) {
    throw new TemplateError(
      `${stack.name}/${id} is a ${raw.Type}, which the local cloud does not know. ` +
        'Give the type an entry in infra/local/homes.ts: the file that runs it, or the reason why it needs none.',
    );
  }
  const explicit = home.nameProperty && resolver.resolve(stack, raw.Properties?.[home.nameProperty]);
  const code = codeOf(`${stack.name}/${id}`);
  const self: Identity = { stack: stack.name, id, name: `${stack.name}-${id}`, ...options, code };
  self.name = typeof explicit === 'string' ? explicit : (home.nameOf?.(self) ?? self.name);
  return { self, home, arn: home.arn ? `arn:aws:${home.arn(self)}` : '' };
}

function resourceOf(stack: Stack, id: string, raw: RawResource, resolver: Resolver): Resource {
  const { self, arn } = resolver.identity(stack, id);
  return {
    stack: stack.name,
    id,
    type: raw.Type,
    name: self.name,
    arn,
    properties: (resolver.resolve(stack, raw.Properties) as Properties | undefined) ?? {},
    ...(raw.Metadata && { metadata: raw.Metadata }),
  };
}

function outputsOf(stacks: Stack[], resolver: Resolver): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const stack of stacks) {
    for (const [key, output] of Object.entries(stack.template.Outputs ?? {})) {
      if (!resolver.holds(stack, output.Condition)) continue;
      outputs[key in outputs ? `${stack.name}.${key}` : key] = String(resolver.resolve(stack, output.Value));
    }
  }
  return outputs;
}

/** 26 letters and digits that stay the same for the same resource. */
function codeOf(path: string): string {
  return BigInt(`0x${createHash('sha256').update(path).digest('hex')}`)
    .toString(36)
    .padStart(26, '0')
    .slice(-26);
}

interface Manifest {
  artifacts?: Record<string, { type: string; environment?: string; properties?: Properties }>;
}

function readManifest(assemblyDir: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(assemblyDir, 'manifest.json'), 'utf8'));
  } catch (cause) {
    throw new TemplateError(`${assemblyDir} holds no synthesized app: run "npm run synth" first.`, { cause });
  }
}

function readAssembly(assemblyDir: string): { stacks: Stack[]; assets: Map<string, string> } {
  const read = (file: string) => JSON.parse(readFileSync(join(assemblyDir, file), 'utf8'));
  const stacks: Stack[] = [];
  const assets = new Map<string, string>();
  for (const [id, artifact] of Object.entries(readManifest(assemblyDir).artifacts ?? {})) {
    if (artifact.type === 'aws:cloudformation:stack') {
      stacks.push({ name: artifact.properties?.stackName ?? id, template: read(artifact.properties?.templateFile) });
    }
    if (artifact.type === 'cdk:asset-manifest') {
      for (const [hash, file] of Object.entries<Properties>(read(artifact.properties?.file).files ?? {})) {
        assets.set(hash, join(assemblyDir, file.source.path));
      }
    }
  }
  return { stacks, assets };
}

import type { Home, Identity } from './homes.ts';
import { type RawTemplate, type Stack, TemplateError } from './template.ts';

type Known = { self: Identity; home: Home; arn: string };

/** Resolves the intrinsic functions of a set of stacks, as CloudFormation does at deployment. */
export interface Resolver {
  /** A value with its intrinsic functions replaced; `AWS::NoValue` members disappear. */
  resolve(stack: Stack, value: unknown): unknown;
  /** Whether a named condition holds; no condition always does. */
  holds(stack: Stack, condition: string | undefined): boolean;
  identity(stack: Stack, id: string): Known;
}

type Intrinsic = (stack: Stack, argument: unknown) => unknown;

const NO_VALUE = Symbol('AWS::NoValue');

export function resolverOf(
  stacks: Stack[],
  options: { region: string; account: string },
  identify: (stack: Stack, id: string) => Known,
): Resolver {
  const identities = new Map<string, Known>();
  const exports = new Map<string, { stack: Stack; value: unknown }>();

  const identity = (stack: Stack, id: string): Known => {
    const key = `${stack.name}/${id}`;
    const known = identities.get(key) ?? identify(stack, id);
    identities.set(key, known);
    return known;
  };

  const reference = (stack: Stack, name: string): unknown => {
    const pseudo = pseudoParameter(stack, name, options);
    if (pseudo !== undefined) return pseudo;
    const parameter = stack.template.Parameters?.[name];
    if (parameter) {
      if (parameter.Default === undefined)
        throw new TemplateError(`${stack.name}: parameter "${name}" needs a Default.`);
      return parameter.Type === 'CommaDelimitedList' ? String(parameter.Default).split(',') : parameter.Default;
    }
    const { self, home, arn } = identity(stack, name);
    if (home.ref === 'arn') return arn;
    return home.ref ? home.ref(self) : self.name;
  };

  const attribute = (stack: Stack, id: string, name: string): string => {
    const { self, home, arn } = identity(stack, id);
    const value = home.attributes?.[name]?.(self) ?? (name === 'Arn' && arn);
    if (!value) {
      const type = stack.template.Resources?.[id]?.Type;
      throw new TemplateError(
        `${stack.name}/${id}: ${type} has no attribute "${name}" in infra/local/homes.ts: add it.`,
      );
    }
    return value;
  };

  const imported = (name: unknown): unknown => {
    if (exports.size === 0) {
      for (const stack of stacks) {
        for (const output of Object.values(stack.template.Outputs ?? {})) {
          if (output.Export) exports.set(String(resolve(stack, output.Export.Name)), { stack, value: output.Value });
        }
      }
    }
    const found = exports.get(String(name));
    if (!found) throw new TemplateError(`No stack exports "${name}".`);
    return resolve(found.stack, found.value);
  };

  const holds = (stack: Stack, condition: string | undefined): boolean =>
    condition === undefined || resolve(stack, stack.template.Conditions?.[condition]) === true;

  const list = (stack: Stack, argument: unknown): unknown[] => resolve(stack, argument) as unknown[];

  const intrinsics: Record<string, Intrinsic> = {
    Ref: (stack, name) => reference(stack, String(name)),
    Condition: (stack, name) => holds(stack, String(name)),
    'Fn::GetAtt': (stack, argument) => {
      const [id, ...path] = typeof argument === 'string' ? argument.split('.') : (argument as string[]);
      return attribute(stack, String(id), path.join('.'));
    },
    'Fn::Join': (stack, argument) => {
      const [separator, parts] = list(stack, argument) as [string, unknown[]];
      return parts.join(separator);
    },
    'Fn::Sub': (stack, argument) => {
      const [text, values] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
      return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
        if (literal) return `\${${name}}`;
        if (name in values) return String(resolve(stack, values[name]));
        const [id, ...path] = name.split('.');
        return String(path.length ? attribute(stack, String(id), path.join('.')) : reference(stack, name));
      });
    },
    'Fn::ImportValue': (stack, name) => imported(resolve(stack, name)),
    'Fn::Select': (stack, argument) => {
      const [index, values] = list(stack, argument) as [number, unknown[]];
      return values[Number(index)];
    },
    'Fn::Split': (stack, argument) => {
      const [separator, text] = list(stack, argument) as [string, string];
      return text.split(separator);
    },
    'Fn::If': (stack, argument) => {
      const [condition, yes, no] = argument as [string, unknown, unknown];
      return resolve(stack, holds(stack, condition) ? yes : no);
    },
    'Fn::Equals': (stack, argument) => {
      const [left, right] = list(stack, argument);
      return String(left) === String(right);
    },
    'Fn::And': (stack, argument) => list(stack, argument).every(Boolean),
    'Fn::Or': (stack, argument) => list(stack, argument).some(Boolean),
    'Fn::Not': (stack, argument) => !list(stack, argument)[0],
    'Fn::FindInMap': (stack, argument) => {
      const [map, first, second] = list(stack, argument) as [string, string, string];
      return mapped(stack.template, map, first, second);
    },
    'Fn::ToJsonString': (stack, argument) => JSON.stringify(resolve(stack, argument)),
    'Fn::Base64': (stack, argument) => Buffer.from(String(resolve(stack, argument))).toString('base64'),
  };

  function resolve(stack: Stack, value: unknown): unknown {
    if (Array.isArray(value))
      return value.map((member) => resolve(stack, member)).filter((member) => member !== NO_VALUE);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value);
    const [name, argument] = members.length === 1 ? members[0]! : ['', undefined];
    const intrinsic = isIntrinsic(name, argument) && intrinsics[name];
    if (intrinsic) return intrinsic(stack, argument);
    if (name.startsWith('Fn::'))
      throw new TemplateError(`${stack.name}: ${name} is not known in infra/local/intrinsics.ts.`);
    const kept = members.map(([key, member]) => [key, resolve(stack, member)] as const);
    return Object.fromEntries(kept.filter(([, member]) => member !== NO_VALUE));
  }

  return { resolve, holds, identity };
}

/** `Condition` is also a plain key (of IAM statements), where it holds an object. */
function isIntrinsic(name: string, argument: unknown): boolean {
  return name !== 'Condition' || typeof argument === 'string';
}

function mapped(template: RawTemplate, map: string, first: string, second: string): unknown {
  const value = template.Mappings?.[map]?.[first]?.[second];
  if (value === undefined) throw new TemplateError(`The mapping ${map}.${first}.${second} is missing.`);
  return value;
}

function pseudoParameter(stack: Stack, name: string, options: { region: string; account: string }): unknown {
  const values: Record<string, unknown> = {
    'AWS::Region': options.region,
    'AWS::AccountId': options.account,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.name,
    'AWS::StackId': `arn:aws:cloudformation:${options.region}:${options.account}:stack/${stack.name}/local`,
    'AWS::NoValue': NO_VALUE,
    'AWS::NotificationARNs': [],
  };
  return values[name];
}

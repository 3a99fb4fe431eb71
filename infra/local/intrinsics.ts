import type { Home, Identity } from './homes.ts';
import { type RawTemplate, type Stack, TemplateError } from './template.ts';

type Known = { self: Identity; home: Home; arn: string };

const NO_VALUE = Symbol('AWS::NoValue');

/** Resolves the intrinsic functions of a set of stacks, as CloudFormation does at deployment. */
export class Resolver {
  readonly #options: { region: string; account: string };
  readonly #identify: (stack: Stack, id: string) => Known;
  readonly #identities = new Map<string, Known>();
  readonly #stacks: Stack[];
  #exports: Map<string, { stack: Stack; value: unknown }> | undefined;

  constructor(
    stacks: Stack[],
    options: { region: string; account: string },
    identify: (stack: Stack, id: string) => Known,
  ) {
    this.#stacks = stacks;
    this.#options = options;
    this.#identify = identify;
  }

  /** A value with its intrinsic functions replaced; `AWS::NoValue` members disappear. */
  resolve(stack: Stack, value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((member) => this.resolve(stack, member)).filter((member) => member !== NO_VALUE);
    }
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value);
    const [name, argument] = members.length === 1 ? members[0]! : ['', undefined];
    if (isIntrinsic(name, argument)) return INTRINSICS[name]!(this, stack, argument);
    if (name.startsWith('Fn::')) {
      throw new TemplateError(`${stack.name}: ${name} is not known in infra/local/intrinsics.ts.`);
    }
    const kept = members.map(([key, member]) => [key, this.resolve(stack, member)] as const);
    return Object.fromEntries(kept.filter(([, member]) => member !== NO_VALUE));
  }

  /** Whether a named condition holds; no condition always does. */
  holds(stack: Stack, condition: string | undefined): boolean {
    return condition === undefined || this.resolve(stack, stack.template.Conditions?.[condition]) === true;
  }

  identity(stack: Stack, id: string): Known {
    const key = `${stack.name}/${id}`;
    const known = this.#identities.get(key) ?? this.#identify(stack, id);
    this.#identities.set(key, known);
    return known;
  }

  reference(stack: Stack, name: string): unknown {
    const pseudo = pseudoParameter(stack, name, this.#options);
    if (pseudo !== undefined) return pseudo;
    const parameter = stack.template.Parameters?.[name];
    if (parameter) {
      if (parameter.Default === undefined)
        throw new TemplateError(`${stack.name}: parameter "${name}" needs a Default.`);
      return parameter.Type === 'CommaDelimitedList' ? String(parameter.Default).split(',') : parameter.Default;
    }
    const { self, home, arn } = this.identity(stack, name);
    if (home.ref === 'arn') return arn;
    return home.ref ? home.ref(self) : self.name;
  }

  attribute(stack: Stack, id: string, name: string): string {
    const { self, home, arn } = this.identity(stack, id);
    const value = home.attributes?.[name]?.(self) ?? (name === 'Arn' && arn);
    if (value) return value;
    const type = stack.template.Resources?.[id]?.Type;
    throw new TemplateError(`${stack.name}/${id}: ${type} has no attribute "${name}" in infra/local/homes.ts: add it.`);
  }

  imported(name: string): unknown {
    this.#exports ??= new Map(this.#stacks.flatMap((stack) => this.#exportsOf(stack)));
    const found = this.#exports.get(name);
    if (!found) throw new TemplateError(`No stack exports "${name}".`);
    return this.resolve(found.stack, found.value);
  }

  #exportsOf(stack: Stack): [string, { stack: Stack; value: unknown }][] {
    return Object.values(stack.template.Outputs ?? {})
      .filter((output) => output.Export)
      .map((output) => [String(this.resolve(stack, output.Export?.Name)), { stack, value: output.Value }]);
  }
}

type Intrinsic = (resolver: Resolver, stack: Stack, argument: unknown) => unknown;

const list = (resolver: Resolver, stack: Stack, argument: unknown) => resolver.resolve(stack, argument) as unknown[];

const INTRINSICS: Record<string, Intrinsic> = {
  Ref: (resolver, stack, name) => resolver.reference(stack, String(name)),
  Condition: (resolver, stack, name) => resolver.holds(stack, String(name)),
  'Fn::GetAtt': (resolver, stack, argument) => {
    const [id, ...path] = typeof argument === 'string' ? argument.split('.') : (argument as string[]);
    return resolver.attribute(stack, String(id), path.join('.'));
  },
  'Fn::Join': (resolver, stack, argument) => {
    const [separator, parts] = list(resolver, stack, argument) as [string, unknown[]];
    return parts.join(separator);
  },
  'Fn::Sub': (resolver, stack, argument) => {
    const [text, values] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in values) return String(resolver.resolve(stack, values[name]));
      const [id, ...path] = name.split('.');
      return String(
        path.length ? resolver.attribute(stack, String(id), path.join('.')) : resolver.reference(stack, name),
      );
    });
  },
  'Fn::ImportValue': (resolver, stack, name) => resolver.imported(String(resolver.resolve(stack, name))),
  'Fn::Select': (resolver, stack, argument) => {
    const [index, values] = list(resolver, stack, argument) as [number, unknown[]];
    return values[Number(index)];
  },
  'Fn::Split': (resolver, stack, argument) => {
    const [separator, text] = list(resolver, stack, argument) as [string, string];
    return text.split(separator);
  },
  'Fn::If': (resolver, stack, argument) => {
    const [condition, yes, no] = argument as [string, unknown, unknown];
    return resolver.resolve(stack, resolver.holds(stack, condition) ? yes : no);
  },
  'Fn::Equals': (resolver, stack, argument) => {
    const [left, right] = list(resolver, stack, argument);
    return String(left) === String(right);
  },
  'Fn::And': (resolver, stack, argument) => list(resolver, stack, argument).every(Boolean),
  'Fn::Or': (resolver, stack, argument) => list(resolver, stack, argument).some(Boolean),
  'Fn::Not': (resolver, stack, argument) => !list(resolver, stack, argument)[0],
  'Fn::FindInMap': (resolver, stack, argument) => {
    const [map, first, second] = list(resolver, stack, argument) as [string, string, string];
    return mapped(stack.template, map, first, second);
  },
  'Fn::ToJsonString': (resolver, stack, argument) => JSON.stringify(resolver.resolve(stack, argument)),
  'Fn::Base64': (resolver, stack, argument) =>
    Buffer.from(String(resolver.resolve(stack, argument))).toString('base64'),
};

/** `Condition` is also a plain key (of IAM statements), where it holds an object. */
function isIntrinsic(name: string, argument: unknown): boolean {
  return Object.hasOwn(INTRINSICS, name) && (name !== 'Condition' || typeof argument === 'string');
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

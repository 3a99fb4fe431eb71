import type { Properties, Template } from './template.ts';

/** One statement of an IAM policy; only what the local cloud reads. */
export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** One permission that a request needs. */
export interface Need {
  action: string;
  resource: string;
  /** Condition keys of the request, as `dynamodb:LeadingKeys`. */
  context?: Record<string, string[]>;
}

/** True when the statements allow what is needed and none denies it. */
export type Policy = (need: Need) => boolean;

/** All statements that a role holds: its inline policies and the policies attached to it in the template. */
export function statementsOf(template: Pick<Template, 'resources' | 'byArn'>, roleArn: string): Statement[] {
  const role = template.byArn(roleArn);
  if (!role) return [];
  const inline = (role.properties.Policies ?? []).map((policy: Properties) => policy.PolicyDocument);
  const attached = [...template.resources('AWS::IAM::Policy'), ...template.resources('AWS::IAM::ManagedPolicy')]
    .filter(
      (policy) =>
        policy.properties.Roles?.includes(role.name) || role.properties.ManagedPolicyArns?.includes(policy.arn),
    )
    .map((policy) => policy.properties.PolicyDocument);
  return [...inline, ...attached].flatMap((document) => document.Statement);
}

/**
 * Compiles statements. Which of them speak of one action on one resource is worked out once and remembered; only
 * their conditions are looked at again for each request.
 */
export function policyOf(statements: Statement[]): Policy {
  const compiled = statements.map(compile);
  const relevant = new Map<string, Compiled[]>();
  return (need) => {
    const key = `${need.action} ${need.resource}`;
    let candidates = relevant.get(key);
    if (!candidates) {
      candidates = compiled.filter((statement) => statement.speaksOf(need.action, need.resource));
      relevant.set(key, candidates);
    }
    const holding = candidates.filter(({ conditions }) => conditions.every((holds) => holds(need.context ?? {})));
    return holding.length > 0 && holding.every((statement) => statement.allows);
  };
}

type Context = Record<string, string[]>;

interface Compiled {
  allows: boolean;
  speaksOf(action: string, resource: string): boolean;
  conditions: ((context: Context) => boolean)[];
}

function compile(statement: Statement): Compiled {
  const action = anyOf(statement.Action ?? statement.NotAction, 'i');
  const resource = anyOf(statement.Resource ?? statement.NotResource, '');
  return {
    allows: statement.Effect === 'Allow',
    speaksOf: (wanted, on) => action(wanted) === !statement.NotAction && resource(on) === !statement.NotResource,
    conditions: Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => conditionOf(operator, key, [values].flat())),
    ),
  };
}

const OPERATORS: Record<string, (wanted: string[]) => (value: string) => boolean> = {
  StringEquals: (wanted) => (value) => wanted.includes(value),
  StringNotEquals: (wanted) => (value) => !wanted.includes(value),
  StringLike: (wanted) => anyOf(wanted, ''),
  StringNotLike: (wanted) => not(anyOf(wanted, '')),
  ArnEquals: (wanted) => anyOf(wanted, ''),
  ArnLike: (wanted) => anyOf(wanted, ''),
  Bool: (wanted) => (value) => wanted.map(String).includes(value),
};

function not(test: (value: string) => boolean): (value: string) => boolean {
  return (value) => !test(value);
}

function conditionOf(operator: string, key: string, wanted: string[]): (context: Context) => boolean {
  const [, quantifier, name, ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const test = OPERATORS[name ?? '']?.(wanted);
  // IAM: a missing key satisfies ForAllValues, IfExists and the negated operators, and nothing else.
  const holdsWithout = quantifier === 'ForAllValues' || Boolean(ifExists) || /Not/.test(operator);
  return (context) => {
    if (!test) throw new Error(`The policy condition ${operator} on ${key} is not known in infra/local/policies.ts.`);
    const values = context[key];
    if (!values?.length) return holdsWithout;
    return quantifier === 'ForAnyValue' ? values.some(test) : values.every(test);
  };
}

/** Whether a text matches one of the patterns, in which `*` is any run of characters and `?` any one. */
function anyOf(patterns: string | string[] | undefined, flags: string): (text: string) => boolean {
  const expressions = [patterns ?? '*'].flat().map((pattern) => {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${escaped}$`, `s${flags}`);
  });
  return (text) => expressions.some((expression) => expression.test(text));
}

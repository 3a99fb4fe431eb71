import type { SendPolicy } from './deliveries.ts';
import type { Resource } from './template.ts';

/** The event as a rule's target gets it: as text, and parsed where that costs nothing. */
interface TargetInput {
  input: string;
  event?: unknown;
}

/** One target of one rule, ready to be handed events. */
export interface RuleTarget {
  arn: string;
  /** Key of `policy` in the deliveries. */
  key: string;
  policy: SendPolicy;
  inputOf(event: Record<string, unknown>, text: string): TargetInput;
}

const SERVICES = ['lambda', 'states', 'sqs'];

/** Reads AWS::Events::Rule's `Targets`. Throws, naming the rule, for what the local cloud does not do. */
export function targetsOf(rule: Resource): RuleTarget[] {
  return (rule.properties.Targets ?? []).map((target: Record<string, unknown>) => targetOf(rule, target));
}

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation's shape
function targetOf(rule: Resource, target: Record<string, any>): RuleTarget {
  const arn = String(target.Arn);
  if (!SERVICES.includes(arn.split(':')[2] ?? ''))
    throw new Error(`${rule.stack}/${rule.id}: a rule reaches functions, state machines and queues here, not ${arn}`);
  const deadLetterArn = target.DeadLetterConfig?.Arn;
  const groupId = target.SqsParameters?.MessageGroupId;
  return {
    arn,
    key: `${rule.arn}#${target.Id}`,
    policy: {
      ruleArn: rule.arn,
      maximumRetryAttempts: Number(target.RetryPolicy?.MaximumRetryAttempts ?? 185),
      maximumAgeSeconds: Number(target.RetryPolicy?.MaximumEventAgeInSeconds ?? 24 * 3600),
      ...(deadLetterArn ? { deadLetterArn } : {}),
      ...(groupId ? { groupId } : {}),
    },
    inputOf: inputOf(rule, target),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation's shape
function inputOf(rule: Resource, target: Record<string, any>): RuleTarget['inputOf'] {
  if (target.Input !== undefined) return () => ({ input: target.Input });
  if (target.InputPath !== undefined) {
    const read = jsonPath(target.InputPath);
    return (event) => {
      const found = read(event);
      return { input: JSON.stringify(found) ?? '{}', event: found };
    };
  }
  if (target.InputTransformer !== undefined) return transformer(rule, target.InputTransformer);
  return (event, text) => ({ input: text, event });
}

/** EventBridge's small JSONPath: `$`, `$.detail.orderId`, `$.resources[0]`. */
function jsonPath(path: string): (event: unknown) => unknown {
  if (!/^\$(\.[\w-]+|\[\d+\]|\['[^']+'\])*$/.test(path)) throw new Error(`Unknown input path ${path}`);
  const steps = [...path.matchAll(/\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]/g)].map((step) => step[1] ?? step[2] ?? step[3]!);
  return (event) =>
    steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], event);
}

/** Input transformer: `<name>` inside a string is put in as text, elsewhere as JSON. */
function transformer(
  rule: Resource,
  { InputPathsMap = {}, InputTemplate }: { InputPathsMap?: Record<string, string>; InputTemplate: string },
): RuleTarget['inputOf'] {
  const paths = new Map(Object.entries(InputPathsMap).map(([name, path]) => [name, jsonPath(path)]));
  const placeholder = (name: string, event: Record<string, unknown>): unknown => {
    if (name === 'aws.events.rule-arn') return rule.arn;
    if (name === 'aws.events.rule-name') return rule.name;
    if (name === 'aws.events.event.ingestion-time') return event.time;
    if (name === 'aws.events.event' || name === 'aws.events.event.json') return event;
    const read = paths.get(name);
    if (!read) throw new Error(`${rule.id}: the input template uses <${name}>, which InputPathsMap does not define`);
    return read(event);
  };
  return (event) => ({
    input: InputTemplate.replace(/("(?:[^"\\]|\\.)*")|<([\w.-]+)>/g, (_all, quoted?: string, bare?: string) => {
      if (bare !== undefined) return JSON.stringify(placeholder(bare, event)) ?? 'null';
      return quoted!.replace(/<([\w.-]+)>/g, (_placeholder, name: string) => {
        const value = placeholder(name, event) ?? '';
        return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value)).slice(1, -1);
      });
    }),
  });
}

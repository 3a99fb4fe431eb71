import { StateMachine } from 'aws-local-stepfunctions';

/**
 * Compiles a States Language definition for aws-local-stepfunctions, rewriting what that library gets wrong and refusing
 * what it would silently ignore: a workflow that runs here and fails on AWS, or the reverse, is worse than none.
 */
export interface CompiledWorkflow {
  machine: StateMachine;
  /** By state name. Wait states are here too: their end is a journaled instant, so a restart does not begin them anew. */
  tasks: Readonly<Record<string, WorkflowTask>>;
  /** One state at a time, so a waiting execution needs no memory: it is run again, from the journal, when answered. */
  linear: boolean;
  timeoutSeconds: number | undefined;
}

export interface WorkflowTask {
  /** `invoke` and `direct` end with the function, `callback` with its token, `wait` with the clock. */
  kind: 'invoke' | 'direct' | 'callback' | 'wait';
  /** For `direct` only; the others name their function in `FunctionName`. */
  functionArn: string | undefined;
  timeoutSeconds: number | undefined;
  heartbeatSeconds: number | undefined;
  /** A state inside a Map is entered in no fixed order, so its tokens come from its input as well. */
  inMap: boolean;
}

/** Stands for `$$.Task.Token` until the task's own token is known; the library knows one context a run. */
export const TOKEN_PLACEHOLDER = 'ieum:task-token:9c7f1f0e52d84d0f';

/** Parameters that carry `TimeoutSecondsPath` and `HeartbeatSecondsPath`, resolved by the library, to the task. */
export const TIMEOUT_PARAMETER = 'ieum:timeoutSeconds';
export const HEARTBEAT_PARAMETER = 'ieum:heartbeatSeconds';

/** The longest the library's own timer can count; timeouts are kept by the journal's alarm instead. */
const LONGEST_TIMER_SECONDS = 2_147_483;
const CONTEXT_PATHS = new Set([
  '$$.Execution.Id',
  '$$.Execution.Name',
  '$$.Execution.Input',
  '$$.Execution.StartTime',
  '$$.Execution.RoleArn',
  '$$.StateMachine.Id',
  '$$.StateMachine.Name',
  '$$.State.Name',
  '$$.Task.Token',
  '$$.Map.Item.Index',
  '$$.Map.Item.Value',
]);
const IGNORED_FIELDS = ['Assign', 'Arguments', 'Output', 'ItemReader', 'ResultWriter', 'ItemBatcher'];

type Fields = Record<string, unknown>;
interface State extends Fields {
  Type: string;
  Parameters?: Fields;
}
interface States extends Fields {
  States: Record<string, State>;
}

/**
 * @param body the definition as JSON, with every intrinsic of the template resolved
 * @param label names the state machine in refusals
 * @param known true when this very body was validated before (validation takes about 150 ms)
 * @throws Error when the definition is invalid or uses what the local cloud cannot run as AWS would
 */
export function compileWorkflow(body: string, label: string, known = false): CompiledWorkflow {
  const definition = JSON.parse(body) as States & { TimeoutSeconds?: number };
  if (!known) {
    refuseUnsupported(body, definition, label);
    try {
      // biome-ignore lint/suspicious/noExplicitAny: the library validates exactly this unknown value
      new StateMachine(definition as any, { validationOptions: { checkPaths: true, checkArn: true } });
    } catch (cause) {
      throw new Error(`State machine ${label}: ${(cause as Error).message}`, { cause });
    }
  }
  // A re-run must see the instant of the first start, and the library overwrites Execution.StartTime with its own.
  const started = JSON.parse(body.replaceAll('$$.Execution.StartTime', () => '$$.Started')) as typeof definition;
  const compiled = { tasks: {} as Record<string, WorkflowTask>, linear: true };
  rewriteStates(started, compiled, false, label);
  const timeoutSeconds = started.TimeoutSeconds;
  delete started.TimeoutSeconds;
  return {
    ...compiled,
    timeoutSeconds,
    // biome-ignore lint/suspicious/noExplicitAny: rewritten states carry fields the library's types do not know
    machine: new StateMachine(started as any, { validationOptions: { noValidate: true } }),
  };
}

function refuseUnsupported(body: string, definition: States, label: string): void {
  const refuse = (what: string): never => {
    throw new Error(`State machine ${label}: ${what}. Express it otherwise, or teach infra/local/workflows about it.`);
  };
  for (const path of body.match(/\$\$\.[A-Za-z]+(\.[A-Za-z]+)*/g) ?? []) {
    const known = [...CONTEXT_PATHS].some((each) => path === each || path.startsWith(`${each}.`));
    if (!known) refuse(`the local cloud has no ${path} in its context`);
  }
  const random = /States\.(UUID|MathRandom)\(/.exec(body);
  if (random) refuse(`States.${random[1]} differs when a waiting execution is run again; derive it from its input`);
  const jsonPathOnly = (holder: Fields): void => {
    if (holder.QueryLanguage === 'JSONata') refuse('JSONata is not supported, only JSONPath');
    delete holder.QueryLanguage; // the library's validator does not know the field
  };
  const check = (scope: States): void => {
    jsonPathOnly(scope);
    for (const [name, state] of Object.entries(scope.States ?? {})) {
      jsonPathOnly(state);
      const ignored = IGNORED_FIELDS.find((field) => field in state);
      if (ignored) refuse(`field ${ignored} of state ${name} is not supported`);
      for (const nested of nestedStates(state)) check(nested);
    }
  };
  check(definition);
}

function nestedStates(state: State): States[] {
  const nested = [...((state.Branches as States[] | undefined) ?? []), state.ItemProcessor, state.Iterator];
  return nested.filter((each): each is States => each !== undefined);
}

function rewriteStates(
  scope: States,
  compiled: { tasks: Record<string, WorkflowTask>; linear: boolean },
  inMap: boolean,
  label: string,
): void {
  for (const [name, state] of Object.entries(scope.States)) {
    rewritePaths(name, state);
    if (state.Type === 'Choice') state.Choices = (state.Choices as Fields[]).map(rewriteRule);
    if (state.Type === 'Task') compiled.tasks[name] = rewriteTask(name, state, inMap, label);
    if (state.Type === 'Wait') compiled.tasks[name] = rewriteWait(state, inMap);
    for (const nested of nestedStates(state)) {
      compiled.linear = false;
      rewriteStates(nested, compiled, inMap || state.Type === 'Map', label);
    }
  }
}

function rewritePaths(name: string, state: State): void {
  for (const field of ['Parameters', 'ResultSelector', 'ItemSelector']) {
    if (field in state) state[field] = nameInTemplate(state[field], name);
  }
  const catchers = (state.Catch as Fields[] | undefined) ?? [];
  const retriers = (state.Retry as Fields[] | undefined) ?? [];
  // The library would write the result under a field called "$".
  for (const holder of [state, ...catchers]) if (holder.ResultPath === '$') delete holder.ResultPath;
  for (const holder of [...catchers, ...retriers]) {
    const errors = holder.ErrorEquals as string[];
    // A missed heartbeat is a timeout too.
    if (errors.includes('States.Timeout')) errors.push('States.HeartbeatTimeout');
  }
}

/** The library has no `$$.State.Name`; it is known here. */
function nameInTemplate(template: unknown, name: string): unknown {
  if (Array.isArray(template)) return template.map((each) => nameInTemplate(each, name));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => {
      if (!key.endsWith('.$') || typeof value !== 'string') return [key, nameInTemplate(value, name)];
      if (value === '$$.State.Name') return [key.slice(0, -2), name];
      return [key, value.replaceAll('$$.State.Name', () => `'${name}'`)];
    }),
  );
}

/** `IsPresent: false` and `IsNull: false` never match in the library; their negations do. */
function rewriteRule(rule: Fields): Fields {
  const next = 'Next' in rule ? { Next: rule.Next } : {};
  for (const combiner of ['And', 'Or'] as const) {
    if (combiner in rule) return { ...next, [combiner]: (rule[combiner] as Fields[]).map(rewriteRule) };
  }
  if ('Not' in rule) return { ...next, Not: rewriteRule(rule.Not as Fields) };
  for (const test of ['IsPresent', 'IsNull', 'IsString', 'IsNumeric', 'IsBoolean', 'IsTimestamp']) {
    if (rule[test] === false) return { ...next, Not: { Variable: rule.Variable, [test]: true } };
  }
  return rule;
}

function rewriteTask(name: string, state: State, inMap: boolean, label: string): WorkflowTask {
  const resource = state.Resource as string;
  const invoke = /^arn:aws[\w-]*:states:::lambda:invoke(\.waitForTaskToken)?$/.exec(resource);
  const direct = /^arn:aws[\w-]*:lambda:/.test(resource);
  if (!invoke && !direct) {
    throw new Error(`State machine ${label}: state ${name} uses ${resource}; the local cloud runs Lambda tasks only.`);
  }
  const task: WorkflowTask = {
    kind: direct ? 'direct' : invoke?.[1] ? 'callback' : 'invoke',
    functionArn: direct ? resource : undefined,
    timeoutSeconds: state.TimeoutSeconds as number | undefined,
    heartbeatSeconds: state.HeartbeatSeconds as number | undefined,
    inMap,
  };
  for (const [field, parameter] of [
    ['TimeoutSecondsPath', TIMEOUT_PARAMETER],
    ['HeartbeatSecondsPath', HEARTBEAT_PARAMETER],
  ] as const) {
    if (!(field in state)) continue;
    if (direct) throw new Error(`State machine ${label}: state ${name} needs lambda:invoke to use ${field}.`);
    state.Parameters = { ...state.Parameters, [`${parameter}.$`]: state[field] };
    delete state[field];
  }
  delete state.HeartbeatSeconds;
  // Without one the library gives up after 60 s, where AWS waits for a year.
  state.TimeoutSeconds = LONGEST_TIMER_SECONDS;
  return task;
}

function rewriteWait(state: State, inMap: boolean): WorkflowTask {
  const until = Object.entries({
    Seconds: 'seconds',
    Timestamp: 'timestamp',
    SecondsPath: 'seconds.$',
    TimestampPath: 'timestamp.$',
  }).find(([field]) => field in state);
  const [field, parameter] = until ?? ['Seconds', 'seconds'];
  Object.assign(state, {
    Type: 'Task',
    Resource: 'wait',
    Parameters: { [parameter]: state[field], 'input.$': '$' },
    TimeoutSeconds: LONGEST_TIMER_SECONDS,
  });
  delete state[field];
  return { kind: 'wait', functionArn: undefined, timeoutSeconds: undefined, heartbeatSeconds: undefined, inMap };
}

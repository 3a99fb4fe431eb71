import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Surroundings } from './access.ts';
import { statementsOf } from './policies.ts';
import { type FunctionData, Sandbox } from './sandbox.ts';
import { type Properties, type Resource, type Template, TemplateError } from './template.ts';

export { FunctionError } from './sandbox.ts';

const TOGETHER = 'together';

/** One permission that a function has used. */
export interface Used {
  functionArn: string;
  action: string;
  resource: string;
}

/** Runs the functions of the template in worker threads that start with their first call. */
export interface FunctionHost {
  /** Calls a function and waits for its answer (RequestResponse). Rejects with FunctionError. */
  invoke(functionArn: string, event: unknown): Promise<unknown>;
  /** Every permission used so far, once. */
  used(): Used[];
  /** Has a function, and what shares its thread, start anew with the next call, as after a change of its policy. */
  replace(functionArn: string): void;
  /** ARNs of the functions that have a worker thread now. */
  warm(): string[];
  close(): Promise<void>;
}

export interface FunctionOptions {
  template: Template;
  region: string;
  account: string;
  /** Logs and compiled code go below it. */
  dataDir: string;
  /** Environment variables of every function beside its own, read when a function starts: the SDK's endpoints. */
  environment: () => Record<string, string>;
  /** ARNs of functions that share one thread; each other has its own. */
  together?: ReadonlySet<string>;
  /** A worker without a call is reclaimed after this time, as Lambda does; 60 unless LOCAL_IDLE_SECONDS says otherwise. */
  idleSeconds?: number;
  /** How long loading a bundle may take; 10, as on Lambda, unless a test has no time. */
  initSeconds?: number;
}

/**
 * Starts no thread yet. Concurrent calls share a thread, those of one function and those of the functions `together`,
 * unlike on Lambda, where each has an environment of its own; a call that times out or crashes the thread makes the next
 * call start a new one.
 */
export function startFunctions(options: FunctionOptions): FunctionHost {
  const idleMilliseconds = (options.idleSeconds ?? Number(process.env.LOCAL_IDLE_SECONDS ?? 60)) * 1000;
  /** By the ARN of their function, or `TOGETHER`. */
  const sandboxes = new Map<string, Sandbox>();
  const retired = new Set<Sandbox>();
  const used = new Map<string, Used>();
  let closed = false;
  mkdirSync(join(options.dataDir, 'logs'), { recursive: true });
  // Lambda runs in UTC, and a thread has the time zone of its process.
  process.env.TZ = 'UTC';
  const surroundings = surroundingsOf(options);

  const reclaimer = setInterval(
    () => {
      for (const [name, sandbox] of sandboxes) {
        if (sandbox.idleMilliseconds < idleMilliseconds) continue;
        sandboxes.delete(name);
        void sandbox.close();
      }
      for (const sandbox of retired) if (sandbox.idleMilliseconds > 0) retired.delete(sandbox);
    },
    Math.min(idleMilliseconds, 5000),
  );
  reclaimer.unref();

  const script = workerScript(options.dataDir);
  // Whoever calls a function hears of it.
  script.catch(() => {});

  const nameOf = (functionArn: string): string => (options.together?.has(functionArn) ? TOGETHER : functionArn);

  const sandboxOf = (functionArn: string, scriptFile: string): Sandbox => {
    const name = nameOf(functionArn);
    const current = sandboxes.get(name);
    if (current?.accepting) return current;
    if (current) retired.add(current);
    const members = name === TOGETHER ? [...options.together!] : [functionArn];
    const settings = members.map((arn) => functionIn(options.template, arn).properties);
    const sandbox = new Sandbox({
      scriptFile,
      initSeconds: options.initSeconds ?? 10,
      thread: {
        compileCacheDir: join(options.dataDir, 'compiled'),
        sourceMaps: settings.some(({ Environment }) =>
          String(Environment?.Variables?.NODE_OPTIONS ?? '').includes('--enable-source-maps'),
        ),
      },
      memoryMegabytes: Math.max(...settings.map(memoryOf)),
      onUsed: (arn, action, resource) =>
        used.set(`${arn} ${action} ${resource}`, { functionArn: arn, action, resource }),
    });
    sandboxes.set(name, sandbox);
    return sandbox;
  };

  return {
    async invoke(functionArn, event) {
      const scriptFile = await script;
      if (closed) throw new Error('The local cloud is closing.');
      const dataOf = () => functionDataOf(functionIn(options.template, functionArn), options, surroundings);
      return sandboxOf(functionArn, scriptFile).run(functionArn, dataOf, event);
    },
    used: () => [...used.values()],
    replace: (functionArn) => sandboxes.get(nameOf(functionArn))?.retire(),
    warm: () => [...sandboxes.values()].filter(({ accepting }) => accepting).flatMap(({ functions }) => functions),
    async close() {
      closed = true;
      await script.catch(() => {});
      clearInterval(reclaimer);
      await Promise.all([...sandboxes.values(), ...retired].map((sandbox) => sandbox.close()));
      sandboxes.clear();
    },
  };
}

/** The worker's code as one JavaScript file: a thread that strips types itself takes twice as long to start. */
async function workerScript(dataDir: string): Promise<string> {
  const outfile = join(dataDir, 'compiled', 'worker.mjs');
  const entryPoints = [join(import.meta.dirname, 'worker.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', target: 'node24', format: 'esm' });
  return outfile;
}

function surroundingsOf({ template, region, account }: FunctionOptions): Surroundings {
  const partitionKeys: Record<string, string> = {};
  for (const table of [
    ...template.resources('AWS::DynamoDB::GlobalTable'),
    ...template.resources('AWS::DynamoDB::Table'),
  ]) {
    partitionKeys[table.name] = partitionKeyOf(table.properties.KeySchema);
    for (const index of [
      ...(table.properties.GlobalSecondaryIndexes ?? []),
      ...(table.properties.LocalSecondaryIndexes ?? []),
    ]) {
      partitionKeys[`${table.name}/index/${index.IndexName}`] = partitionKeyOf(index.KeySchema);
    }
  }
  const stateMachineArns = template.resources('AWS::StepFunctions::StateMachine').map((machine) => machine.arn);
  return { region, account, partitionKeys, stateMachineArns };
}

function partitionKeyOf(keySchema: { AttributeName: string; KeyType: string }[]): string {
  return keySchema.find((key) => key.KeyType === 'HASH')!.AttributeName;
}

function functionIn(template: Template, functionArn: string): Resource {
  const resource = template.byArn(functionArn);
  if (resource?.type !== 'AWS::Lambda::Function')
    throw new Error(`There is no function ${functionArn} in the template.`);
  return resource;
}

function memoryOf({ MemorySize }: Properties): number {
  return MemorySize ?? 128;
}

function functionDataOf(resource: Resource, options: FunctionOptions, surroundings: Surroundings): FunctionData {
  const { Code, Handler, Role, Timeout } = resource.properties;
  if (!Code?.S3Key) {
    throw new TemplateError(`${resource.stack}/${resource.id} has no code asset: give it lambda.Code.fromAsset().`);
  }
  return {
    functionName: resource.name,
    functionArn: resource.arn,
    handler: Handler,
    codeDir: options.template.assetPath(Code.S3Key),
    timeoutSeconds: Timeout ?? 3,
    memoryMegabytes: memoryOf(resource.properties),
    logFile: join(options.dataDir, 'logs', `${resource.name}.log`),
    env: environmentOf(resource, options),
    statements: statementsOf(options.template, Role),
    surroundings,
  };
}

function environmentOf(resource: Resource, options: FunctionOptions): Record<string, string> {
  // NODE_OPTIONS belong to a process: a thread of this one cannot take them.
  const { NODE_OPTIONS: _, ...variables } = resource.properties.Environment?.Variables ?? {};
  return {
    ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])),
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: resource.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(resource.properties.MemorySize ?? 128),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${resource.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    ...options.environment(),
  };
}

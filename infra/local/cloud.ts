import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { refusal, type Service, startAwsEndpoint } from './aws-endpoint.ts';
import { type BusEntry, EventBus } from './bus.ts';
import { Deliveries, type SendMessage } from './deliveries.ts';
import { startEngine } from './engine.ts';
import { type FunctionHost, startFunctions } from './functions.ts';
import { startGateway } from './gateway.ts';
import { type Identity, startIdentity } from './identity.ts';
import { openJournal } from './journal.ts';
import { Queues } from './queues.ts';
import { functionsOfApi } from './routes.ts';
import { Schedules } from './schedules.ts';
import { assertServicesMay } from './service-grants.ts';
import { endpointSource } from './stream-endpoint.ts';
import { engineFileSource } from './stream-source.ts';
import { Streams } from './streams.ts';
import { deploymentOf, loadTemplate, type Properties, type Template } from './template.ts';
import { stepFunctions } from './workflows/service.ts';
import { createWorkflows, type WorkflowHost } from './workflows.ts';

export interface CloudOptions {
  /** The synthesized app, as `cdk.out`. */
  assemblyDir: string;
  /** Everything that outlives this process: tables, journal, queues, keys, logs. */
  dataDir: string;
  /** Of the HTTP API; 0 takes a free one. */
  port: number;
  /** Of the AWS services (`awsUrl`); a free one unless given. */
  awsPort?: number;
  /** Loopback unless given. */
  host?: string;
  /** Puts something between the functions and DynamoDB, e.g. a meter: takes the engine's endpoint, gives its own. */
  through?: (dynamodbEndpoint: string) => Promise<string>;
}

/** The synthesized app, running on this machine. */
export interface LocalCloud {
  /** Of the HTTP API, without a slash at the end. */
  url: string;
  /** Of the AWS services for SDK clients and tools: EventBridge, Step Functions, SQS, Cognito, and Cognito's pages. */
  awsUrl: string;
  dynamodbEndpoint: string;
  template: Template;
  functions: FunctionHost;
  bus: EventBus;
  deliveries: Deliveries;
  streams: Streams;
  workflows: WorkflowHost;
  identity: Identity;
  queues: Queues;
  journal: DatabaseSync;
  /** Resolves when no record, event, task or retry is on its way; executions may wait for a token or the clock. */
  whenIdle(): Promise<void>;
  /** Ends everything; what is unfinished goes on at the next start. */
  close(): Promise<void>;
}

type Closer = () => unknown;

/**
 * Runs the synthesized app on this machine. What was going on when the last process ended, however it ended, goes on.
 *
 * Differences from AWS: concurrent calls of a function share one thread, and so do the functions of the API; the API is
 * not throttled; alarms, dashboards and encryption are left out (homes.ts says why for each type).
 *
 * @throws Error that says what to do: nothing synthesized, unknown resource type, data directory in use, port taken
 */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(closers);
    return closing;
  };
  try {
    return { ...(await start(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Ends the cloud with the process: on SIGINT or SIGTERM in order, on a second one at once. */
export function endWithProcess(cloud: Pick<LocalCloud, 'close'>): void {
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (++signals > 1) process.exit(130);
      void cloud.close().finally(() => process.exit(0));
    });
  }
}

async function start(options: CloudOptions, closers: Closer[]): Promise<Omit<LocalCloud, 'close'>> {
  const { assemblyDir, port, awsPort = 0, host = '127.0.0.1' } = options;
  // Threads are started from a file in it, by its whole path.
  const dataDir = resolve(options.dataDir);
  const keep = <T extends { close(): unknown }>(part: T): T => {
    closers.push(() => part.close());
    return part;
  };
  const place = deploymentOf(assemblyDir);
  const template = loadTemplate(assemblyDir, place);
  assertServicesMay(template);
  const tables = [...template.resources('AWS::DynamoDB::GlobalTable'), ...template.resources('AWS::DynamoDB::Table')];
  const machines = template.resources('AWS::StepFunctions::StateMachine');

  const journal = keep(openJournal(dataDir));
  const engine = keep(await startEngine({ dataDir, tables }));
  const queues = keep(new Queues({ dataDir, queues: template.resources('AWS::SQS::Queue'), region: place.region }));
  const dynamodb = options.through === undefined ? engine.endpoint : await options.through(engine.endpoint);
  const environment = () => endpointsOf(dynamodb, aws.url);
  const together = functionsOfApi(template);
  const functions = keep(startFunctions({ template, ...place, dataDir, environment, together }));
  const identity = await startIdentity({ dataDir, journal, template, functions });
  const workflows = createWorkflows({ journal, machines, functions });
  // It listens before anything is delivered: a function needs its address when it starts. Its first call comes later.
  const services: Record<string, Service> = {
    AWSEvents: (operation, body) => eventService(events.bus, operation, body),
    AWSStepFunctions: stepFunctions(workflows),
    AWSCognitoIdentityProviderService: identity.service,
  };
  const aws = keep(
    await startAwsEndpoint({ services, sqs: () => queues.endpoint(), pages: identity.pages, port: awsPort }),
  );
  keep(workflows);
  const send = queues.send.bind(queues);
  const events = openEvents({ template, journal, functions, workflows, send, place, keep });
  const source = engine.file ? engineFileSource(engine.file) : endpointSource(engine.endpoint);
  const mappings = template.resources('AWS::Lambda::EventSourceMapping');
  const streams = keep(new Streams({ journal, source, mappings, tables, functions, send }));
  keep(events.schedules);
  const gateway = keep(await startGateway({ template, functions, identity, accountId: place.account, port, host }));

  await streams.start();
  workflows.resume();
  events.schedules.start();
  const { bus, deliveries } = events;
  return {
    ...{ template, functions, bus, deliveries, streams, workflows, identity, queues, journal },
    ...{ url: gateway.url, awsUrl: aws.url, dynamodbEndpoint: engine.endpoint },
    async whenIdle() {
      let head: number;
      do {
        head = await source.head();
        await streams.idle();
        await deliveries.idle();
        await workflows.idle();
      } while (head !== (await source.head()) || deliveries.pending() > 0);
    },
  };
}

function openEvents(around: {
  template: Template;
  journal: DatabaseSync;
  functions: FunctionHost;
  workflows: WorkflowHost;
  send: SendMessage;
  place: { region: string; account: string };
  keep<T extends { close(): unknown }>(part: T): T;
}): { bus: EventBus; deliveries: Deliveries; schedules: Schedules } {
  const { template, journal, functions, workflows, send, place, keep } = around;
  const rules = template.resources('AWS::Events::Rule');
  const deliveries = keep(
    new Deliveries({
      journal,
      functions,
      startExecution: (input) => workflows.startExecution(input),
      send,
      invokeConfigs: template.resources('AWS::Lambda::EventInvokeConfig'),
      functionResources: template.resources('AWS::Lambda::Function'),
    }),
  );
  const buses = template.resources('AWS::Events::EventBus');
  const archives = template.resources('AWS::Events::Archive');
  const bus = new EventBus({ journal, deliveries, buses, rules, archives, ...place });
  return { deliveries, bus, schedules: new Schedules({ journal, bus, rules }) };
}

/** Environment variables by which the AWS SDK finds the services of this machine. */
function endpointsOf(dynamodb: string, aws: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_EVENTBRIDGE: aws,
    AWS_ENDPOINT_URL_SFN: aws,
    AWS_ENDPOINT_URL_SQS: aws,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: aws,
  };
}

function eventService(bus: EventBus, operation: string, body: Properties): unknown {
  if (operation === 'PutEvents') return bus.putEvents((body.Entries ?? []) as BusEntry[]);
  throw refusal('UnknownOperationException', `The local event bus does not serve ${operation}.`);
}

/** Last opened, first closed. A part that fails to close does not keep the others open. */
async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.reverse()) {
    try {
      await close();
    } catch (error) {
      console.error('A part of the local cloud did not close:', error);
    }
  }
}

import { Aws, Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type EventBus, Match, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type Capability, type FunctionRole, functionRoles, type TableAction } from '../../shared/contract.ts';
import { tableVariable } from '../../shared/runtime.ts';
import { afterRecords, DeadLetters } from './dead-letters.ts';
import { CommerceFunction } from './function.ts';
import type { CommerceApi } from './http-api.ts';

/** What all capabilities share. */
export interface Surroundings {
  stage: string;
  tables: ReadonlyMap<string, TableV2>;
  bus: EventBus;
  api: CommerceApi;
  workflowArn: string;
  alarms: ITopic;
}

const TIMEOUT: Record<FunctionRole, Duration> = {
  api: Duration.seconds(10),
  events: Duration.seconds(30),
  tasks: Duration.seconds(60),
  stream: Duration.seconds(30),
};

/** Everything that ONE contract asks for: functions with their policies, routes, event rules, schedules, dead letters. */
export class CapabilityResources extends Construct {
  readonly functions = new Map<FunctionRole, CommerceFunction>();
  readonly contract: Capability;
  private readonly around: Surroundings;
  private readonly deadLetters: DeadLetters;

  constructor(scope: Construct, contract: Capability, around: Surroundings) {
    super(scope, contract.name);
    this.contract = contract;
    this.around = around;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', around.alarms);
    for (const role of functionRoles(contract)) this.functions.set(role, this.addFunction(role));
    this.addRoutes();
    this.addRules();
    this.addSchedules();
    this.addStream();
  }

  private addFunction(role: FunctionRole): CommerceFunction {
    const { contract, around } = this;
    const grants = contract.grants[role] ?? { tables: {} };
    const tables = Object.keys(grants.tables).map((name) => [name, this.table(name)] as const);
    const lambda = new CommerceFunction(this, role, {
      folder: contract.name,
      handler: role,
      description: `${contract.name}, ${role}: ${contract.summary}`.slice(0, 256),
      timeout: TIMEOUT[role],
      environment: {
        ...{ STAGE: around.stage, URL_SUFFIX: Aws.URL_SUFFIX },
        ...Object.fromEntries(tables.map(([name, table]) => [tableVariable(name), table.tableName])),
        ...(grants.workflow === undefined ? {} : { WORKFLOW_ARN: around.workflowArn }),
        ...(grants.bus === undefined ? {} : { BUS_NAME: around.bus.eventBusName }),
      },
      deadLetters: this.deadLetters,
      alarms: around.alarms,
    });
    for (const [name, table] of tables) this.allowTable(lambda, table, grants.tables[name]!);
    if (grants.workflow !== undefined) {
      const actions = grants.workflow.map((action) => `states:${action}`);
      lambda.addToRolePolicy(new PolicyStatement({ actions, resources: [around.workflowArn] }));
    }
    if (grants.bus !== undefined) around.bus.grantPutEventsTo(lambda);
    return lambda;
  }

  private table(name: string): TableV2 {
    const table = this.around.tables.get(name);
    if (table === undefined) throw new Error(`${this.contract.name} is granted the table of ${name}, which has none`);
    return table;
  }

  /** The named actions on the named table, queries of an index on that index; nothing else. */
  private allowTable(lambda: CommerceFunction, table: TableV2, granted: readonly TableAction[]): void {
    for (const [index, ofIndex] of Map.groupBy(granted, (action) => action.split(':')[1])) {
      const actions = ofIndex.map((action) => `dynamodb:${action.split(':')[0]}`);
      const resources = [index === undefined ? table.tableArn : `${table.tableArn}/index/${index}`];
      lambda.addToRolePolicy(new PolicyStatement({ actions, resources }));
    }
  }

  private addRoutes(): void {
    const api = this.functions.get('api');
    if (api === undefined) return;
    for (const { route, access } of Object.values(this.contract.operations)) this.around.api.route(route, api, access);
  }

  private addRules(): void {
    for (const [name, { type, source }] of Object.entries(this.contract.listens)) {
      if (source === undefined) throw new Error(`${this.contract.name} listens to ${type}, which nobody emits`);
      const needed = this.contract.onlyWith?.[name] ?? [];
      new Rule(this, `On${name}`, {
        description: `${this.contract.name} reacts to ${type}`,
        eventBus: this.around.bus,
        eventPattern: {
          ...{ source: [source], detailType: [type] },
          ...(needed.length === 0
            ? {}
            : { detail: { data: Object.fromEntries(needed.map((field) => [field, Match.exists()])) } }),
        },
        targets: [this.target('events')],
      });
    }
  }

  private addSchedules(): void {
    for (const [name, { everyMinutes, summary }] of Object.entries(this.contract.tasks)) {
      if (everyMinutes === undefined) continue;
      new Rule(this, `Every${everyMinutes}Minutes-${name}`, {
        description: summary,
        schedule: Schedule.rate(Duration.minutes(everyMinutes)),
        targets: [this.target('tasks', { task: name })],
      });
    }
  }

  /** New items of the table, in order. What fails is split, retried, and left in the dead letters at last. */
  private addStream(): void {
    const lambda = this.functions.get('stream');
    if (lambda === undefined) return;
    lambda.addEventSource(
      new DynamoEventSource(this.table(this.contract.name), {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        bisectBatchOnError: true,
        reportBatchItemFailures: true,
        retryAttempts: 20,
        maxRecordAge: Duration.hours(20),
        onFailure: afterRecords(this.deadLetters),
        filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })],
      }),
    );
  }

  private target(role: FunctionRole, input?: object): LambdaTarget {
    return new LambdaTarget(this.functions.get(role)!, {
      deadLetterQueue: this.deadLetters,
      retryAttempts: 8,
      maxEventAge: Duration.hours(24),
      ...(input === undefined ? {} : { event: RuleTargetInput.fromObject(input) }),
    });
  }
}

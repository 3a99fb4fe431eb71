import { Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { OUTBOX_PREFIX } from '../../shared/outbox.ts';
import { tableVariable } from '../../shared/runtime.ts';
import { afterRecords, DeadLetters } from './dead-letters.ts';
import { CommerceFunction } from './function.ts';

export interface OutboxPublisherProps {
  tables: ReadonlyMap<string, TableV2>;
  bus: EventBus;
  alarms: ITopic;
}

/** Carries outbox items from every table's stream to the bus, and every minute those that a stream left behind. */
export class OutboxPublisher extends Construct {
  private readonly props: OutboxPublisherProps;
  private readonly deadLetters: DeadLetters;

  constructor(scope: Construct, id: string, props: OutboxPublisherProps) {
    super(scope, id);
    this.props = props;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', props.alarms);
    const stream = this.addFunction('stream', 'Publishes new outbox items from the streams of all tables', []);
    const sweeper = this.addFunction('sweeper', 'Publishes outbox items that a stream left behind', ['Query']);
    for (const table of props.tables.values()) stream.addEventSource(this.eventSource(table));
    new Rule(this, 'EveryMinute', {
      description: 'Publish what is older than a minute',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaTarget(sweeper, {
          deadLetterQueue: this.deadLetters,
          retryAttempts: 2,
          maxEventAge: Duration.minutes(5),
        }),
      ],
    });
  }

  private addFunction(handler: string, description: string, reads: readonly string[]): CommerceFunction {
    const { tables, bus, alarms } = this.props;
    const lambda = new CommerceFunction(this, handler, {
      folder: 'outbox',
      handler,
      description,
      timeout: Duration.seconds(30),
      environment: {
        BUS_NAME: bus.eventBusName,
        ...Object.fromEntries([...tables].map(([name, table]) => [tableVariable(name), table.tableName])),
      },
      deadLetters: this.deadLetters,
      alarms,
    });
    bus.grantPutEventsTo(lambda);
    lambda.addToRolePolicy(
      new PolicyStatement({
        actions: [...reads, 'BatchWriteItem'].map((action) => `dynamodb:${action}`),
        resources: [...tables.values()].map(({ tableArn }) => tableArn),
        // It removes what it has published; nothing else in a table is its business.
        conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`${OUTBOX_PREFIX}*`] } },
      }),
    );
    return lambda;
  }

  private eventSource(table: TableV2): DynamoEventSource {
    return new DynamoEventSource(table, {
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 20,
      maxRecordAge: Duration.hours(20),
      onFailure: afterRecords(this.deadLetters),
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('INSERT'),
          dynamodb: { Keys: { pk: { S: FilterRule.beginsWith(OUTBOX_PREFIX) } } },
        }),
      ],
    });
  }
}

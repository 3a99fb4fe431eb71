import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { bundleDirectory } from '../build.ts';
import { afterAsyncCalls } from './dead-letters.ts';

export interface CommerceFunctionProps {
  /** Folder below `functions/`, whose bundle it runs. */
  folder: string;
  /** Name of the export of `lambda.ts`. */
  handler: string;
  description: string;
  timeout: Duration;
  environment: Record<string, string>;
  /** Where an asynchronous call goes that fails for good. */
  deadLetters?: IQueue;
  /** Who is told when it fails. Absent where the data stack has no topic yet. */
  alarms?: ITopic;
}

/** A Lambda function as all of ours are: a role of its own, JSON logs, traces, dead letters, an alarm on errors. */
export class CommerceFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: CommerceFunctionProps) {
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    super(scope, id, {
      role,
      logGroup,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 1024,
      timeout: props.timeout,
      code: Code.fromAsset(bundleDirectory(props.folder)),
      handler: `index.${props.handler}`,
      environment: props.environment,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...(props.deadLetters === undefined
        ? {}
        : { retryAttempts: 2, maxEventAge: Duration.hours(6), onFailure: afterAsyncCalls(props.deadLetters) }),
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray takes traces for no resource in particular; nothing else in the policy is a wildcard.',
    });
    Validations.of(this).acknowledge({
      id: 'Serverless::Serverless-LambdaDLQ',
      reason:
        'Asynchronous failures go to an on-failure destination, which tells more than a DLQ; the rest is synchronous.',
    });
    const alarm = new Alarm(this, 'Errors', {
      alarmDescription: `${props.folder}.${props.handler} failed; see its log group and the dead letters`,
      metric: this.metricErrors({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (props.alarms !== undefined) alarm.addAlarmAction(new SnsAction(props.alarms));
  }
}

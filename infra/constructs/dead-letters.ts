import { Duration, Validations } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { DlqDestinationConfig, IDestination, IEventSourceDlq, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** A queue of what failed for good. One message in it is an alarm: nothing may be lost unseen. */
export class DeadLetters extends Queue {
  constructor(scope: Construct, id: string, alarms: ITopic) {
    super(scope, id, { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) });
    Validations.of(this).acknowledge(
      { id: 'AwsSolutions-SQS3', reason: 'It is itself the dead-letter queue.' },
      { id: 'Serverless-SQSRedrivePolicy', reason: 'It is itself the dead-letter queue.' },
    );
    new Alarm(this, 'NotEmpty', {
      alarmDescription: `${id}: something failed for good and waits to be looked at`,
      metric: this.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(alarms));
  }
}

const letters = (queue: IQueue, sender: IFunction): DlqDestinationConfig => {
  sender.addToRolePolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
  return { destination: queue.queueArn };
};

/** Where asynchronous calls go that fail for good. The CDK's own destination lets the function look into the queue, too. */
export const afterAsyncCalls = (queue: IQueue): IDestination => ({ bind: (_scope, sender) => letters(queue, sender) });

/** Where stream records go that fail for good. */
export const afterRecords = (queue: IQueue): IEventSourceDlq => ({ bind: (_, sender) => letters(queue, sender) });

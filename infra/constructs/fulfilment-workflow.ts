import { type CfnElement, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { fulfilmentWorkflow } from '../../functions/fulfilment/workflow.ts';

export interface FulfilmentWorkflowProps {
  name: string;
  /** `functions/fulfilment`, tasks: every step that decides something. */
  tasks: IFunction;
  alarms: ITopic;
}

/** The state machine that sees one fulfilment order through: offered, answered, shipped or collected, or re-sourced. */
export class FulfilmentWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, { name, tasks, alarms }: FulfilmentWorkflowProps) {
    super(scope, id);
    const logs = new LogGroup(this, 'Logs', {
      // Step Functions delivers logs only to groups under this prefix once an account has many of them.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(fulfilmentWorkflow(tasks.functionArn))),
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
      tracingEnabled: true,
    });
    tasks.grantInvoke(this.machine);
    this.machine
      .metricFailed()
      .createAlarm(this, 'Failed', {
        alarmDescription: 'A fulfilment order ended in a way that nobody planned for',
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      })
      .addAlarmAction(new SnsAction(alarms));
    Validations.of(this.machine).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason: 'Log delivery and X-Ray know no resource in particular.',
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(tasks.node.defaultChild as CfnElement)}.Arn>:*]`,
        reason: 'The versions of the one function that the workflow calls.',
      },
    );
  }
}

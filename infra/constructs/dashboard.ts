import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Dashboard, GraphWidget, type IMetric, SingleValueWidget, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { CapabilityResources } from './capability.ts';

export interface CommerceDashboardProps {
  name: string;
  api: HttpApi;
  workflow: StateMachine;
  capabilities: readonly CapabilityResources[];
}

/** One page: the API and the workflow on top, then a row a capability. */
export class CommerceDashboard extends Construct {
  constructor(scope: Construct, id: string, { name, api, workflow, capabilities }: CommerceDashboardProps) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: name });
    dashboard.addWidgets(
      new SingleValueWidget({
        title: 'API',
        width: 12,
        metrics: [api.metricCount(), api.metricServerError(), api.metricClientError(), api.metricLatency()],
      }),
      new SingleValueWidget({
        title: 'Fulfilment',
        width: 12,
        metrics: [workflow.metricStarted(), workflow.metricSucceeded(), workflow.metricFailed()],
      }),
    );
    for (const { contract, functions } of capabilities) {
      const each = (metric: (lambda: NonNullable<ReturnType<typeof functions.get>>) => IMetric) =>
        [...functions.values()].map(metric);
      dashboard.addWidgets(
        new TextWidget({ markdown: `## ${contract.name}\n${contract.summary}`, width: 24, height: 2 }),
        new GraphWidget({ title: 'Calls', width: 8, left: each((lambda) => lambda.metricInvocations()) }),
        new GraphWidget({ title: 'Errors', width: 8, left: each((lambda) => lambda.metricErrors()) }),
        new GraphWidget({
          title: 'Duration p99',
          width: 8,
          left: each((lambda) => lambda.metricDuration({ statistic: 'p99' })),
        }),
      );
    }
  }
}

import { ArnFormat, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { CAPABILITIES } from '../functions/capabilities.ts';
import { CapabilityResources } from './constructs/capability.ts';
import { CommerceDashboard } from './constructs/dashboard.ts';
import { CommerceBus } from './constructs/event-bus.ts';
import { FulfilmentWorkflow } from './constructs/fulfilment-workflow.ts';
import { CommerceApi } from './constructs/http-api.ts';
import type { DataStack } from './data-stack.ts';

export interface CommerceStackProps extends StackProps {
  stage: string;
  data: DataStack;
  /** Who is told of alarms. */
  alarmEmail?: string | undefined;
}

/** Everything that can be replaced at any time, in the order in which data flows. */
export class CommerceStack extends Stack {
  constructor(scope: Construct, id: string, { stage, data, alarmEmail, ...props }: CommerceStackProps) {
    super(scope, id, props);
    const { tables, identity } = data;

    const alarms = new Topic(this, 'Alarms', { enforceSSL: true });
    if (alarmEmail !== undefined) alarms.addSubscription(new EmailSubscription(alarmEmail));

    // Requests come in here …
    const api = new CommerceApi(this, 'Api', identity);

    // … what they change is told on the bus …
    const { bus } = new CommerceBus(this, 'Events');

    // … each capability answers its routes and listens to the events that concern it …
    const workflowName = `ieum-${stage}-fulfilment`;
    // By name: the workflow calls a capability's function, which in turn answers the workflow.
    const workflowArn = this.formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: workflowName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const around = { stage, tables, bus, api, workflowArn, alarms };
    const capabilities = CAPABILITIES.map((contract) => new CapabilityResources(this, contract, around));

    // … and the workflow sees every fulfilment order through.
    const tasks = capabilities.find(({ contract }) => contract.name === 'fulfilment')!.functions.get('tasks')!;
    const workflow = new FulfilmentWorkflow(this, 'Fulfilment', { name: workflowName, tasks, alarms });

    new CommerceDashboard(this, 'Overview', {
      name: `ieum-${stage}`,
      api: api.api,
      workflow: workflow.machine,
      capabilities,
    });
    new CfnOutput(this, 'ApiUrl', { value: api.api.apiEndpoint });
    new CfnOutput(this, 'BusName', { value: bus.eventBusName });
    new CfnOutput(this, 'UserPoolId', { value: identity.pool.userPoolId });
    new CfnOutput(this, 'ScreensClientId', { value: identity.screens.userPoolClientId });
    new CfnOutput(this, 'ChannelsClientId', { value: identity.channels.userPoolClientId });
  }
}

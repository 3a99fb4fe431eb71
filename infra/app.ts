import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { bundleFunctions } from './build.ts';
import { CommerceStack } from './commerce-stack.ts';
import { DataStack } from './data-stack.ts';

/** Context: `-c stage=prod -c region=ap-northeast-2 -c alarmEmail=…`. A stage is a whole system of its own. */
await bundleFunctions();
const app = new App();
const text = (name: string): string | undefined => app.node.tryGetContext(name) as string | undefined;
const stage = text('stage') ?? 'dev';
if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) throw new Error(`stage "${stage}" must be 1 to 16 of a-z, 0-9 and -`);
const region = text('region') ?? process.env.CDK_DEFAULT_REGION;
const account = process.env.CDK_DEFAULT_ACCOUNT;
const env = { ...(region === undefined ? {} : { region }), ...(account === undefined ? {} : { account }) };

const data = new DataStack(app, `Ieum-${stage}-Data`, { stage, env, description: 'Ieum: tables and identities' });
new CommerceStack(app, `Ieum-${stage}`, {
  stage,
  data,
  env,
  alarmEmail: text('alarmEmail'),
  description: 'Ieum: functions, API, events, workflow',
});

Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
app.synth();

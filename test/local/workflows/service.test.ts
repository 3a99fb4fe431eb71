import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, test, vi } from 'vitest';
import { startAwsEndpoint } from '../../../infra/local/aws-endpoint.ts';
import { stepFunctions } from '../../../infra/local/workflows/service.ts';
import { createWorkflows } from '../../../infra/local/workflows.ts';
import {
  answer,
  called,
  calls,
  FULFILMENT,
  host,
  hosts,
  json,
  MACHINE,
  only,
  openDatabase,
  start,
  task,
  tokenOf,
} from './fixture.ts';

test('the SDK sees it as Step Functions', async () => {
  vi.useRealTimers();
  const workflows = host(FULFILMENT);
  const none = async () => false;
  const services = { AWSStepFunctions: stepFunctions(workflows) };
  const endpoint = await startAwsEndpoint({ services, sqs: async () => '', pages: none });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SFNClient({ endpoint: endpoint.url, region: 'ap-northeast-2', credentials, maxAttempts: 1 });
  try {
    const start = new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'o-1', input: '{"order":"o-1"}' });
    const { executionArn, startDate } = await client.send(start);
    expect(Math.abs(startDate!.getTime() - Date.now())).toBeLessThan(60_000);
    await workflows.idle();
    const output = json({ answer: 'REJECTED' });
    await client.send(new SendTaskHeartbeatCommand({ taskToken: tokenOf('offer') }));
    await client.send(new SendTaskSuccessCommand({ taskToken: tokenOf('offer'), output }));
    await workflows.idle();
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    expect(described).toMatchObject({ status: 'SUCCEEDED', name: 'o-1', stateMachineArn: MACHINE });
    expect(described.stopDate!.getTime()).toBeGreaterThanOrEqual(startDate!.getTime());
    await expect(client.send(start)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const late = new SendTaskFailureCommand({ taskToken: tokenOf('offer'), error: 'Late' });
    await expect(client.send(late)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  } finally {
    client.destroy();
    await endpoint.close();
  }
});

test('thousands of waiting executions hold neither timers nor runs', async () => {
  const workflows = host(FULFILMENT);
  for (let order = 0; order < 1_000; order++) start(workflows, { order }, `o-${order}`);
  await workflows.idle();
  expect(calls).toHaveLength(1_000);
  expect(vi.getTimerCount()).toBe(1);
  for (const call of calls.splice(0)) answer(workflows, call.token, { answer: 'REJECTED' });
  await workflows.idle();
  expect(called().every((name) => name === 'resource')).toBe(true);
  expect(workflows.list().every((execution) => execution.status === 'SUCCEEDED')).toBe(true);
  vi.advanceTimersByTime(1_801_000);
  expect(vi.getTimerCount()).toBe(0);
}, 30_000);

test('no more functions are called at once than the host allows', async () => {
  let atOnce = 0;
  let most = 0;
  const functions = {
    invoke: async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    },
  };
  const machines = [{ id: 'Close', arn: MACHINE, properties: { DefinitionString: json(only(task('close'))) } }];
  const workflows = createWorkflows({ journal: openDatabase(), machines, functions, concurrency: 4 });
  hosts.push(workflows);
  for (let order = 0; order < 50; order++) start(workflows, {}, `o-${order}`);
  await workflows.idle();
  expect(most).toBe(4);
  expect(workflows.list().every((execution) => execution.status === 'SUCCEEDED')).toBe(true);
});

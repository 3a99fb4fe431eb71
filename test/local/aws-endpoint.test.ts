import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SendTaskSuccessCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AwsEndpointOptions, refusal, startAwsEndpoint } from '../../infra/local/aws-endpoint.ts';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
  vi.restoreAllMocks();
});

async function endpoint(options: Partial<AwsEndpointOptions>) {
  const started = await startAwsEndpoint({
    services: {},
    sqs: () => Promise.reject(new Error('no queue was expected')),
    pages: async () => false,
    ...options,
  });
  open.push(started.close);
  const settings = {
    endpoint: started.url,
    region: 'ap-northeast-2',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  };
  const post = (target: string, body: string) =>
    fetch(started.url, { method: 'POST', headers: { 'x-amz-target': target }, body });
  return { ...started, settings, post };
}

describe('the endpoint for the SDK', () => {
  test('puts events and answers entry by entry', async () => {
    const bus = vi.fn(() => ({ FailedEntryCount: 1, Entries: [{ EventId: 'e1' }, { ErrorCode: 'MalformedDetail' }] }));
    const { settings } = await endpoint({ services: { AWSEvents: bus } });
    const client = new EventBridgeClient(settings);
    open.push(() => client.destroy());
    const Entries = [{ Source: 'orders', DetailType: 'order.placed.v1', Detail: '{}' }];
    const answer = await client.send(new PutEventsCommand({ Entries }));
    expect(answer).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ EventId: 'e1' }, { ErrorCode: 'MalformedDetail' }],
    });
    expect(bus).toHaveBeenCalledWith('PutEvents', { Entries });
  });

  test('starts executions and reports refusals by the name AWS gives them', async () => {
    const service = (operation: string) => {
      if (operation === 'StartExecution') return { executionArn: 'arn', startDate: 1_700_000_000 };
      throw refusal('TaskTimedOut', 'too late');
    };
    const { settings } = await endpoint({ services: { AWSStepFunctions: service } });
    const client = new SFNClient(settings);
    open.push(() => client.destroy());
    const started = await client.send(new StartExecutionCommand({ stateMachineArn: 'arn', input: '{}' }));
    expect(started.startDate).toEqual(new Date(1_700_000_000_000));
    await expect(client.send(new SendTaskSuccessCommand({ taskToken: 't', output: '{}' }))).rejects.toMatchObject({
      name: 'TaskTimedOut',
      message: 'too late',
    });
  });

  test.each([
    ['no JSON', 'AWSEvents.PutEvents', '{"Entries":', 'SerializationException'],
    ['JSON that is no object', 'AWSEvents.PutEvents', '[]', 'SerializationException'],
    ['a call of a service that is not served', 'TrentService.Encrypt', '{}', 'UnknownOperationException'],
    ['a call of what every object has', 'constructor.call', '{}', 'UnknownOperationException'],
    ['a body without end', 'AWSEvents.PutEvents', `"${'x'.repeat(2 * 1024 * 1024)}"`, 'RequestEntityTooLargeException'],
  ])('refuses %s', async (_, target, body, type) => {
    const { post } = await endpoint({ services: { AWSEvents: () => ({}) } });
    const response = await post(target, body);
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ __type: type })]);
  });

  test('answers its own failure with a 500 that the SDK may retry, and serves on', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    let calls = 0;
    const { post } = await endpoint({
      services: {
        AWSEvents: () => {
          if (calls++ === 0) throw new TypeError('a bug');
          return { FailedEntryCount: 0 };
        },
      },
    });
    expect((await post('AWSEvents.PutEvents', '{}')).status).toBe(500);
    expect((await post('AWSEvents.PutEvents', '{}')).status).toBe(200);
    expect(logged).toHaveBeenCalledOnce();
  });

  test('leaves requests without a target to the pages, and knows no others', async () => {
    const { url } = await endpoint({
      pages: async (request, response) => {
        if (request.url !== '/oauth2/token') return false;
        response.end('token');
        return true;
      },
    });
    expect(await (await fetch(`${url}/oauth2/token`, { method: 'POST', body: 'x=1' })).text()).toBe('token');
    expect((await fetch(`${url}/other`)).status).toBe(400);
  });
});

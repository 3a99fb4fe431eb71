import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EventBus } from '../../infra/local/bus.ts';
import { Deliveries } from '../../infra/local/deliveries.ts';
import { openJournal } from '../../infra/local/journal.ts';
import { Queues } from '../../infra/local/queues.ts';
import { ACCOUNT, fakeFunctions, functionArn, queueArn, REGION, resource, temporaryDirectory } from './parts.ts';

function queuesIn(dataDir: string, properties: Record<string, unknown> = {}): Queues {
  const queues = new Queues({ dataDir, region: REGION, queues: [resource('AWS::SQS::Queue', 'letters', properties)] });
  onTestFinished(() => queues.close());
  return queues;
}

it('asking for depths starts no server while no message was ever sent', async () => {
  const dataDir = temporaryDirectory();
  const empty = { name: 'letters', arn: queueArn('letters'), visible: 0, inFlight: 0, delayed: 0 };
  expect(await queuesIn(dataDir).depths()).toEqual([empty]);
  expect(existsSync(join(dataDir, 'queues'))).toBe(false);
});

it('messages outlive a restart, also when the queue has new settings', async () => {
  const dataDir = temporaryDirectory();
  const first = queuesIn(dataDir, { VisibilityTimeout: 30 });
  await first.send(queueArn('letters'), '{"n":1}', { attributes: { ERROR_CODE: 'X' } });
  await first.close();
  const second = queuesIn(dataDir, { VisibilityTimeout: 60, MessageRetentionPeriod: 1_209_600 });
  expect(await second.depths()).toMatchObject([{ visible: 1 }]);
  await second.send(queueArn('letters'), '{"n":2}');
  expect(await second.peek(queueArn('letters'))).toEqual([
    { body: '{"n":1}', attributes: { ERROR_CODE: 'X' } },
    { body: '{"n":2}', attributes: {} },
  ]);
  const answer = await call(await second.endpoint(), 'GetQueueAttributes', { AttributeNames: ['VisibilityTimeout'] });
  expect(answer).toMatchObject({ Attributes: { VisibilityTimeout: '60' } });
});

it('the queue server listens on this machine only', async () => {
  expect(new URL(await queuesIn(temporaryDirectory()).endpoint()).hostname).toBe('127.0.0.1');
});

it('an unknown queue refuses a message', async () => {
  await expect(queuesIn(temporaryDirectory()).send(queueArn('other'), '{}')).rejects.toThrow(/no queue .*other/);
});

it('an event that no target takes lies in its dead-letter queue with the reason that AWS gives', async () => {
  const dataDir = temporaryDirectory();
  const journal = openJournal(dataDir);
  const queues = queuesIn(dataDir);
  const send = queues.send.bind(queues);
  const deliveries = new Deliveries({ journal, functions: fakeFunctions(), functionResources: [], send });
  onTestFinished(async () => {
    await deliveries.close();
    journal.close();
  });
  const rule = resource('AWS::Events::Rule', 'Lost', {
    EventPattern: { source: ['ieum.orders'] },
    Targets: [{ Id: 'T', Arn: functionArn('gone'), DeadLetterConfig: { Arn: queueArn('letters') } }],
  });
  const around = { buses: [], archives: [], region: REGION, account: ACCOUNT };
  const bus = new EventBus({ journal, deliveries, rules: [rule], ...around });
  bus.putEvents([{ Source: 'ieum.orders', DetailType: 'order.placed.v1', Detail: '{"orderId":"o-1"}' }]);
  await deliveries.idle();
  const answer = (await call(await queues.endpoint(), 'ReceiveMessage', { MessageAttributeNames: ['All'] })) as {
    Messages: { Body: string; MessageAttributes: Record<string, { StringValue: string; DataType: string }> }[];
  };
  expect(answer.Messages).toHaveLength(1);
  expect(JSON.parse(answer.Messages[0]!.Body).detail).toEqual({ orderId: 'o-1' });
  expect(answer.Messages[0]!.MessageAttributes).toMatchObject({
    RULE_ARN: { StringValue: rule.arn, DataType: 'String' },
    ERROR_CODE: { StringValue: 'RESOURCE_NOT_FOUND' },
    ERROR_MESSAGE: { StringValue: expect.stringContaining(functionArn('gone')) },
  });
});

async function call(endpoint: string, operation: string, input: object): Promise<unknown> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
    body: JSON.stringify({ QueueUrl: `https://sqs.${REGION}.amazonaws.com/000000000000/letters`, ...input }),
  });
  return answer.json();
}

it('a data directory serves one process at a time and says who has it', () => {
  const dataDir = temporaryDirectory();
  const journal = openJournal(dataDir);
  expect(() => openJournal(dataDir)).toThrow(`in use by another local cloud (process ${process.pid})`);
  journal.close();
  openJournal(dataDir).close();
});

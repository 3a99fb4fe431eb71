import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openJournal } from '../../infra/local/journal.ts';
import { Queues } from '../../infra/local/queues.ts';
import { queueArn, REGION, resource, temporaryDirectory } from './parts.ts';

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

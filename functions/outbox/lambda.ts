import type { PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { type AwsApi, callerOf, functionsClient } from '../../shared/aws.ts';
import { keptConnections } from '../../shared/connection.ts';
import { required } from '../../shared/env.ts';
import type { OutboxItem } from '../../shared/outbox.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import outbox from './contract.ts';
import { type PutEvents, publish, sweep } from './publish.ts';

const connection = keptConnections();
const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random, connection });
const EVENT_BRIDGE: AwsApi = { service: 'events', target: 'AWSEvents', json: '1.1' };
const callEventBridge = callerOf<'PutEvents'>(functionsClient(process.env, EVENT_BRIDGE), EVENT_BRIDGE, {
  ...runtime,
  connection,
  clockMs: Date.now,
});
const bus = required(process.env, 'BUS_NAME');

const putEvents: PutEvents = async (entries) => {
  const { Entries = [] } = await callEventBridge<PutEventsCommandOutput>('PutEvents', {
    Entries: entries.map((entry) => ({ ...entry, EventBusName: bus })),
  });
  return Entries.map(({ ErrorCode }) => ErrorCode === undefined);
};

/** New outbox items, in order. Reports those that the bus did not take; the stream hands them over again. */
export const stream = async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const items = Records.map(({ dynamodb }) => unmarshall(dynamodb!.NewImage as never) as OutboxItem);
  const failed = await publish(runtime.tables, putEvents, items);
  return {
    batchItemFailures: [...failed].map((item) => ({ itemIdentifier: Records[item]!.dynamodb!.SequenceNumber! })),
  };
};

export const tasks = runTasks(
  outbox,
  {
    sweep: async (_, { now }) => {
      const result = await sweep(runtime.tables, putEvents, now);
      if (result.published + result.failed > 0) console.warn(JSON.stringify({ message: 'outbox swept', ...result }));
      return result;
    },
  },
  runtime,
);

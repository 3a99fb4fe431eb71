import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { OutboxItem } from '../../shared/outbox.ts';
import { createRuntime, required } from '../../shared/runtime.ts';
import { type Outgoing, type PutEvents, publish, sweep } from './publish.ts';

const { tables, now } = createRuntime({
  env: process.env,
  clockMs: Date.now,
  random: Math.random,
  physicalNames: true,
});
const eventBridge = new EventBridgeClient({});
const bus = required(process.env, 'BUS_NAME');
const tableNames = Object.entries(process.env).flatMap(([name, value]) =>
  name.startsWith('TABLE_') && value !== undefined ? [value] : [],
);

const putEvents: PutEvents = async (entries) => {
  const { Entries = [] } = await eventBridge.send(
    new PutEventsCommand({ Entries: entries.map((entry) => ({ ...entry, EventBusName: bus })) }),
  );
  return Entries.map(({ ErrorCode }) => ErrorCode === undefined);
};

/** `arn:…:table/NAME/stream/…` */
const tableOf = (streamArn: string): string => streamArn.split('/')[1]!;

/** Stream of every table, filtered to new outbox items. Reports the items that the bus did not take. */
export const stream = async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const items: Outgoing[] = Records.map(({ dynamodb, eventSourceARN }) => {
    const { pk, sk, entries } = unmarshall(dynamodb!.NewImage as never) as OutboxItem;
    return { table: tableOf(eventSourceARN!), key: { pk, sk }, entries };
  });
  const failed = await publish(tables, putEvents, items);
  return {
    batchItemFailures: [...failed].map((item) => ({ itemIdentifier: Records[item]!.dynamodb!.SequenceNumber! })),
  };
};

/** Every minute: what the streams left behind. */
export const sweeper = async (): Promise<void> => {
  const result = await sweep(tables, putEvents, tableNames, now());
  if (result.published > 0 || result.failed > 0) console.warn(JSON.stringify({ message: 'outbox swept', ...result }));
};

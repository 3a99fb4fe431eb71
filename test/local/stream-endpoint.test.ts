import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpointSource } from '../../infra/local/stream-endpoint.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

it('reads a stream of another endpoint to its end, while it grows past the end that its shard states', async () => {
  const TableName = 'told';
  await engine.client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  const documents = DynamoDBDocumentClient.from(engine.client);
  const { protocol, hostname, port } = await engine.client.config.endpoint!();
  const source = endpointSource(`${protocol}//${hostname}:${port}`);
  const stream = {
    table: TableName,
    arn: 'arn:aws:dynamodb:test:1:table/told/stream/1',
    region: 'test',
    viewType: 'NEW_IMAGE',
  };
  const seen: unknown[] = [];
  let after = 0;
  const readAll = async (): Promise<void> => {
    for (;;) {
      const records = await source.read(stream, after, 3);
      if (records.length === 0) return;
      seen.push(...records.map(({ dynamodb }) => (dynamodb.Keys as { pk: { S: string } }).pk.S));
      after = Number(records.at(-1)!.dynamodb.SequenceNumber);
    }
  };
  const expected: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    for (let at = 0; at < 5; at += 1) {
      expected.push(`${round}-${at}`);
      await documents.send(new PutCommand({ TableName, Item: { pk: `${round}-${at}` } }));
    }
    await readAll();
    expect(seen).toEqual(expected);
  }
});

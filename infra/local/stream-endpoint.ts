import { callDynamoDb, callDynamoDbStreams } from './dynamodb-wire.ts';
import type { Stream, StreamRecord, StreamSource } from './stream-source.ts';

interface Shard {
  ShardId: string;
  SequenceNumberRange: { StartingSequenceNumber?: string; EndingSequenceNumber?: string };
}

type ApiRecord = Omit<StreamRecord, 'eventSourceARN'>;

const MAXIMUM_RECORDS = 1_000;
/** Pages without a record that are followed in one read; a shard may have many in a row. */
const MAXIMUM_EMPTY_PAGES = 10;

/**
 * Reads the streams of another DynamoDB endpoint (COMMERCE_DYNAMODB_ENDPOINT) through its API. For one
 * endpoint on this machine with sequence numbers below 2^53, as DynamoDB Local's; AWS itself has Lambda for this.
 */
export function endpointSource(endpoint: string): StreamSource {
  const arns = new Map<string, Promise<string>>();
  const arnOf = (table: string): Promise<string> => {
    const known = arns.get(table) ?? streamArn(endpoint, table);
    arns.set(table, known);
    return known;
  };
  const read = async (table: string, after: number, limit: number): Promise<ApiRecord[]> => {
    const arn = await arnOf(table);
    const shards = await shardsOf(endpoint, arn);
    for (const shard of shards) {
      const { EndingSequenceNumber: end } = shard.SequenceNumberRange;
      // The newest shard still grows, whatever end an endpoint states for it: dynoxide's is behind its records.
      if (shard !== shards.at(-1) && end !== undefined && positionOf(end) <= after) continue;
      const records = await readShard(endpoint, { arn, shard, after, limit });
      if (records.length > 0) return records;
    }
    return [];
  };
  let records = 0;
  return {
    mustAsk: true,
    head: async () => records,
    read: async ({ table, arn, region }: Stream, after, limit) => {
      const page = await read(table, after, limit);
      records += page.length;
      return page.map((record) => ({ ...record, awsRegion: region, eventSourceARN: arn }));
    },
    latest: async (table) => {
      let last = 0;
      for (;;) {
        const newest = (await read(table, last, MAXIMUM_RECORDS)).at(-1);
        if (!newest) return last;
        last = positionOf(newest.dynamodb.SequenceNumber);
      }
    },
    trim: async () => {},
    close: () => {},
  };
}

async function streamArn(endpoint: string, TableName: string): Promise<string> {
  const { Table } = await callDynamoDb<{ Table: { LatestStreamArn?: string } }>(endpoint, 'DescribeTable', {
    TableName,
  });
  if (Table.LatestStreamArn) return Table.LatestStreamArn;
  throw new Error(`Table ${TableName} at ${endpoint} has no stream: remove it there, so that it is created anew`);
}

/** Oldest first. */
async function shardsOf(endpoint: string, StreamArn: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let from: string | undefined;
  do {
    const { StreamDescription: page } = await callDynamoDbStreams<{
      StreamDescription: { Shards: Shard[]; LastEvaluatedShardId?: string };
    }>(endpoint, 'DescribeStream', { StreamArn, ...(from === undefined ? {} : { ExclusiveStartShardId: from }) });
    shards.push(...page.Shards);
    from = page.LastEvaluatedShardId;
  } while (from !== undefined);
  return shards.sort((a, b) => startOf(a) - startOf(b));
}

async function readShard(
  endpoint: string,
  { arn, shard, after, limit }: { arn: string; shard: Shard; after: number; limit: number },
): Promise<ApiRecord[]> {
  let iterator = await iteratorOf(endpoint, arn, shard, after);
  for (let empty = 0; iterator !== undefined && empty < MAXIMUM_EMPTY_PAGES; ) {
    const page: { Records: ApiRecord[]; NextShardIterator?: string } = await callDynamoDbStreams(
      endpoint,
      'GetRecords',
      {
        ShardIterator: iterator,
        Limit: Math.min(limit, MAXIMUM_RECORDS),
      },
    );
    const records = page.Records.filter(({ dynamodb }) => positionOf(dynamodb.SequenceNumber) > after);
    if (records.length > 0) return records;
    if (page.Records.length === 0) empty += 1;
    iterator = page.NextShardIterator;
  }
  return [];
}

/** Goes on after our place if the shard holds it, else from the shard's beginning. */
async function iteratorOf(endpoint: string, arn: string, shard: Shard, after: number): Promise<string | undefined> {
  const { StartingSequenceNumber: start } = shard.SequenceNumberRange;
  const isInside = start !== undefined && after >= positionOf(start);
  // The number must be written as the endpoint writes it: padded as the shard's first is.
  const place = isInside
    ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: String(after).padStart(start.length, '0') }
    : { ShardIteratorType: 'TRIM_HORIZON' };
  const input = { StreamArn: arn, ShardId: shard.ShardId, ...place };
  return (await callDynamoDbStreams<{ ShardIterator?: string }>(endpoint, 'GetShardIterator', input)).ShardIterator;
}

const startOf = ({ SequenceNumberRange: { StartingSequenceNumber: start } }: Shard): number =>
  start === undefined ? 0 : positionOf(start);

function positionOf(sequenceNumber: string): number {
  const position = Number(sequenceNumber);
  if (!Number.isSafeInteger(position))
    throw new Error(`Stream position ${sequenceNumber} is beyond what is counted here`);
  return position;
}

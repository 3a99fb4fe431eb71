import { type AwsApi, type AwsClient, callerOf, type Surroundings } from './aws.ts';

/** Operations of DynamoDB that tables are made of. */
export type DynamoOperation =
  | 'GetItem'
  | 'Query'
  | 'TransactGetItems'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'TransactWriteItems'
  | 'BatchWriteItem';

/** One call, in DynamoDB's own JSON. Tests wrap it to count, fail, delay or lose calls. */
export type Send = <O>(operation: DynamoOperation, input: object) => Promise<O>;

export const DYNAMODB: AwsApi = { service: 'dynamodb', target: 'DynamoDB_20120810', json: '1.0' };

export const senderOf = (client: AwsClient, around: Surroundings): Send => callerOf(client, DYNAMODB, around);

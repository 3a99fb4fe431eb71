import type { Resource } from '../../infra/local/template.ts';

/** A table as CDK's TableV2 synthesizes it. */
export const orders = (properties: Record<string, unknown> = {}): Resource => ({
  stack: 'Ieum-test',
  id: 'Orders',
  type: 'AWS::DynamoDB::GlobalTable',
  name: 'Orders',
  arn: 'arn:aws:dynamodb:ap-northeast-2:000000000000:table/Orders',
  properties: {
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'customer', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byCustomer',
        KeySchema: [{ AttributeName: 'customer', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    Replicas: [{ Region: 'ap-northeast-2', PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
    ...properties,
  },
});

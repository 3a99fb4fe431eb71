import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Capability } from '../../shared/contract.ts';

const text = (name: string) => ({ name, type: AttributeType.STRING });

/** The one table of a capability: kept when the stack goes, restorable to any second of the last 35 days. */
export class CapabilityTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, contract: Capability) {
    super(scope, contract.name);
    this.table = new TableV2(this, 'Table', {
      partitionKey: text('pk'),
      sortKey: text('sk'),
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      timeToLiveAttribute: 'expiresAt',
      ...(contract.table?.stream === true ? { dynamoStream: StreamViewType.NEW_IMAGE } : {}),
      globalSecondaryIndexes: Object.entries(contract.table?.indexes ?? {}).map(([indexName, { project }]) => ({
        indexName,
        partitionKey: text(`${indexName}Pk`),
        sortKey: text(`${indexName}Sk`),
        ...(project === 'keys'
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...project] }),
      })),
    });
  }
}

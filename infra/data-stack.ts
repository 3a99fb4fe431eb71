import { Stack, type StackProps } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { CAPABILITIES } from '../functions/capabilities.ts';
import { Identity } from './constructs/identity.ts';
import { CapabilityTable } from './constructs/table.ts';

/** What holds data, and so outlives every release: the capabilities' tables and who people are. */
export class DataStack extends Stack {
  readonly tables: ReadonlyMap<string, TableV2>;
  readonly identity: Identity;

  constructor(scope: Construct, id: string, { stage, ...props }: StackProps & { stage: string }) {
    super(scope, id, { ...props, terminationProtection: true });
    const withTable = CAPABILITIES.filter(({ table }) => table !== undefined);
    this.tables = new Map(withTable.map((contract) => [contract.name, new CapabilityTable(this, contract).table]));
    this.identity = new Identity(this, 'identity', stage);
  }
}

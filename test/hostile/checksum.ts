import { createHash } from 'node:crypto';
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';

/** Attributes in one order, however the engine gives them. */
const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** One number for everything that these tables hold. */
export const checksumOf = async (client: DynamoDBClient, tableNames: readonly string[]): Promise<string> => {
  const hash = createHash('sha256');
  for (const TableName of tableNames) {
    const rows: string[] = [];
    let start: Record<string, never> | undefined;
    do {
      const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey: start }));
      rows.push(...(page.Items ?? []).map((item) => JSON.stringify(item, inOrder)));
      start = page.LastEvaluatedKey as typeof start;
    } while (start !== undefined);
    hash.update(`${TableName}\n${rows.sort().join('\n')}\n`);
  }
  return hash.digest('hex');
};

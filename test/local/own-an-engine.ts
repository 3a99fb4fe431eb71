/** Started by engine.test.ts, which kills it: says the engine's process id, then each order that was written. */
import { writeSync } from 'node:fs';
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts';
import { startEngine } from '../../infra/local/engine.ts';
import { orders } from './orders-table.ts';

const { endpoint, pid } = await startEngine({ dataDir: process.argv[2]!, tables: [orders()] });
writeSync(1, `${pid}\n`);
for (let n = 0; ; n += 1) {
  const Item = { pk: { S: `o-${n}` }, sk: { S: 'order' } };
  await callDynamoDb(endpoint, 'PutItem', { TableName: 'Orders', Item });
  writeSync(1, `o-${n}\n`);
}

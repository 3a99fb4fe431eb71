/** Started by streams.test.ts, which kills it: handles the first record and never ends with the second. */
import { writeSync } from 'node:fs';
import { openJournal } from '../../infra/local/journal.ts';
import { engineFileSource } from '../../infra/local/stream-source.ts';
import { Streams } from '../../infra/local/streams.ts';
import type { Resource } from '../../infra/local/template.ts';
import { orders } from './orders-table.ts';

const [, , dataDir = '', file = ''] = process.argv;
const mapping: Resource = {
  stack: 's',
  id: 'm',
  type: 'AWS::Lambda::EventSourceMapping',
  name: 'm',
  arn: 'm',
  properties: { EventSourceArn: `${orders().arn}/stream/local`, FunctionName: 'outbox', BatchSize: 1 },
};
let calls = 0;
const streams = new Streams({
  journal: openJournal(dataDir),
  source: engineFileSource(file),
  mappings: [mapping],
  tables: [orders()],
  functions: {
    invoke: async () => {
      calls += 1;
      if (calls === 1) return;
      writeSync(1, 'o-1 handled\no-2 begun\n');
      await new Promise(() => {});
    },
  },
  send: async () => {},
});
await streams.start();

/** Started by bus.test.ts, which kills it: puts events, says each acknowledged id, and never delivers any. */
import { writeSync } from 'node:fs';
import { EventBus } from '../../infra/local/bus.ts';
import { Deliveries } from '../../infra/local/deliveries.ts';
import { openJournal } from '../../infra/local/journal.ts';
import type { Resource } from '../../infra/local/template.ts';

const journal = openJournal(process.argv[2]!);
const target = { Id: 'T', Arn: 'arn:aws:lambda:ap-northeast-2:000000000000:function:f' };
const properties = { EventPattern: { source: ['test'] }, Targets: [target] };
const rule: Resource = {
  stack: 's',
  id: 'r',
  type: 'AWS::Events::Rule',
  name: 'r',
  arn: 'arn:aws:events:r:a:rule/r',
  properties,
};
const deliveries = new Deliveries({
  journal,
  functions: { invoke: () => new Promise(() => {}) },
  send: async () => {},
});
const bus = new EventBus({ journal, deliveries, buses: [], rules: [rule], archives: [], region: 'r', account: 'a' });
setInterval(() => {
  const { Entries } = bus.putEvents([{ Source: 'test', DetailType: 'test', Detail: '{}' }]);
  writeSync(1, `${Entries[0]?.EventId}\n`);
}, 1);

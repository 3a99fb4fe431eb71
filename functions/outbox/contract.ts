import { capability, task } from '../../shared/contract.ts';

export default capability({
  name: 'outbox',
  summary: 'What was changed and has to be told: written with the change, published from the stream, then removed.',
  table: { indexes: {}, stream: true },
  tasks: { sweep: task({ summary: 'Publishes what the stream left behind.', everyMinutes: 1 }) },
  grants: {
    stream: { tables: { outbox: ['BatchWriteItem'] }, bus: ['PutEvents'] },
    tasks: { tables: { outbox: ['Query', 'BatchWriteItem'] }, bus: ['PutEvents'] },
  },
});

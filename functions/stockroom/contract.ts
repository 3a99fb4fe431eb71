import { capability } from '../../shared/contract.ts';
import { advices } from './contract/advices.ts';
import { counts } from './contract/counts.ts';
import { rfid } from './contract/rfid.ts';
import { transfers } from './contract/transfers.ts';
import { emits } from './emits.ts';

export default capability({
  name: 'stockroom',
  summary: 'Work of stores and warehouses: receiving, transfers, counts by hand and by radio, short picks.',
  table: { indexes: {} },
  operations: { ...advices, ...transfers, ...counts, ...rfid },
  emits,
  listens: { SessionClosed: emits.SessionClosed },
  grants: {
    api: {
      tables: {
        stockroom: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
        inventory: ['GetItem', 'Query:byTime', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
        outbox: ['PutItem'],
      },
    },
    events: {
      tables: {
        stockroom: ['GetItem', 'PutItem'],
        inventory: ['GetItem', 'Query:byTime', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
        outbox: ['PutItem'],
      },
    },
  },
});

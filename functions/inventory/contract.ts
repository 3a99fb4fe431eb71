import { capability, task } from '../../shared/contract.ts';
import fulfilment from '../fulfilment/contract.ts';
import { availability } from './contract/availability.ts';
import { books } from './contract/books.ts';
import { discrepancies } from './contract/discrepancies.ts';
import { holds } from './contract/holds.ts';
import { policies } from './contract/policies.ts';
import { emits } from './emits.ts';

export default capability({
  name: 'inventory',
  summary: 'One stock: what every node holds of every SKU, what is held and promised, and the ledger of every change.',
  table: { indexes: { byTime: { project: 'keys' }, byNode: { project: 'keys' }, due: { project: 'keys' } } },
  operations: { ...availability, ...holds, ...books, ...policies, ...discrepancies },
  emits,
  listens: { LowStockSuspected: emits.LowStockSuspected, Rejected: fulfilment.emits.Rejected },
  tasks: {
    expireHolds: task({ summary: 'Give back what is held past its time.', everyMinutes: 1 }),
    tendShards: task({ summary: 'Spread what buyers queue for, and even out what is spread.', everyMinutes: 1 }),
  },
  grants: {
    api: {
      tables: {
        inventory: [
          'GetItem',
          'Query',
          'Query:byTime',
          'Query:due',
          'PutItem',
          'UpdateItem',
          'DeleteItem',
          'ConditionCheckItem',
        ],
        network: ['Query'],
        catalog: ['GetItem'],
        outbox: ['PutItem'],
      },
    },
    events: { tables: { inventory: ['GetItem', 'PutItem', 'UpdateItem'], outbox: ['PutItem'] } },
    tasks: {
      tables: {
        inventory: [
          'GetItem',
          'Query',
          'Query:due',
          'PutItem',
          'UpdateItem',
          'DeleteItem',
          'ConditionCheckItem',
          'BatchWriteItem',
        ],
        outbox: ['PutItem'],
      },
    },
  },
});

import type { Attributes, Key, Part } from '../../shared/table.ts';
import type { Bug } from './bugs.ts';
import { both, forgetting, reading, rewriting, without, writing } from './planting.ts';

type Item = Attributes & Key;

const itemOf = (write: Part['write']): Item => (write as { item: Item }).item;
const addOf = (part: Part): Record<string, number> => (part.write.kind === 'update' ? (part.write.add ?? {}) : {});

const withItem =
  (change: (item: Item) => Attributes) =>
  (write: Part['write']): Part['write'] =>
    write.kind === 'put' ? { kind: 'put', item: { ...write.item, ...change(write.item) } } : write;

const INVENTORY = 'inventory';
const LEVEL = { table: INVENTORY, pk: 'SKU#' } as const;

/** Mistakes with holds. */
const HOLDS: Bug[] = [
  {
    name: 'a hold is given back as often as somebody asks',
    tables: both(
      without({ table: INVENTORY, pk: 'HOLD#' }, 'one-of', 'version'),
      without({ table: INVENTORY, pk: 'LEDGER#', sk: /^hld_.*#RESOLVED$/ }, 'absent'),
      reading('inventory.', (tables) => ({
        get: async (table, key) => {
          const item = await tables.get<object>(table, key);
          const isHold = key.pk.startsWith('HOLD#') && item !== undefined;
          return (isHold ? { ...item, status: 'HELD' } : item) as never;
        },
      })),
    ),
  },
  {
    name: 'an order takes the units of a hold and leaves the hold',
    tables: forgetting({ table: INVENTORY, pk: 'HOLD#', at: 'orders.api' }),
  },
  {
    name: 'the sweep gives units back and leaves the hold',
    tables: forgetting({ table: INVENTORY, pk: 'HOLD#', at: 'inventory.tasks' }),
  },
  {
    name: 'the sweep ends a hold and keeps its units',
    tables: both(
      forgetting({ table: INVENTORY, pk: 'LEDGER#', sk: /^hld_.*#RESOLVED$/, at: 'inventory.tasks' }),
      rewriting({ ...LEVEL, at: 'inventory.tasks' }, (part) => ((addOf(part).reserved ?? 0) < 0 ? [] : [part])),
    ),
  },
  {
    name: 'holds never fall due',
    tables: writing(
      { table: INVENTORY, pk: 'HOLD#', kind: 'put' },
      withItem(() => ({ duePk: undefined })),
    ),
  },
  {
    name: 'a hold that is extended is swept when it was due before',
    tables: both(
      writing({ table: INVENTORY, pk: 'HOLD#', kind: 'update', at: 'inventory.api' }, (write) =>
        write.kind === 'update' && write.set?.heldUntil !== undefined
          ? { ...write, set: { version: write.set.version } }
          : write,
      ),
    ),
  },
  {
    name: 'units are held without asking whether they are there',
    tables: without({ ...LEVEL, at: 'inventory.api' }, 'at-least'),
  },
  {
    name: 'anybody sees a hold',
    operations: (capability, handlers) =>
      capability !== 'inventory'
        ? handlers
        : {
            ...handlers,
            heldBy: async (input: unknown, request: { principal: object }) => {
              for (const id of Array.from({ length: 10 }, (_, index) => `customer-${index + 1}`)) {
                const seen = await handlers.heldBy(input, { ...request, principal: { ...request.principal, id } });
                if (seen.ok) return seen;
              }
              return handlers.heldBy(input, request);
            },
          },
  },
];

/** Mistakes with shards. */
const SHARDS: Bug[] = [
  {
    name: 'what is released goes back to the first shard, whichever it came from',
    tables: reading('orders.tasks', (tables) => ({
      snapshot: async (reads) =>
        (await tables.snapshot(reads)).map((item, at) =>
          reads[at]!.key.pk.startsWith('LEDGER#') && item !== undefined ? { ...item, shards: undefined } : item,
        ),
      get: async (table, key) => {
        const item = await tables.get<object>(table, key);
        return (key.pk.startsWith('LEDGER#') && item !== undefined ? { ...item, shards: undefined } : item) as never;
      },
    })),
  },
  {
    name: 'the ledger does not say from which shards units came',
    tables: writing(
      { table: INVENTORY, pk: 'LEDGER#' },
      withItem(() => ({ shards: undefined })),
    ),
  },
  {
    name: 'units come to a shard and leave none',
    tables: rewriting({ ...LEVEL, at: 'inventory.' }, (part) =>
      (addOf(part).onHand ?? 0) < 0 && (addOf(part).available ?? 0) < 0 ? [] : [part],
    ),
  },
  {
    name: 'a shard is given up with what lies on it',
    tables: both(
      without({ ...LEVEL, at: 'inventory.' }, 'version', 'without'),
      rewriting({ ...LEVEL, at: 'inventory.api' }, (part) =>
        part.write.kind === 'update' && part.write.key.pk.split('#').length === 3 && (addOf(part).onHand ?? 0) < 0
          ? []
          : [part],
      ),
    ),
  },
  {
    name: 'sold out is said after a look at the first shards',
    tables: reading('orders.api', (tables) => ({
      query: async (table, input) =>
        /^SKU#[^#]+#/.test(input.pk) ? ({ items: [] } as never) : tables.query(table, input),
      snapshot: async (reads) =>
        (await tables.snapshot(reads)).map((item, at) => (/^SKU#[^#]+#/.test(reads[at]!.key.pk) ? undefined : item)),
    })),
  },
];

/** Mistakes with what happens at tills and in stockrooms. */
const HAPPENED: Bug[] = [
  {
    name: 'a sale below zero opens no discrepancy',
    tables: forgetting({ table: INVENTORY, pk: 'DISCREPANCY#', kind: 'put', at: 'tills.api' }),
  },
  {
    name: 'a sale of a journal is booked as often as it is sent',
    tables: both(
      without({ table: 'tills' }, 'absent'),
      writing({ table: INVENTORY, pk: 'LEDGER#', at: 'tills.api' }, (write) => {
        const item = itemOf(write);
        return {
          kind: 'put',
          item: { ...item, sk: `${item.sk}/${Math.round(Number(item.at ? Date.parse(String(item.at)) : 0))}` },
        };
      }),
      reading('tills.api', (tables) => ({
        snapshot: async (reads) =>
          (await tables.snapshot(reads)).map((item, at) =>
            /^(ENTRY|SALE)#/.test(reads[at]!.key.sk) ? undefined : item,
          ),
      })),
    ),
  },
  {
    name: 'a sale of a journal is on record and moves no stock',
    tables: forgetting({ table: INVENTORY, at: 'tills.api' }),
  },
  {
    name: 'what comes back over the counter is sold once more',
    tables: both(
      writing(
        { table: INVENTORY, pk: 'LEDGER#', at: 'tills.api' },
        withItem((item) =>
          item.kind === 'RETURN' ? { onHand: -Number(item.onHand), available: -Number(item.available) } : {},
        ),
      ),
      rewriting({ ...LEVEL, at: 'tills.api' }, (part) => {
        const { onHand = 0, available = 0, version = 0 } = addOf(part);
        return part.write.kind === 'update' && onHand > 0
          ? [{ ...part, write: { ...part.write, add: { onHand: -onHand, available: -available, version } } }]
          : [part];
      }),
    ),
  },
  {
    name: 'a transfer that was shipped is not on its way',
    tables: rewriting({ table: INVENTORY, pk: 'SUPPLY#', kind: 'put', at: 'stockroom.api' }, () => []),
  },
  {
    name: 'what arrived of a transfer is still expected',
    tables: forgetting({ table: INVENTORY, pk: 'SUPPLY#', kind: 'delete', at: 'stockroom.api' }),
  },
  {
    name: 'a delivery is booked as often as it is sent',
    tables: both(
      without({ table: 'stockroom' }, 'absent', 'version'),
      without({ table: INVENTORY, pk: 'LEDGER#', at: 'stockroom.api' }, 'absent'),
      reading('stockroom.api', (tables) => ({
        get: async (table, key) => (/DELIVERY/.test(key.sk) ? (undefined as never) : tables.get(table, key)),
        snapshot: async (reads) =>
          (await tables.snapshot(reads)).map((item, at) => (/DELIVERY/.test(reads[at]!.key.sk) ? undefined : item)),
      })),
    ),
  },
  {
    name: 'damaged units that arrive are for sale',
    tables: both(forgetting({ table: INVENTORY, pk: 'LEDGER#', sk: /#DAMAGED$/, at: 'stockroom.api' })),
  },
  {
    name: 'a level that fell below zero is written without its version',
    tables: without({ ...LEVEL, at: 'tills.api' }, 'version', 'without', 'at-least'),
  },
  {
    name: 'a threshold is told with every movement below it',
    tables: both(
      without({ ...LEVEL, at: 'inventory.events' }, 'one-of', 'without'),
      reading('inventory.events', (tables) => ({
        snapshot: async (reads) =>
          (await tables.snapshot(reads)).map((item) => (item === undefined ? item : { ...item, isLow: false })),
        get: async (table, key) => {
          const item = await tables.get<object>(table, key);
          return (item === undefined ? item : { ...item, isLow: false }) as never;
        },
      })),
    ),
  },
];

/** At least twenty of what can go wrong with stock: each has to be caught. */
export const STOCK_BUGS: readonly Bug[] = [...HOLDS, ...SHARDS, ...HAPPENED];

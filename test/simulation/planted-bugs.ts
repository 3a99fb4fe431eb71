import { OUTBOX, type OutboxEntry } from '../../shared/outbox.ts';
import type { Attributes, Key, Part } from '../../shared/table.ts';
import type { Bug } from './bugs.ts';
import { STOCK_BUGS } from './planted-stock-bugs.ts';
import { both, forgetting, reading, rewriting, without, writing } from './planting.ts';

type Item = Attributes & Key;
type Line = { sku: string };

/** The last line of each SKU, as a map by SKU would keep it. */
const lastOfEach = (lines: readonly Line[]): Line[] => [...new Map(lines.map((line) => [line.sku, line])).values()];

const entriesOf = (parts: readonly Part[]): OutboxEntry[] =>
  parts.flatMap(({ table, write }) =>
    table === OUTBOX && write.kind === 'put' ? (write.item.entries as OutboxEntry[]) : [],
  );
const asBusEntries = (entries: readonly OutboxEntry[]) =>
  entries.map(({ source, type, detail }) => ({ Source: source, DetailType: type, Detail: detail }));

const withoutAdd = (name: string) => (write: Part['write']) => {
  if (write.kind !== 'update') return write;
  const { [name]: _, ...add } = write.add ?? {};
  return { ...write, add };
};

const otherKey = (write: Part['write'], key: Key): Part['write'] =>
  write.kind === 'put' ? { ...write, item: { ...write.item, ...key } } : { ...write, key };

const STOCK: Bug[] = [
  {
    name: 'stock is promised without asking whether it is there',
    tables: without({ table: 'inventory', kind: 'update' }, 'at-least'),
  },
  { name: 'stock moves without an entry in the ledger', tables: forgetting({ table: 'inventory', pk: 'LEDGER#' }) },
  {
    name: 'a stock level keeps its version',
    tables: writing({ table: 'inventory', pk: 'SKU#' }, withoutAdd('version')),
  },
  {
    name: 'stock is promised at another node than the one that was confirmed',
    tables: writing({ table: 'inventory', pk: 'SKU#', at: 'orders.api' }, (write) =>
      write.kind === 'update' ? otherKey(write, { ...write.key, sk: 'NODE#store-gangnam' }) : write,
    ),
  },
  { name: 'an order that expires keeps its stock', tables: forgetting({ table: 'inventory', at: 'orders.tasks' }) },
  {
    name: 're-sourcing keeps the old promise',
    tables: both(
      forgetting({ table: 'inventory', pk: 'LEDGER#', sk: /#RESOLVED$/, at: 'fulfilment.tasks' }),
      rewriting({ table: 'inventory', pk: 'SKU#', at: 'fulfilment.tasks' }, (part) =>
        part.write.kind === 'update' && (part.write.add?.allocated ?? 0) < 0 ? [] : [part],
      ),
    ),
  },
  {
    name: 'lines of one SKU are not summed when goods are received',
    operations: (capability, handlers) =>
      capability !== 'inventory'
        ? handlers
        : {
            ...handlers,
            receive: (input: { lines: Line[] }, request: unknown) =>
              handlers.receive({ ...input, lines: lastOfEach(input.lines) }, request),
          },
  },
  {
    name: 'lines of one SKU are not summed when a channel orders',
    operations: (capability, handlers) =>
      capability !== 'orders'
        ? handlers
        : {
            ...handlers,
            placeForChannel: (input: { lines: Line[] }, request: unknown) =>
              handlers.placeForChannel({ ...input, lines: lastOfEach(input.lines) }, request),
          },
  },
  {
    name: 'sold out is said when one node has too few',
    tables: reading('orders.api', (tables) => ({
      query: async (table, input) => {
        const page = await tables.query(table, input);
        return (input.pk.startsWith('SKU#') ? { ...page, items: page.items.slice(0, 1) } : page) as never;
      },
    })),
  },
];

const EVENTS: Bug[] = [
  { name: 'the inbox is skipped', tables: rewriting({ table: 'inventory', pk: 'INBOX#' }, () => []) },
  {
    name: 'the inbox knows the aggregate and not its version',
    tables: both(
      ...['orders', 'payments', 'loyalty', 'inventory'].map((table) =>
        writing({ table, pk: 'INBOX#' }, (write) => {
          const [, , ...id] = (write as { item: Item }).item.pk.split('#');
          return otherKey(write, { pk: `INBOX#${id[0]}`, sk: 'SEEN' });
        }),
      ),
    ),
  },
  {
    name: 'events are published before the commit',
    tables: (tables, _place, { bus }) => ({
      ...tables,
      commit: (parts) => {
        bus.put(asBusEntries(entriesOf(parts)));
        return tables.commit(parts);
      },
    }),
  },
  {
    name: 'events are published after the commit, without an outbox',
    tables: (tables, _place, { bus }) => ({
      ...tables,
      commit: async (parts) => {
        const committed = await tables.commit(parts.filter(({ table }) => table !== OUTBOX));
        if (!committed.ok) return committed;
        for (const { detail } of entriesOf(parts)) bus.committed.set(bus.keyOf(detail), detail);
        bus.put(asBusEntries(entriesOf(parts)));
        return committed;
      },
    }),
  },
  {
    name: 'an outbox item is removed before it is published',
    publish: async (tables, putEvents, items) => {
      await tables.discard(
        OUTBOX,
        items.map(({ pk, sk }) => ({ pk, sk })),
      );
      for (const { entries } of items) await putEvents(asBusEntries(entries));
      return new Set();
    },
  },
  {
    name: 'outbox items lie in a shard that no sweep looks into',
    tables: writing({ table: OUTBOX }, (write) =>
      otherKey(write, { pk: 'OUTBOX#99', sk: (write as { item: Item }).item.sk }),
    ),
  },
  {
    name: 'PutEvents is not checked entry by entry',
    putEvents: (put) => async (entries) => (await put(entries)).map(() => true),
  },
  { name: 'an event that fails once is not tried again', forgetsFailedEvents: true },
  { name: 'a write that met a conflict is taken for done', ignoresConflicts: true },
];

const ORDERS: Bug[] = [
  {
    name: 'expiry does not ask whether the order was paid',
    tables: without({ table: 'orders', at: 'orders.tasks' }, 'one-of'),
  },
  {
    name: 'payment does not ask whether the order has expired',
    tables: without({ table: 'orders', at: 'payments.', kind: 'update' }, 'one-of'),
  },
  {
    name: 'the progress of an order is saved over that of others',
    tables: without({ table: 'orders', at: 'orders.events' }, 'version'),
  },
  {
    name: 'answers are not remembered',
    tables: both(...['orders', 'payments', 'inventory'].map((table) => forgetting({ table, pk: 'IDEMPOTENCY#' }))),
  },
  {
    name: 'answers are remembered by key alone, whoever asked',
    tables: (tables) => {
      const anonymous = (key: Key): Key => ({ ...key, pk: key.pk.replace(/^IDEMPOTENCY#[^#]+/, 'IDEMPOTENCY#') });
      return {
        ...tables,
        get: (table, key) => tables.get(table, anonymous(key)),
        commit: (parts) =>
          tables.commit(
            parts.map((part) =>
              part.write.kind === 'put' ? { ...part, write: otherKey(part.write, anonymous(part.write.item)) } : part,
            ),
          ),
      };
    },
  },
  { name: 'an order does not take its cart', tables: forgetting({ table: 'carts', at: 'orders.api' }) },
  {
    name: 'a channel may use its reference twice',
    tables: both(
      forgetting({ table: 'orders', pk: 'CHANNEL#' }),
      reading('orders.api', (tables) => ({
        get: async (table, key) => (key.pk.startsWith('CHANNEL#') ? undefined : tables.get(table, key)),
      })),
    ),
  },
  {
    name: 'an order and its stock are two transactions',
    tables: (tables, place) =>
      place !== 'orders.api'
        ? tables
        : {
            ...tables,
            commit: async (parts) => {
              const stock = parts.filter(({ table }) => table === 'inventory');
              const first = await tables.commit(stock);
              return first.ok ? tables.commit(parts.filter((part) => !stock.includes(part))) : first;
            },
          },
  },
  {
    name: 'unpaid orders of three shards never fall due',
    tables: reading('orders.tasks', (tables) => ({
      query: async (table, input) =>
        input.index === 'due' && input.pk !== 'DUE#0' ? { items: [] } : tables.query(table, input),
    })),
  },
  {
    name: 'customers see any order',
    operations: (capability, handlers) =>
      capability === 'orders' ? { ...handlers, order: handlers.anyOrder } : handlers,
  },
];

const PAYMENTS: Bug[] = [
  { name: 'a payment is replaced without its version', tables: without({ table: 'payments' }, 'version') },
  {
    name: 'two attempts may have one number',
    tables: without({ table: 'payments', pk: 'ORDER#', sk: /^PAYMENT#/ }, 'absent'),
  },
  {
    name: 'the key at the provider is new with every call',
    provider: (provider, { chance }) => ({
      ...provider,
      authorise: (request) => provider.authorise({ ...request, key: `${request.key}#${chance.between(1, 1e9)}` }),
    }),
  },
  {
    name: 'a void is put on record and not carried out',
    provider: (provider) => ({ ...provider, void: async () => ({ state: 'VOIDED' }) }),
  },
  {
    name: 'an order that is paid does not become placed',
    tables: forgetting({ table: 'orders', at: 'payments.', kind: 'update' }),
  },
  {
    name: 'the whole price is captured, whatever was delivered',
    tables: writing({ table: 'payments', at: 'payments.events', kind: 'put' }, (write) => {
      const { item } = write as { item: Item & { instruction?: { kind: string } } };
      const whole =
        item.instruction?.kind === 'CAPTURE' ? { instruction: { kind: 'CAPTURE', amount: item.amount } } : {};
      return { kind: 'put', item: { ...item, ...whole } };
    }),
  },
];

const FULFILMENT: Bug[] = [
  { name: 'a fulfilment order is changed without its version', tables: without({ table: 'fulfilment' }, 'version') },
  { name: 'the token of the workflow is not kept', tables: forgetting({ table: 'fulfilment', sk: /^TOKEN#/ }) },
  {
    name: 'work that is sourced anew takes a number of the plan',
    tables: writing({ table: 'fulfilment', sk: /^FO#/, kind: 'put' }, (write) => ({
      ...(write as { kind: 'put'; item: Item }),
      item: { ...(write as { item: Item }).item, partsPlanned: 0 },
    })),
  },
  {
    name: 'planned work is put on record again by a second run of its task',
    tables: without({ table: 'fulfilment', at: 'fulfilment.tasks', kind: 'put' }, 'absent'),
  },
  {
    name: 'the answer and the end of the work share a token',
    tables: (tables) => {
      const shared = (key: Key): Key => ({ ...key, sk: key.sk.replace(/^(TOKEN#\d+)#.*/, '$1') });
      return {
        ...both(
          writing({ table: 'fulfilment', sk: /^TOKEN#/ }, (write) =>
            otherKey(write, shared((write as { item: Item }).item)),
          ),
        )(tables, 'fulfilment.tasks', undefined as never),
        get: (table, key) => tables.get(table, shared(key)),
      };
    },
  },
  {
    name: 'who refused is asked again',
    tables: both(
      writing({ table: 'fulfilment', sk: /^FO#/, kind: 'put' }, (write) => ({
        kind: 'put',
        item: { ...(write as { item: Item }).item, excludedNodeIds: [] },
      })),
      reading('fulfilment.tasks', (tables) => ({
        query: async (table, input) => {
          const page = await tables.query(table, input);
          const forgotten = page.items.map((item) => ({ ...(item as object), work: 'ALLOCATED' }));
          return (input.startsWith === 'FO#' ? { ...page, items: forgotten } : page) as never;
        },
      })),
    ),
  },
  {
    name: 'staff see the work of every node',
    operations: (capability, handlers) =>
      capability !== 'fulfilment'
        ? handlers
        : {
            ...handlers,
            fulfilmentOrder: (input: unknown, request: { principal: object }) =>
              handlers.fulfilmentOrder(input, { ...request, principal: { ...request.principal, nodeId: '*' } }),
          },
  },
];

const POINTS: Bug[] = [
  {
    name: 'points are earned as often as the event comes',
    tables: both(
      forgetting({ table: 'loyalty', pk: 'INBOX#' }),
      without({ table: 'loyalty', at: 'loyalty.events' }, 'absent'),
      reading('loyalty.events', () => ({ get: async () => undefined })),
    ),
  },
  {
    name: 'earned points are not entered into the ledger',
    tables: forgetting({ table: 'loyalty', sk: /^ENTRY#.*#EARN#/ }),
  },
  {
    name: 'points that have matured stay due',
    tables: both(
      without({ table: 'loyalty', at: 'loyalty.tasks' }, 'absent', 'one-of', 'at-least'),
      writing(
        { table: 'loyalty', sk: /^LOT#/, at: 'loyalty.tasks' },
        (write) => ({ ...write, remove: [] }) as Part['write'],
      ),
      reading('loyalty.tasks', (tables) => ({
        get: async (table, key) => {
          const item = await tables.get<object>(table, key);
          return (item === undefined ? undefined : { ...item, status: 'PENDING' }) as never;
        },
      })),
    ),
  },
];

/** Every one of them has to be caught. */
export const PLANTED_BUGS: readonly Bug[] = [
  ...[...STOCK, ...STOCK_BUGS, ...EVENTS, ...ORDERS, ...PAYMENTS, ...FULFILMENT, ...POINTS],
];

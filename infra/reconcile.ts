import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { CAPABILITIES } from '../functions/capabilities.ts';
import { tableVariable } from '../shared/runtime.ts';
import { allocationDrift } from './reconcile/allocations.ts';
import type { Finding, Item } from './reconcile/finding.ts';
import { holdDrift, holdOf } from './reconcile/holds.ts';
import { openLocalTables } from './reconcile/local-tables.ts';
import { isOpen, orderOf } from './reconcile/orders.ts';
import { outboxDrift } from './reconcile/outbox.ts';
import { chargeOf, paymentDrift, paymentOf } from './reconcile/payments.ts';
import { balanceOf, pointsDrift, pointsEntryOf } from './reconcile/points.ts';
import { proposalOf, raise, repair, runtimeOn } from './reconcile/repair.ts';
import { type Drift, findingsOf, ledgerEntriesOf, levelOf, stockDrifts } from './reconcile/stock.ts';

/** What was compared, and what does not add up. Nothing should ever be found (rule 12). */
export interface Report {
  /** Number of items compared, by what they are. */
  compared: Record<
    | 'stock levels'
    | 'stock entries'
    | 'holds'
    | 'orders'
    | 'open orders'
    | 'payments'
    | 'points balances'
    | 'points entries',
    number
  >;
  findings: Finding[];
  /** Balances that are not the sum of their ledger; each of them is among the findings, too. */
  drifts: Drift[];
}

/** Physical table names by capability, e.g. `{ inventory: 'Ieum-dev-Data-…' }`. */
export type TableNames = Readonly<Record<string, string>>;

const NEEDED = ['inventory', 'orders', 'payments', 'loyalty'] as const;

const scanAll = async (client: DynamoDBDocumentClient, TableName: string): Promise<Item[]> => {
  const items: Item[] = [];
  for await (const page of paginateScan({ client }, { TableName, ConsistentRead: true })) {
    items.push(...((page.Items ?? []) as Item[]));
  }
  return items;
};

/**
 * Reads all tables once and compares what must agree: balances with ledgers, promises with orders, payments with
 * orders, points with entries; and that every event was published. An operator's tool: it scans.
 *
 * While orders are being placed, one item may be read before and another after the same change. What is found twice
 * was not on its way: see `lasting`.
 *
 * @throws Error where the name of a table that is needed is missing
 */
export const reconcile = async (client: DynamoDBClient, tableNames: TableNames): Promise<Report> => {
  const missing = NEEDED.filter((table) => tableNames[table] === undefined);
  if (missing.length > 0) throw new Error(`reconciling needs the names of the tables of ${missing.join(', ')}`);
  const document = DynamoDBDocumentClient.from(client);
  const itemsByTable = new Map<string, Item[]>();
  // One table after the other: it is to disturb nobody.
  for (const [table, name] of Object.entries(tableNames)) itemsByTable.set(table, await scanAll(document, name));
  const read = <T>(table: (typeof NEEDED)[number], parse: (item: Item) => T | undefined): T[] =>
    itemsByTable.get(table)!.flatMap((item) => parse(item) ?? []);

  const levels = read('inventory', levelOf);
  const ledger = itemsByTable.get('inventory')!.flatMap(ledgerEntriesOf);
  const holds = read('inventory', holdOf);
  const orders = read('orders', orderOf);
  const payments = read('payments', paymentOf);
  const balances = read('loyalty', balanceOf);
  const entries = read('loyalty', pointsEntryOf);
  const drifts = stockDrifts(levels, ledger);
  return {
    drifts,
    compared: {
      'stock levels': levels.length,
      'stock entries': ledger.length,
      holds: holds.length,
      orders: orders.length,
      'open orders': orders.filter(isOpen).length,
      payments: payments.length,
      'points balances': balances.length,
      'points entries': entries.length,
    },
    findings: [
      ...findingsOf(drifts),
      ...allocationDrift(ledger, orders),
      ...holdDrift(ledger, holds),
      ...paymentDrift(orders, payments, read('payments', chargeOf)),
      ...pointsDrift(balances, entries),
      ...outboxDrift(itemsByTable),
    ],
  };
};

const idOf = ({ check, subject, detail }: Finding): string => `${check} ${subject} ${detail}`;

/** What an earlier report found, too, in the same words: in between it would have come to an end by itself. */
export const lasting = (earlier: Report, later: Report): Report => {
  const known = new Set(earlier.findings.map(idOf));
  const drifts = later.drifts.filter((drift) => findingsOf([drift]).every((found) => known.has(idOf(found))));
  return { ...later, drifts, findings: later.findings.filter((found) => known.has(idOf(found))) };
};

/** The report as lines of plain text. */
export const describeReport = ({ compared, findings, drifts }: Report): string[] => [
  Object.entries(compared)
    .map(([what, count]) => `${count} ${what}`)
    .join(', '),
  ...findings.map(({ check, subject, detail }) => `DRIFT in ${check}: ${subject}: ${detail}`),
  ...drifts.map((drift) => `PROPOSAL ${proposalOf(drift)}`),
  findings.length === 0 ? 'Everything adds up.' : `${findings.length} do not add up.`,
];

/** Changes on their way have arrived by then. */
const SETTLE_SECONDS = 5;

const USAGE = `npm run reconcile -- [--data DIR]

Compares stock, orders, payments and points with their ledgers; exit code 1 if anything does not add up. A balance of
stock that is not the sum of its ledger is told as inventory.drift-detected.v1, with a proposal what it should be.
  --repair     writes the balances as proposed, where they still stand as they were read
  --data DIR   data directory of a local cloud, running or not (default .ieum/data, or IEUM_DATA)
With the variables TABLE_INVENTORY, TABLE_ORDERS, … (physical names) it reads those tables of AWS instead.`;

/** The tables of a deployed stage, if the environment names them as it does for functions. */
const tablesInEnvironment = (): TableNames | undefined => {
  const named = CAPABILITIES.filter(({ table }) => table !== undefined).flatMap(({ name }) => {
    const table = process.env[tableVariable(name)];
    return table === undefined ? [] : [[name, table] as const];
  });
  return named.length === 0 ? undefined : Object.fromEntries(named);
};

/** Reads twice where the first reading found something, for what was only on its way. */
export const reconcileUnderLoad = async (client: DynamoDBClient, tables: TableNames): Promise<Report> => {
  const first = await reconcile(client, tables);
  if (first.findings.length === 0) return first;
  console.log(`${first.findings.length} do not add up; looking again in ${SETTLE_SECONDS} s …`);
  await setTimeout(SETTLE_SECONDS * 1000);
  return lasting(first, await reconcile(client, tables));
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: process.env.IEUM_DATA ?? join('.ieum', 'data') },
      repair: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return console.log(USAGE);
  const deployed = tablesInEnvironment();
  const local = deployed === undefined ? await openLocalTables(values.data) : undefined;
  const client = local?.client ?? new DynamoDBClient();
  try {
    const tableNames = deployed ?? local!.tableNames;
    const report = await reconcileUnderLoad(client, tableNames);
    console.log(describeReport(report).join('\n'));
    const runtime = runtimeOn(client, tableNames);
    await raise(runtime, report.drifts);
    if (values.repair)
      console.log(`${await repair(runtime, report.drifts)} of ${report.drifts.length} balances repaired.`);
    process.exitCode = report.findings.length === 0 ? 0 : 1;
  } finally {
    client.destroy();
    await local?.close();
  }
};

if (import.meta.main) {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}

import { unmarshall } from '@aws-sdk/util-dynamodb';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import type { Capability } from '../../shared/contract.ts';
import type { DynamoOperation } from '../../shared/dynamo.ts';
import { startTestEngine } from '../support/engine.ts';
import { MemoryDynamo, type WireAnswer } from './memory-dynamo.ts';
import type { Item } from './memory-table.ts';

export type StoredItem = Record<string, unknown> & { pk: string; sk: string };

/** DynamoDB as the simulation needs it. */
export interface Engine {
  call(operation: DynamoOperation, input: object): WireAnswer | Promise<WireAnswer>;
  /** Every item of a table, for the invariants. */
  items(table: string): StoredItem[];
  /** One item as it is stored, in DynamoDB's JSON. */
  item(table: string, pk: string, sk: string): Item | undefined;
  /** What the engine and its double disagree on at the end; nothing where there is one engine only. */
  differences(): Promise<string[]>;
  close(): Promise<void>;
}

export const TABLES: readonly Capability[] = CAPABILITIES.filter(({ table }) => table !== undefined);

export const memoryEngine = (): Engine => {
  const memory = new MemoryDynamo(TABLES);
  return {
    call: (operation, input) => memory.call(operation, input),
    items: (table) => memory.items(table),
    item: (table, pk, sk) => memory.item(table, pk, sk),
    differences: async () => [],
    close: async () => {},
  };
};

/** Answers in a form in which equal ones are equal: without messages, in one order of attributes. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(
    ([name, one]) => one !== undefined && !/^(message|Message|ConsumedCapacity|ScannedCount)$/.test(name),
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, canonical(one)]));
};

const essence = ({ status, body }: WireAnswer): string => {
  const { __type, CancellationReasons: reasons, LastEvaluatedKey: _, ...rest } = body;
  const type = String(__type ?? '')
    .split('#')
    .at(-1);
  // A page that ends with the partition may or may not say that there could be more.
  const codes = (reasons as { Code?: string }[] | undefined)?.map(({ Code }) => Code ?? 'None');
  return JSON.stringify({ status, type, codes, rest: status === 200 ? canonical(rest) : undefined });
};

/** Posts DynamoDB's JSON; the embedded engine checks no signature. */
const post = async (endpoint: string, operation: string, input: object): Promise<WireAnswer> => {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': '20261121T000000Z',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20261121/local/dynamodb/aws4_request, SignedHeaders=, Signature=',
    },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/**
 * The embedded engine, with the engine in memory beside it: each call goes to both, the embedded engine's answer
 * counts, and every difference is remembered.
 */
export const embeddedEngine = async (): Promise<Engine> => {
  const engine = await startTestEngine(...TABLES.filter(({ name }) => name !== 'outbox'));
  const { protocol, hostname, port } = await engine.client.config.endpoint!();
  const endpoint = `${protocol}//${hostname}:${port}/`;
  const memory = new MemoryDynamo(TABLES);
  const different: string[] = [];
  const scan = async (table: string): Promise<StoredItem[]> => {
    const items: StoredItem[] = [];
    for (let start: unknown; ; ) {
      const input = {
        TableName: table,
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      };
      const { body } = await post(endpoint, 'Scan', input);
      items.push(...(body.Items as never[]).map((item) => unmarshall(item) as StoredItem));
      start = body.LastEvaluatedKey;
      if (start === undefined) return items;
    }
  };
  return {
    call: async (operation, input) => {
      const expected = memory.call(operation, input);
      const answer = await post(endpoint, operation, input);
      if (essence(answer) !== essence(expected)) {
        const said = `${JSON.stringify(input)}\nengine: ${essence(answer)}\nmemory: ${essence(expected)}`;
        different.push(`${operation} ${said}`);
      }
      return answer;
    },
    items: (table) => memory.items(table),
    item: (table, pk, sk) => memory.item(table, pk, sk),
    differences: async () => {
      for (const { name } of TABLES) {
        const sorted = (items: StoredItem[]): string =>
          JSON.stringify(
            items
              .map(canonical)
              .map((item) => JSON.stringify(item))
              .sort(),
          );
        if (sorted(await scan(name)) !== sorted(memory.items(name))) different.push(`the table ${name}`);
      }
      return different;
    },
    close: engine.close,
  };
};

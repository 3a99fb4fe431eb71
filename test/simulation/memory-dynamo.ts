import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Capability } from '../../shared/contract.ts';
import type { DynamoOperation } from '../../shared/dynamo.ts';
import { type Item, MemoryTable, type Value } from './memory-table.ts';

/** DynamoDB's answer to one call: HTTP status and JSON body. */
export interface WireAnswer {
  status: number;
  body: Record<string, unknown>;
}

interface Expressions {
  TableName: string;
  ConditionExpression?: string;
  UpdateExpression?: string;
  KeyConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, Value>;
}
interface OneWrite extends Expressions {
  Item?: Item;
  Key?: Item;
}
type TransactItem = Partial<Record<'Put' | 'Update' | 'Delete' | 'ConditionCheck', OneWrite>>;

const refused = (name: string, more: Record<string, unknown> = {}): WireAnswer => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: name, ...more },
});
const done = (body: Record<string, unknown> = {}): WireAnswer => ({ status: 200, body });

const isEqual = (a: Value, b: Value): boolean =>
  a.N !== undefined && b.N !== undefined ? Number(a.N) === Number(b.N) : JSON.stringify(a) === JSON.stringify(b);

const isAtLeast = (a: Value, b: Value): boolean => {
  if (a.N !== undefined && b.N !== undefined) return Number(a.N) >= Number(b.N);
  return a.S !== undefined && b.S !== undefined && a.S >= b.S;
};

/** One of the five conditions that shared/expression.ts writes. */
const holds = (condition: string, item: Item | undefined, write: Expressions): boolean => {
  const [, called, argument] = /^(attribute_(?:not_)?exists)\((#\d+)\)$/.exec(condition) ?? [];
  const attribute = (name: string): Value | undefined => item?.[write.ExpressionAttributeNames![name]!];
  const value = (name: string): Value => write.ExpressionAttributeValues![name]!;
  if (called !== undefined) return (attribute(argument!) !== undefined) === (called === 'attribute_exists');
  const [, name, comparison, right] = /^(#\d+) (=|>=|IN) (.+)$/.exec(condition) ?? [];
  if (name === undefined) throw new Error(`the simulation does not know the condition ${condition}`);
  const found = attribute(name);
  if (found === undefined) return false;
  if (comparison === '=') return isEqual(found, value(right!));
  if (comparison === '>=') return isAtLeast(found, value(right!));
  return right!
    .slice(1, -1)
    .split(', ')
    .some((one) => isEqual(found, value(one)));
};

const mayWrite = (item: Item | undefined, write: Expressions): boolean =>
  (write.ConditionExpression?.split(' AND ') ?? []).every((condition) => holds(condition, item, write));

/** `SET #0 = :0, #1 = :1 ADD #2 :2 REMOVE #3`: an item as it is after it. */
const updated = (item: Item | undefined, write: OneWrite): Item => {
  const after: Item = { ...(item ?? write.Key!) };
  for (const [, verb, list] of write.UpdateExpression!.matchAll(/(SET|ADD|REMOVE) ([^A-Z]+)/g)) {
    for (const action of list!.trim().split(', ')) {
      const [name, ...rest] = action.split(' ');
      const attribute = write.ExpressionAttributeNames![name!]!;
      const value = write.ExpressionAttributeValues?.[rest.at(-1)!];
      if (verb === 'REMOVE') delete after[attribute];
      else if (verb === 'SET') after[attribute] = value!;
      else after[attribute] = { N: String(Number(after[attribute]?.N ?? 0) + Number(value!.N)) };
    }
  }
  return after;
};

const keyOf = ({ pk, sk }: Item): Item => ({ pk: pk!, sk: sk! });

/**
 * What tables.ts asks of DynamoDB, in memory: the calls and expressions that shared/ makes, and no others. A test
 * compares it with the embedded engine, call by call.
 */
export class MemoryDynamo {
  readonly #tables: Map<string, MemoryTable>;

  constructor(contracts: readonly Capability[]) {
    const owners = contracts.filter(({ table }) => table !== undefined);
    this.#tables = new Map(owners.map(({ name, table }) => [name, new MemoryTable(table!.indexes)]));
  }

  call(operation: DynamoOperation, input: object): WireAnswer {
    const call = input as OneWrite & { TransactItems?: unknown; RequestItems?: unknown };
    switch (operation) {
      case 'GetItem': {
        const item = this.#table(call.TableName).get(call.Key!);
        return done(item === undefined ? {} : { Item: item });
      }
      case 'Query':
        return this.#query(call as never);
      case 'TransactGetItems': {
        const reads = call.TransactItems as { Get: { TableName: string; Key: Item } }[];
        const items = reads.map(({ Get }) => this.#table(Get.TableName).get(Get.Key));
        return done({ Responses: items.map((item) => (item === undefined ? {} : { Item: item })) });
      }
      case 'PutItem':
        return this.#alone({ Put: call });
      case 'UpdateItem':
        return this.#alone({ Update: call });
      case 'DeleteItem':
        return this.#alone({ Delete: call });
      case 'TransactWriteItems':
        return this.#together(call.TransactItems as TransactItem[]);
      case 'BatchWriteItem': {
        const requests = call.RequestItems as Record<string, { DeleteRequest: { Key: Item } }[]>;
        for (const [table, deletes] of Object.entries(requests)) {
          for (const { DeleteRequest } of deletes) this.#table(table).delete(DeleteRequest.Key);
        }
        return done({ UnprocessedItems: {} });
      }
    }
  }

  item(table: string, pk: string, sk: string): Item | undefined {
    return this.#table(table).get({ pk: { S: pk }, sk: { S: sk } });
  }

  /** Every item of a table, as plain attributes, by key. */
  items(table: string): (Record<string, unknown> & { pk: string; sk: string })[] {
    return this.#table(table)
      .all()
      .map((item) => unmarshall(item as never) as Record<string, unknown> & { pk: string; sk: string });
  }

  #table(name: string): MemoryTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`there is no table ${name}`);
    return table;
  }

  #stands(write: OneWrite): Item | undefined {
    return this.#table(write.TableName).get(write.Item === undefined ? write.Key! : keyOf(write.Item));
  }

  #apply({ Put, Update, Delete }: TransactItem): void {
    if (Put !== undefined) this.#table(Put.TableName).put(Put.Item!);
    else if (Update !== undefined) this.#table(Update.TableName).put(updated(this.#stands(Update), Update));
    else if (Delete !== undefined) this.#table(Delete.TableName).delete(Delete.Key!);
  }

  #alone(item: TransactItem): WireAnswer {
    const write = (item.Put ?? item.Update ?? item.Delete)!;
    if (!mayWrite(this.#stands(write), write)) return refused('ConditionalCheckFailedException');
    this.#apply(item);
    return done();
  }

  #together(items: TransactItem[]): WireAnswer {
    const writes = items.map((item) => (item.Put ?? item.Update ?? item.Delete ?? item.ConditionCheck)!);
    const keys = writes.map((write) => `${write.TableName} ${JSON.stringify(keyOf(write.Item ?? write.Key!))}`);
    if (new Set(keys).size < keys.length || keys.length > 100) return refused('ValidationException');
    const reasons = writes.map((write) => ({
      Code: mayWrite(this.#stands(write), write) ? 'None' : 'ConditionalCheckFailed',
    }));
    if (reasons.some(({ Code }) => Code !== 'None')) {
      return refused('TransactionCanceledException', { CancellationReasons: reasons });
    }
    for (const item of items) this.#apply(item);
    return done();
  }

  #query(
    input: Expressions & { IndexName?: string; Limit: number; ScanIndexForward: boolean; ExclusiveStartKey?: Item },
  ): WireAnswer {
    const values = input.ExpressionAttributeValues!;
    // With BETWEEN there are three: the key's, and both ends of the range.
    const [, range, upper] = input.KeyConditionExpression!.split(' AND ');
    const valueAt = (text = ''): string | undefined => values[/(:\d+)\)?$/.exec(text)?.[1] ?? '']?.S;
    const right = valueAt(range);
    const inRange = (sk: string): boolean => {
      if (range === undefined) return true;
      if (upper !== undefined) return right! <= sk && sk <= valueAt(upper)!;
      return range.startsWith('begins_with') ? sk.startsWith(right!) : sk <= right!;
    };
    const pk = values[':0']!.S!;
    const { IndexName: index, Limit: limit, ScanIndexForward: forward, ExclusiveStartKey: start } = input;
    const { items, last } = this.#table(input.TableName).query({ index, pk, inRange, limit, forward, start });
    return done({
      Items: items,
      Count: items.length,
      ...(last === undefined ? {} : { LastEvaluatedKey: last }),
    });
  }
}

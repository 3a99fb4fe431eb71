import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { callDynamoDb } from './dynamodb-wire.ts';
import type { Resource } from './template.ts';

const SWEEP_MILLISECONDS = 60_000;
/** Rows looked at in one go: a few milliseconds of this thread. */
const ROWS_A_STEP = 2_000;
/** AWS leaves items alone that expired more than five years ago: their attribute is no expiry. */
const OLDEST_SECONDS = 5 * 365 * 24 * 3600;

interface TimeToLive {
  /** Looks once through all tables. Returns how many items it deleted. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/** Deletes expired items in the background, through the API so that the table's stream tells of it. */
export function startTimeToLive(options: {
  database: DatabaseSync;
  endpoint: string;
  tables: Resource[];
  now?: () => number;
}): TimeToLive {
  const tables = options.tables.filter(({ properties }) => properties.TimeToLiveSpecification?.Enabled);
  let closed = false;
  let running: Promise<number> | undefined;
  const sweep = async (): Promise<number> => {
    let deleted = 0;
    for (const table of tables) deleted += await sweepTable(table, options, () => closed);
    return deleted;
  };
  const timer = setInterval(() => {
    running ??= sweep()
      .catch((error: unknown) => {
        console.error('Expired items could not be deleted:', error);
        return 0;
      })
      .finally(() => {
        running = undefined;
      });
  }, SWEEP_MILLISECONDS);
  timer.unref();
  return {
    sweep,
    close: async () => {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}

async function sweepTable(
  { name, properties }: Resource,
  { database, endpoint, now = Date.now }: { database: DatabaseSync; endpoint: string; now?: () => number },
  closed: () => boolean,
): Promise<number> {
  const attribute = String(properties.TimeToLiveSpecification.AttributeName);
  const keyNames = properties.KeySchema.map((part: { AttributeName: string }) => part.AttributeName) as string[];
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const last = Number(database.prepare(`SELECT max(rowid) AS last FROM ${quoted}`).get()?.last ?? 0);
  const expired = database.prepare(`SELECT item_json AS item FROM ${quoted} WHERE rowid > :from AND rowid <= :to
    AND CAST(json_extract(item_json, :path) AS INTEGER) BETWEEN :oldest AND :now`);
  let deleted = 0;
  for (let from = 0; from < last && !closed(); from += ROWS_A_STEP) {
    const nowSeconds = Math.floor(now() / 1000);
    const bounds = { from, to: from + ROWS_A_STEP, oldest: nowSeconds - OLDEST_SECONDS, now: nowSeconds };
    for (const row of expired.all({ ...bounds, path: `$."${attribute}".N` })) {
      const item = JSON.parse(String(row.item)) as Record<string, unknown>;
      const Key = Object.fromEntries(keyNames.map((key) => [key, item[key]]));
      if (await deleteExpired(endpoint, name, Key, attribute, nowSeconds)) deleted += 1;
    }
    await wait(1);
  }
  return deleted;
}

async function deleteExpired(
  endpoint: string,
  TableName: string,
  Key: Record<string, unknown>,
  attribute: string,
  nowSeconds: number,
): Promise<boolean> {
  try {
    await callDynamoDb(endpoint, 'DeleteItem', {
      TableName,
      Key,
      ConditionExpression: '#expires <= :now',
      ExpressionAttributeNames: { '#expires': attribute },
      ExpressionAttributeValues: { ':now': { N: String(nowSeconds) } },
    });
    return true;
  } catch (error) {
    // Somebody has given it more time, or deleted it.
    if ((error as Error).name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

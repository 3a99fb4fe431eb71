import { isDeepStrictEqual } from 'node:util';
import type { Engine } from './engine.ts';
import { openEngineFile, trimStreamRecords } from './engine-indexes.ts';
import { endpointSource } from './stream-endpoint.ts';

type Image = Record<string, unknown>;

/** One record as Lambda gets it from a table's stream. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: '1.1';
  eventSource: 'aws:dynamodb';
  awsRegion: string;
  eventSourceARN: string;
  userIdentity?: { type: string; principalId: string };
  dynamodb: {
    ApproximateCreationDateTime: number;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: string;
    Keys: Image;
    NewImage?: Image | undefined;
    OldImage?: Image | undefined;
  };
}

/** A stream a mapping reads. */
export interface Stream {
  table: string;
  arn: string;
  region: string;
  viewType: string;
}

/** Where stream records come from. Positions are sequence numbers; they grow within a table. */
export interface StreamSource {
  /** Changes when any table has new records. */
  head(): Promise<number>;
  /** Set when head() changes only after a read: whoever wants to know has to read. */
  mustAsk?: true;
  /** Records after a position, in order. A read that finds nothing new is cheap. */
  read(stream: Stream, after: number, limit: number): Promise<StreamRecord[]>;
  /** Position of the newest record of a table, 0 when it has none. */
  latest(table: string): Promise<number>;
  /** The records up to a position are not needed any more. */
  trim(table: string, through: number): Promise<void>;
  close(): void;
}

interface Row {
  id: number;
  name: StreamRecord['eventName'];
  keys: string;
  newImage: string | null;
  oldImage: string | null;
  number: string;
  at: number;
  identity: string | null;
}

/** The embedded engine's file, or the API of the endpoint that is used instead. */
export const streamSourceOf = ({ file, endpoint }: Engine): StreamSource =>
  file === undefined ? endpointSource(endpoint) : engineFileSource(file);

/** Reads the engine's records where they lie: microseconds a look, and no request that competes with the functions'. */
export function engineFileSource(file: string): StreamSource {
  const database = openEngineFile(file);
  const head = database.prepare('SELECT max(id) AS head FROM _stream_records');
  const latest = database.prepare(
    'SELECT max(CAST(sequence_number AS INTEGER)) AS latest FROM _stream_records WHERE table_name = ?',
  );
  const read = database.prepare(
    `SELECT id, event_name AS name, keys_json AS keys, new_image AS newImage, old_image AS oldImage,
       sequence_number AS number, created_at AS at, user_identity AS identity
     FROM _stream_records WHERE table_name = ? AND CAST(sequence_number AS INTEGER) > ?
     ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?`,
  );
  return {
    head: async () => Number(head.get()?.head ?? 0),
    latest: async (table) => Number(latest.get(table)?.latest ?? 0),
    read: async (stream, after, limit) =>
      (read.all(stream.table, after, limit) as unknown as Row[]).map((row) => recordOf(row, stream)),
    trim: async (table, through) => {
      while (trimStreamRecords(database, table, through)) await new Promise(setImmediate);
    },
    close: () => database.close(),
  };
}

/** Images are parsed when somebody looks: most records fall to a filter on the event's name or the keys. */
function recordOf(row: Row, { table, arn, region, viewType }: Stream): StreamRecord {
  const { newImage, oldImage } = row;
  let keys: Image | undefined;
  let fresh: Image | undefined;
  let old: Image | undefined;
  return {
    eventID: `${table}-${row.number}`,
    eventName: row.name,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    eventSourceARN: arn,
    ...(row.identity ? { userIdentity: JSON.parse(row.identity) } : {}),
    dynamodb: {
      ApproximateCreationDateTime: row.at,
      SequenceNumber: row.number,
      SizeBytes: row.keys.length + (newImage?.length ?? 0) + (oldImage?.length ?? 0),
      StreamViewType: viewType,
      get Keys() {
        keys ??= JSON.parse(row.keys) as Image;
        return keys;
      },
      get NewImage() {
        if (newImage !== null) fresh ??= JSON.parse(newImage) as Image;
        return fresh;
      },
      get OldImage() {
        if (oldImage !== null) old ??= JSON.parse(oldImage) as Image;
        return old;
      },
    },
  };
}

/** DynamoDB writes no record for a write that changes nothing; the engine does. */
export function changesNothing({ eventName, dynamodb }: StreamRecord): boolean {
  if (eventName !== 'MODIFY') return false;
  const { NewImage, OldImage } = dynamodb;
  return NewImage !== undefined && isDeepStrictEqual(NewImage, OldImage);
}

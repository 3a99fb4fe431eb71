import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What passed through the meter: requests by operation, and the capacity that the engine counted for them. */
export interface Counted {
  requests: Record<string, number>;
  readUnits: number;
  writeUnits: number;
  /** Units of the largest write of each kind of request, by function-independent name of its first table. */
  transactions: { tables: string[]; items: number; writeUnits: number }[];
}

export interface Meter {
  endpoint: string;
  reset(): void;
  counted(): Counted;
  close(): Promise<void>;
}

interface Capacity {
  TableName: string;
  CapacityUnits: number;
  ReadCapacityUnits?: number;
  WriteCapacityUnits?: number;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);
const METERED = new Set([...WRITES, 'GetItem', 'Query', 'BatchGetItem', 'TransactGetItems']);

const nothing = (): Counted => ({ requests: {}, readUnits: 0, writeUnits: 0, transactions: [] });

/** A proxy in front of a DynamoDB endpoint that asks for the consumed capacity of every request and adds it up. */
export const startMeter = async (engine: string): Promise<Meter> => {
  let counted = nothing();
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(engine);

  const count = (operation: string, body: string): void => {
    counted.requests[operation] = (counted.requests[operation] ?? 0) + 1;
    if (!METERED.has(operation)) return;
    const { ConsumedCapacity } = JSON.parse(body) as { ConsumedCapacity?: Capacity | Capacity[] };
    const capacities = ConsumedCapacity === undefined ? [] : [ConsumedCapacity].flat();
    const units = capacities.reduce((total, { CapacityUnits }) => total + CapacityUnits, 0);
    if (WRITES.has(operation)) counted.writeUnits += units;
    else counted.readUnits += units;
    if (operation === 'TransactWriteItems') {
      counted.transactions.push({ tables: capacities.map(({ TableName }) => TableName), items: 0, writeUnits: units });
    }
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const operation = String(incoming.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
      let body = Buffer.concat(chunks);
      if (METERED.has(operation)) {
        body = Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), ReturnConsumedCapacity: 'TOTAL' }));
      }
      const headers = { ...incoming.headers, 'content-length': String(body.length) };
      const onward = request(
        { agent, hostname, port, method: incoming.method, path: incoming.url, headers },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => parts.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(parts);
            if (answer.statusCode === 200) count(operation, text.toString());
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(text);
          });
        },
      );
      onward.once('error', () => outgoing.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset: () => {
      counted = nothing();
    },
    counted: () => counted,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

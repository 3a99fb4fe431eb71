import { handlers } from '../../functions/inventory/api.ts';
import inventory from '../../functions/inventory/contract.ts';
import network from '../../functions/network/contract.ts';
import { apiOf, staffCaller } from '../support/call.ts';
import { startTestEngine } from '../support/engine.ts';

const NODES = [100, 200, 300, 400, 500] as const;
const headOffice = staffCaller('*', 'inventory:write');

/** Least squares: by how much `y` grows for each `x`. */
const slopeOf = (points: readonly (readonly [x: number, y: number])[]): number => {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
};

/** Read units of one SKU's availability over 100 to 500 nodes, as the engine counts them, and how they grow. */
export const measureAvailabilityUnits = async (): Promise<Record<string, number>> => {
  const engine = await startTestEngine(inventory, network);
  try {
    const runtime = engine.runtime();
    const call = apiOf(inventory, handlers(runtime), runtime);
    const read = { queries: 0, units: 0 };
    engine.intercept(async (operation, input, next) => {
      if (operation !== 'Query') return next(input);
      const answer = await next({ ...input, ReturnConsumedCapacity: 'TOTAL' });
      const { ConsumedCapacity } = answer as { ConsumedCapacity?: { CapacityUnits?: number } };
      const isPolicies = JSON.stringify(input).includes('POLICIES');
      // The policies of the chain are read once a second, whoever asks.
      if (!isPolicies) read.queries += 1;
      if (!isPolicies) read.units += ConsumedCapacity?.CapacityUnits ?? 0;
      return answer;
    });
    const points: [number, number][] = [];
    let opened = 0;
    for (const nodes of NODES) {
      for (; opened < nodes; opened += 1) {
        const body = { lines: [{ sku: 'WIDE', units: 5 }] };
        await call('receive', { as: headOffice, path: { nodeId: `node-${opened}` }, body });
      }
      Object.assign(read, { queries: 0, units: 0 });
      await call('availability', { path: { sku: 'WIDE' } });
      points.push([nodes, read.units]);
    }
    return {
      availability_500_queries: read.queries,
      availability_500_read_units: read.units,
      availability_read_units_per_100_nodes: 100 * slopeOf(points),
    };
  } finally {
    await engine.close();
  }
};

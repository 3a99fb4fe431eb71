import { distanceFrom } from '../../../shared/geography.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import { nodesOf } from '../../network/parts.ts';
import type inventory from '../contract.ts';
import {
  type NodeLevel,
  promisable,
  type Sellable,
  type StockPolicy,
  sellableAt,
  totalsOf,
} from '../domain/availability.ts';
import { sumBySku } from '../domain/movements.ts';
import type { SalesChannel } from '../emits.ts';
import { levelsAt, levelsOf } from '../store/levels.ts';
import { knownPolicies } from '../store/policies.ts';
import { supplyOf } from '../store/supply.ts';
import { categoriesOf } from './categories.ts';

type Handlers = OperationHandlers<typeof inventory>;
type Now = 'availability' | 'availabilities' | 'availabilityAtNode';
type Ahead = 'nearestNodes' | 'promise';

/** What a channel may sell of any level. */
const sellableFor = async (tables: Tables, skus: readonly string[], channel: SalesChannel, now: Instant) => {
  const policies: StockPolicy[] = await knownPolicies(tables, now);
  const categoryOf = await categoriesOf(tables, skus, policies);
  return (level: NodeLevel): Sellable => sellableAt(level, policies, { channel, now, category: categoryOf(level.sku) });
};

const versionOf = (levels: readonly NodeLevel[]): number =>
  levels.reduce((sum, level) => sum + totalsOf(level).version, 0);

const basketOf = (lines: string): { sku: string; units: number }[] =>
  lines.split(',').map((line) => {
    const [sku, units] = line.split(':');
    return { sku: sku!, units: Number(units) };
  });

const KM_DECIMALS = 1_000;

export const availabilityHandlers = ({ tables }: Runtime): Pick<Handlers, Now> => ({
  availability: async ({ sku, channel }, { now }) => {
    const [sellable, levels] = await Promise.all([sellableFor(tables, [sku], channel, now), levelsOf(tables, sku)]);
    const nodes = levels.map((level) => {
      const { units, withheld } = sellable(level);
      const { nodeId } = level;
      const { version } = totalsOf(level);
      return { nodeId, available: units, version, ...(withheld.length > 0 ? { withheld } : {}) };
    });
    const available = nodes.reduce((sum, node) => sum + node.available, 0);
    return reply({ sku, channel, available, nodes, asOf: now });
  },

  availabilities: async ({ skus: list, channel }, { now }) => {
    const skus = [...new Set(list.split(','))];
    const sellable = await sellableFor(tables, skus, channel, now);
    const items = await Promise.all(
      skus.map(async (sku) => {
        const levels = await levelsOf(tables, sku);
        const available = levels.reduce((sum, level) => sum + sellable(level).units, 0);
        return { sku, available, version: versionOf(levels) };
      }),
    );
    return reply({ items, channel, asOf: now });
  },

  availabilityAtNode: async ({ nodeId, skus: list, channel }, { now }) => {
    const skus = [...new Set(list.split(','))];
    const [sellable, levels] = await Promise.all([
      sellableFor(tables, skus, channel, now),
      levelsAt(
        tables,
        skus.map((sku) => ({ sku, nodeId })),
      ),
    ]);
    const items = levels.map((level) => ({
      ...{ sku: level.sku, available: sellable(level).units, version: totalsOf(level).version },
    }));
    return reply({ nodeId, items, channel, asOf: now });
  },
});

/** Where and when a shopper could have it. */
export const outlookHandlers = ({ tables }: Runtime): Pick<Handlers, Ahead> => ({
  nearestNodes: async ({ latitude, longitude, lines, channel, limit }, { now }) => {
    const basket = sumBySku(basketOf(lines));
    const skus = [...new Set(basket.map(({ sku }) => sku))];
    const [nodes, sellable, ...levels] = await Promise.all([
      nodesOf(tables),
      sellableFor(tables, skus, channel, now),
      ...skus.map((sku) => levelsOf(tables, sku)),
    ]);
    const there = new Map(levels.flat().map((level) => [`${level.sku} ${level.nodeId}`, sellable(level).units]));
    const distance = distanceFrom({ latitude, longitude });
    const items = nodes
      .filter(({ status }) => status === 'OPEN')
      .map(({ nodeId, location }) => ({
        nodeId,
        distanceKm: Math.round(distance(location) * KM_DECIMALS) / KM_DECIMALS,
        lines: basket.map((line) => ({ ...line, available: there.get(`${line.sku} ${nodeId}`) ?? 0 })),
      }))
      .filter((node) => node.lines.every(({ units, available }) => available >= units))
      .sort((a, b) => a.distanceKm - b.distanceKm || (a.nodeId < b.nodeId ? -1 : 1))
      .slice(0, limit);
    return reply({ items, asOf: now });
  },

  promise: async ({ sku, units, channel }, { now }) => {
    const [sellable, levels, supply] = await Promise.all([
      sellableFor(tables, [sku], channel, now),
      levelsOf(tables, sku),
      supplyOf(tables, sku),
    ]);
    const sellableNow = new Map(levels.map((level) => [level.nodeId, sellable(level).units]));
    const ids = [...new Set([...sellableNow.keys(), ...supply.map(({ nodeId }) => nodeId)])].sort();
    const nodes = ids.map((nodeId) => ({
      nodeId,
      points: promisable(
        sellableNow.get(nodeId) ?? 0,
        supply.filter((one) => one.nodeId === nodeId),
        now,
      ),
    }));
    const first = nodes
      .flatMap(({ nodeId, points }) => {
        const point = points.find((one) => one.units >= units);
        return point === undefined ? [] : [{ nodeId, from: point.from }];
      })
      .sort((a, b) => (a.from < b.from || (a.from === b.from && a.nodeId < b.nodeId) ? -1 : 1))[0];
    return reply({ sku, units, ...(first === undefined ? {} : { promised: first }), nodes, asOf: now });
  },
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourcingNode, SourcingRequest } from '../../functions/fulfilment/sourcing/request.ts';
import { source, sourceWhatIsThere } from '../../functions/fulfilment/sourcing/source.ts';
import { NOW } from './network.ts';

const SKUS = ['A', 'B', 'C', 'D'] as const;

const anyNode = (nodeId: string): fc.Arbitrary<SourcingNode> =>
  fc.record({
    nodeId: fc.constant(nodeId),
    kind: fc.constantFrom('DC', 'THIRD_PARTY', 'STORE', 'POP_UP'),
    location: fc.record({
      latitude: fc.double({ min: 33, max: 39, noNaN: true }),
      longitude: fc.double({ min: 125, max: 130, noNaN: true }),
    }),
    timeZone: fc.constantFrom('Asia/Seoul', 'Asia/Tokyo', 'America/New_York'),
    hours: fc.constantFrom([], [{ weekdays: [1, 3, 5], opens: '09:00', closes: '18:00' }]),
    abilities: fc.subarray(['SHIP', 'SHIP', 'PICKUP', 'COLD_CHAIN', 'DAWN', 'SAME_DAY']),
    dawn: fc.constant({ cutOff: '23:00', deliveredBy: '07:00', radiusKm: 300 }),
    sameDay: fc.constant({ cutOff: '14:00', deliveredBy: '21:00', radiusKm: 200 }),
    answerWithinSeconds: fc.integer({ min: 1, max: 90_000 }),
    shipDays: fc.integer({ min: 0, max: 3 }),
    status: fc.constantFrom('OPEN', 'OPEN', 'OPEN', 'CLOSED'),
  });

const NODE_IDS = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'];
const levels = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: NODE_IDS.length, maxLength: NODE_IDS.length });

/** A small network, what it holds, and an order for it. */
const anything = fc
  .record({
    nodes: fc.tuple(...NODE_IDS.map(anyNode)),
    stock: fc.tuple(...SKUS.map(() => levels)),
    lines: fc.array(
      fc.record({
        sku: fc.constantFrom(...SKUS),
        units: fc.integer({ min: 1, max: 5 }),
        storage: fc.constantFrom('AMBIENT' as const, 'AMBIENT' as const, 'COLD' as const),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    choice: fc.constantFrom('HOME_DELIVERY', 'HOME_DELIVERY', 'SAME_DAY', 'DAWN', 'PICKUP'),
    excludedNodeIds: fc.subarray(NODE_IDS, { maxLength: 2 }),
    pickupNodeId: fc.constantFrom(...NODE_IDS),
    knowsPlace: fc.boolean(),
  })
  .map(({ nodes, stock, lines, choice, excludedNodeIds, pickupNodeId, knowsPlace }) => ({
    nodes,
    available: new Map<string, ReadonlyMap<string, number>>(
      SKUS.map((sku, line) => [sku, new Map(NODE_IDS.map((id, index) => [id, stock[line]![index]!]))] as const),
    ),
    request: {
      ...{ lines, choice, excludedNodeIds, now: NOW },
      destination: knowsPlace ? { latitude: 37, longitude: 127 } : undefined,
      pickupNodeId: choice === 'PICKUP' ? pickupNodeId : undefined,
    } as SourcingRequest,
  }));

const wantedOf = ({ lines }: SourcingRequest): Map<string, number> => {
  const wanted = new Map<string, number>();
  for (const { sku, units } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + units);
  return wanted;
};
const totals = (parts: readonly { lines: readonly { sku: string; units: number }[] }[]): Map<string, number> => {
  const total = new Map<string, number>();
  for (const { sku, units } of parts.flatMap(({ lines }) => lines)) total.set(sku, (total.get(sku) ?? 0) + units);
  return total;
};
const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** By a rule of its own, without looking at the code: the fewest nodes of these that have everything. */
const fewest = (holdings: number[][], wanted: number[]): number | undefined => {
  let best: number | undefined;
  for (let mask = 1; mask < 1 << holdings.length; mask += 1) {
    const chosen = holdings.filter((_, index) => (mask >> index) & 1);
    if (chosen.length > 4 || (best !== undefined && chosen.length >= best)) continue;
    if (wanted.every((units, line) => chosen.reduce((all, one) => all + one[line]!, 0) >= units)) best = chosen.length;
  }
  return best;
};

const RUNS = { numRuns: 1500 };

describe('whatever the network, the stock and the order', () => {
  it('a plan has exactly the lines, and never more than is available at a node', () => {
    let plans = 0;
    fc.assert(
      fc.property(anything, ({ request, nodes, available }) => {
        const planned = source(request, nodes, available);
        if (!planned.ok) return;
        plans += 1;
        const { fulfilments } = planned.value;
        expect(sorted(totals(fulfilments))).toEqual(sorted(wantedOf(request)));
        expect(new Set(fulfilments.map(({ nodeId }) => nodeId)).size).toBe(fulfilments.length);
        for (const { nodeId, lines, promise } of fulfilments) {
          expect(lines.length).toBeGreaterThan(0);
          expect(promise.by >= request.now).toBe(true);
          for (const { sku, units } of lines) {
            expect(units).toBeGreaterThan(0);
            expect(units).toBeLessThanOrEqual(available.get(sku)!.get(nodeId)!);
          }
        }
      }),
      RUNS,
    );
    expect(plans).toBeGreaterThan(100);
  });

  it('a plan uses only nodes that are open, able, not excluded, and cold where the goods are', () => {
    fc.assert(
      fc.property(anything, ({ request, nodes, available }) => {
        const planned = source(request, nodes, available);
        if (!planned.ok) return;
        const { choice, excludedNodeIds, pickupNodeId } = request;
        const isCold = (sku: string) => request.lines.some((line) => line.sku === sku && line.storage === 'COLD');
        for (const { nodeId, lines } of planned.value.fulfilments) {
          const node = nodes.find((one) => one.nodeId === nodeId)!;
          expect(node.status).toBe('OPEN');
          expect(excludedNodeIds).not.toContain(nodeId);
          expect(node.abilities).toContain(choice === 'HOME_DELIVERY' ? 'SHIP' : choice);
          if (choice === 'PICKUP') expect(nodeId).toBe(pickupNodeId);
          if (lines.some(({ sku }) => isCold(sku))) expect(node.abilities).toContain('COLD_CHAIN');
        }
      }),
      RUNS,
    );
  });

  it('the order of nodes and lines means nothing', () => {
    fc.assert(
      fc.property(anything, fc.infiniteStream(fc.nat()), ({ request, nodes, available }, dice) => {
        const shuffled = <T>(some: readonly T[]): T[] =>
          some
            .map((one) => ({ one, at: dice.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ one }) => one);
        const other = source({ ...request, lines: shuffled(request.lines) }, shuffled(nodes), available);
        const planned = source(request, nodes, available);
        if (planned.ok && other.ok) expect(other.value.fulfilments).toEqual(planned.value.fulfilments);
        else if (planned.ok || other.ok) expect(other).toEqual(planned);
        else expect(other.refusal.problem).toBe(planned.refusal.problem);
      }),
      RUNS,
    );
  });

  it('sold out is said only when the open nodes really have too little', () => {
    fc.assert(
      fc.property(anything, ({ request, nodes, available }) => {
        const planned = source(request, nodes, available);
        if (planned.ok) return;
        const asked = nodes.filter(
          ({ status, nodeId }) => status === 'OPEN' && !request.excludedNodeIds!.includes(nodeId),
        );
        const isShort = [...wantedOf(request)].some(
          ([sku, units]) =>
            asked.reduce((all, { nodeId }) => all + Math.max(0, available.get(sku)!.get(nodeId)!), 0) < units,
        );
        expect(planned.refusal.problem).toBe(isShort ? 'sold-out' : 'not-deliverable');
      }),
      RUNS,
    );
  });

  it('home delivery takes as few parcels as any choice of nodes can, and is refused only where none can', () => {
    let splits = 0;
    fc.assert(
      fc.property(anything, ({ request, nodes, available }) => {
        const wanted = [...wantedOf(request)];
        const home = { ...request, choice: 'HOME_DELIVERY' as const };
        const isCold = (sku: string) => request.lines.some((line) => line.sku === sku && line.storage === 'COLD');
        const holdings = nodes
          .filter(({ status, nodeId, abilities }) => {
            return status === 'OPEN' && abilities.includes('SHIP') && !request.excludedNodeIds!.includes(nodeId);
          })
          .map(({ nodeId, abilities }) =>
            wanted.map(([sku]) =>
              isCold(sku) && !abilities.includes('COLD_CHAIN') ? 0 : Math.max(0, available.get(sku)!.get(nodeId)!),
            ),
          );
        const best = fewest(
          holdings,
          wanted.map(([, units]) => units),
        );
        const planned = source(home, nodes, available);
        expect(planned.ok ? planned.value.fulfilments.length : undefined).toBe(best);
        if (best !== undefined && best > 1) splits += 1;
      }),
      RUNS,
    );
    expect(splits).toBeGreaterThan(100);
  });

  it('what is there and what is missing are the order, and nothing is missing that a plan would have had', () => {
    fc.assert(
      fc.property(anything, ({ request, nodes, available }) => {
        const { fulfilments, missing } = sourceWhatIsThere(request, nodes, available);
        expect(sorted(totals([...fulfilments, { lines: missing }]))).toEqual(sorted(wantedOf(request)));
        expect(missing.length === 0).toBe(source(request, nodes, available).ok);
      }),
      RUNS,
    );
  });
});

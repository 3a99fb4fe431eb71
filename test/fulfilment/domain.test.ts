import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import fulfilment, { METHODS, WORK } from '../../functions/fulfilment/contract.ts';
import {
  type Action,
  answerOf,
  type FulfilmentWork,
  isOnWorklist,
  isOver,
  LINES_PER_MOVE,
  linesToMove,
  moved,
  partsOfId,
  refusers,
  STEPS,
  scheduled,
  take,
} from '../../functions/fulfilment/domain.ts';
import { NOW } from './network.ts';

const order = (more: Partial<FulfilmentWork> = {}): FulfilmentWork => ({
  ...scheduled(
    {
      ...{ fulfilmentOrderId: 'ord_1-1', orderId: 'ord_1', customerId: 'c', nodeId: 'n1', choice: 'HOME_DELIVERY' },
      ...{ lines: [{ sku: 'TEE', units: 1, storage: 'COLD' }], reason: 'nearest', partsPlanned: 1 },
      ...{ promise: { by: NOW, text: 'soon' }, answerBy: NOW, excludedNodeIds: [] },
    },
    NOW,
  ),
  ...more,
});
const ACTIONS = Object.keys(STEPS) as Action[];

describe('the work at a node', () => {
  it('has a route for every step of the table, and no other', () => {
    const routes = Object.values(fulfilment.operations)
      .map(({ route }) => /^POST \/v1\/fulfilment-orders\/\{fulfilmentOrderId\}\/(\w+)$/.exec(route)?.[1])
      .filter((action) => action !== undefined);
    expect(routes.sort()).toEqual([...ACTIONS].sort());
  });

  it('takes these steps and no others', () => {
    const possible = METHODS.flatMap((method) =>
      WORK.flatMap((work) =>
        ACTIONS.flatMap((action) => {
          const taken = take(order({ method, work }), action, NOW);
          return taken.ok ? [`${method}: ${work} ${action} ${taken.value.work} ${taken.value.status}`] : [];
        }),
      ),
    );
    expect(possible).toEqual([
      'SHIP: ALLOCATED accept ACCEPTED IN_PROGRESS',
      'SHIP: ALLOCATED reject REJECTED OPEN',
      'SHIP: ACCEPTED pick PICKED IN_PROGRESS',
      'SHIP: PICKED pack PACKED IN_PROGRESS',
      'SHIP: PACKED dispatch DISPATCHED IN_PROGRESS',
      'SHIP: DISPATCHED deliver DELIVERED CLOSED',
      'COLLECT: ALLOCATED accept ACCEPTED IN_PROGRESS',
      'COLLECT: ALLOCATED reject REJECTED OPEN',
      'COLLECT: ACCEPTED pick PICKED IN_PROGRESS',
      'COLLECT: ACCEPTED ready READY IN_PROGRESS',
      'COLLECT: PICKED ready READY IN_PROGRESS',
      'COLLECT: READY collect COLLECTED CLOSED',
    ]);
  });

  it('whatever is tried in whatever order, it ends at most once and leaves the worklist exactly then or at rejection', () => {
    let ends = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...METHODS),
        fc.array(fc.constantFrom(...ACTIONS), { maxLength: 25 }),
        (method, tries) => {
          let now = order({ method });
          let ended = 0;
          for (const action of tries) {
            const before = now;
            const taken = take(now, action, NOW, action === 'reject' ? 'damaged' : undefined);
            if (!taken.ok) continue;
            now = taken.value;
            expect(now.version).toBe(before.version + 1);
            expect(isOver(before)).toBe(false);
            if (isOver(now)) ended += 1;
            expect(isOnWorklist(now)).toBe(!isOver(now) && now.work !== 'REJECTED');
          }
          expect(ended).toBeLessThanOrEqual(1);
          ends += ended;
        },
      ),
      { numRuns: 3000 },
    );
    expect(ends).toBeGreaterThan(20);
  });

  it.each([
    [{}, undefined],
    [{ status: 'OPEN' }, undefined],
    [{ status: 'OPEN', work: 'REJECTED' }, 'REJECTED'],
    [{ status: 'IN_PROGRESS', work: 'ACCEPTED' }, 'ACCEPTED'],
    [{ status: 'CLOSED', work: 'DELIVERED' }, 'ACCEPTED'],
    [{ status: 'INCOMPLETE', work: 'REJECTED' }, 'RESOLVED'],
    [{ status: 'INCOMPLETE', work: 'TIMED_OUT' }, 'RESOLVED'],
    [{ status: 'CANCELLED' }, 'RESOLVED'],
  ] as const)('of %j the workflow is told %s', (state, answer) => {
    expect(answerOf(order(state))).toBe(answer);
  });
});

describe('sourcing anew', () => {
  it('keeps how the goods are stored', () => {
    expect(order().lines).toEqual([{ sku: 'TEE', units: 1, storage: 'COLD' }]);
  });

  it('a node that once refused a part of the order is not asked for another part', () => {
    const refused = order({ nodeId: 'n1', work: 'REJECTED', excludedNodeIds: ['n0'] });
    const late = order({ nodeId: 'n2', work: 'TIMED_OUT' });
    const busy = order({ nodeId: 'n3', work: 'PICKED' });
    const current = order({ nodeId: 'n4' });
    expect(refusers([refused, late, busy, current], current)).toEqual(['n0', 'n1', 'n2', 'n4']);
  });

  it('a long fulfilment order moves by parts, and is over with the last one only', () => {
    const lines = Array.from({ length: 33 }, (_, n) => ({ sku: `S${n}`, units: 1, storage: 'AMBIENT' as const }));
    const long = order({ lines });
    const first = linesToMove(long, LINES_PER_MOVE);
    expect([first.batch.length, first.rest.length]).toEqual([20, 13]);
    const between = moved(long, first.rest, NOW);
    expect(between).toMatchObject({ status: 'SCHEDULED', work: 'ALLOCATED', lines: first.rest, version: 2 });
    const last = linesToMove(between, LINES_PER_MOVE);
    expect(last.rest).toEqual([]);
    expect(moved(between, last.rest, NOW)).toMatchObject({ status: 'INCOMPLETE', work: 'TIMED_OUT', version: 3 });
  });

  it.each([
    ['ord_01J-1', { orderId: 'ord_01J', n: 1 }],
    ['ord-with-dashes-12', { orderId: 'ord-with-dashes', n: 12 }],
    ['ord_01J', undefined],
    ['ord_01J-0', undefined],
    ['-1', undefined],
  ])('%s is of %j', (id, parts) => {
    expect(partsOfId(id)).toEqual(parts);
  });
});

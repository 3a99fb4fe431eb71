import { describe, expect, it } from 'vitest';
import { Survey } from '../../functions/fulfilment/sourcing/candidates.ts';
import { deliveryOptions } from '../../functions/fulfilment/sourcing/options.ts';
import type { Availability, SourcingNode, SourcingRequest } from '../../functions/fulfilment/sourcing/request.ts';
import { source, sourceWhatIsThere } from '../../functions/fulfilment/sourcing/source.ts';
import { distanceFrom } from '../../shared/geography.ts';
import { BUSAN, daily, dc, GANGNAM, ICHEON, request, SEOUL, stock, store } from './network.ts';

const sourced = (wanted: SourcingRequest, nodes: SourcingNode[], available: Availability) => {
  const planned = source(wanted, nodes, available);
  if (!planned.ok) throw new Error(planned.refusal.detail);
  return planned.value.fulfilments;
};
const refused = (wanted: SourcingRequest, nodes: SourcingNode[], available: Availability) => {
  const planned = source(wanted, nodes, available);
  return planned.ok ? undefined : planned.refusal;
};
const nodeIds = (...args: Parameters<typeof sourced>) => sourced(...args).map(({ nodeId }) => nodeId);

describe('one node', () => {
  it('a distribution centre supplies before a nearer store', () => {
    const nodes = [store('store-gangnam', { location: GANGNAM }), dc('dc-icheon', { location: ICHEON })];
    const [only, ...more] = sourced(
      request({ TEE: 2 }),
      nodes,
      stock({ 'store-gangnam': { TEE: 9 }, 'dc-icheon': { TEE: 2 } }),
    );
    expect(more).toEqual([]);
    expect(only).toMatchObject({ nodeId: 'dc-icheon', lines: [{ sku: 'TEE', units: 2 }] });
    expect(only!.reason).toBe('dc-icheon, 43.9 km, is the nearest distribution centre with all lines');
  });

  it('where the distribution centre has nothing, the nearest store does, and the reason says so with figures', () => {
    const nodes = [
      dc('dc-icheon', { location: ICHEON }),
      store('store-busan', { location: BUSAN }),
      store('store-seoul', { location: SEOUL }),
    ];
    const available = stock({ 'store-busan': { 'TEE-BLK-M': 5 }, 'store-seoul': { 'TEE-BLK-M': 2 } });
    const [only] = sourced(request({ 'TEE-BLK-M': 2 }), nodes, available);
    expect(only!.nodeId).toBe('store-seoul');
    expect(only!.reason).toBe('dc-icheon has 0 of 2 TEE-BLK-M; store-seoul, 8.8 km, is the nearest with all lines');
  });

  it('a store that has everything comes before two distribution centres that have it between them', () => {
    const nodes = [dc('dc-1'), dc('dc-2'), store('store-1')];
    const available = stock({ 'dc-1': { TEE: 1 }, 'dc-2': { CAP: 1 }, 'store-1': { TEE: 1, CAP: 1 } });
    const [only] = sourced(request({ TEE: 1, CAP: 1 }), nodes, available);
    expect(only!.nodeId).toBe('store-1');
    expect(only!.reason).toBe('dc-1 has 0 of 1 CAP; store-1, 8.8 km, is the only one with all lines');
  });

  it('the same SKU on two lines is wanted once, with the sum of its units', () => {
    const twice = { ...request({}), lines: [...request({ TEE: 1 }).lines, ...request({ TEE: 2 }).lines] };
    expect(refused(twice, [dc('dc-1')], stock({ 'dc-1': { TEE: 2 } }))?.problem).toBe('sold-out');
    expect(sourced(twice, [dc('dc-1')], stock({ 'dc-1': { TEE: 3 } }))[0]!.lines).toEqual([{ sku: 'TEE', units: 3 }]);
  });

  it.each([
    ['closed', { status: 'CLOSED' as const }],
    ['without the ability', { abilities: ['PICKUP'] }],
  ])('a node that is %s is not asked', (_, more) => {
    const available = stock({ 'dc-1': { TEE: 9 }, 'store-1': { TEE: 1 } });
    expect(nodeIds(request({ TEE: 1 }), [dc('dc-1', more), store('store-1')], available)).toEqual(['store-1']);
  });

  it('a node that had the order and did not supply it is not asked again', () => {
    const available = stock({ 'dc-1': { TEE: 9 }, 'store-1': { TEE: 1 } });
    const again = request({ TEE: 1 }, { excludedNodeIds: ['dc-1'] });
    expect(nodeIds(again, [dc('dc-1'), store('store-1')], available)).toEqual(['store-1']);
    expect(refused(again, [dc('dc-1')], available)?.problem).toBe('sold-out');
  });

  it('without a known place the id decides, not a distance', () => {
    const nodes = [dc('dc-b', { location: GANGNAM }), dc('dc-a', { location: BUSAN })];
    const available = stock({ 'dc-a': { TEE: 1 }, 'dc-b': { TEE: 1 } });
    const [only] = sourced(request({ TEE: 1 }, { destination: undefined }), nodes, available);
    expect(only!.reason).toBe('dc-a is the first with all lines');
  });
});

describe('several nodes', () => {
  it('as few as have everything, each with its part and the reason', () => {
    const nodes = [dc('dc-1', { location: ICHEON }), store('store-1', { location: SEOUL }), store('store-2')];
    const available = stock({ 'dc-1': { TEE: 2, CAP: 1 }, 'store-1': { CAP: 3, MUG: 1 }, 'store-2': { TEE: 1 } });
    const parts = sourced(request({ TEE: 2, CAP: 1, MUG: 1 }), nodes, available);
    expect(parts.map(({ nodeId, lines, reason }) => ({ nodeId, lines, reason }))).toEqual([
      {
        nodeId: 'dc-1',
        lines: [
          { sku: 'CAP', units: 1 },
          { sku: 'TEE', units: 2 },
        ],
        reason: 'no node has all 3 lines; dc-1, 43.9 km, supplies 2',
      },
      {
        nodeId: 'store-1',
        lines: [{ sku: 'MUG', units: 1 }],
        reason: 'no node has all 3 lines; store-1, 8.8 km, supplies 1',
      },
    ]);
  });

  it('units of one line may come from two nodes', () => {
    const parts = sourced(
      request({ TEE: 5 }),
      [dc('dc-1'), dc('dc-2')],
      stock({ 'dc-1': { TEE: 3 }, 'dc-2': { TEE: 4 } }),
    );
    expect(parts.map(({ nodeId, lines }) => [nodeId, lines[0]!.units])).toEqual([
      ['dc-1', 3],
      ['dc-2', 2],
    ]);
    expect(parts[0]!.reason).toBe('no node has 5 TEE; dc-1, 8.8 km, supplies 3');
  });

  it('two nodes are found where taking the fullest first would have needed three', () => {
    const available = stock({
      greedy: { A: 1, B: 1, C: 1, D: 1 },
      left: { A: 1, B: 1, E: 1 },
      right: { C: 1, D: 1, F: 1 },
    });
    const nodes = [dc('greedy'), dc('left'), dc('right')];
    expect(nodeIds(request({ A: 1, B: 1, C: 1, D: 1, E: 1, F: 1 }), nodes, available)).toEqual(['left', 'right']);
  });

  it('what would take five parcels is not delivered, and not called sold out', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((id) => dc(id));
    const available = stock({ a: { TEE: 1 }, b: { TEE: 1 }, c: { TEE: 1 }, d: { TEE: 1 }, e: { TEE: 1 } });
    expect(nodeIds(request({ TEE: 4 }), nodes, available)).toEqual(['a', 'b', 'c', 'd']);
    expect(refused(request({ TEE: 5 }), nodes, available)).toEqual({
      problem: 'not-deliverable',
      detail: 'it would take more than 4 nodes to supply all lines',
    });
    expect(refused(request({ TEE: 6 }), nodes, available)).toEqual({
      problem: 'sold-out',
      detail: '5 of 6 TEE are available',
    });
  });

  it('a till that sold below zero takes nothing from the other nodes', () => {
    const available = stock({ 'dc-1': { TEE: -3 }, 'dc-2': { TEE: 2 } });
    expect(nodeIds(request({ TEE: 2 }), [dc('dc-1'), dc('dc-2')], available)).toEqual(['dc-2']);
  });

  it('when not everything is there, what is there is still supplied', () => {
    const available = stock({ 'dc-1': { TEE: 1 }, 'store-1': { CAP: 2 } });
    const rescued = sourceWhatIsThere(request({ TEE: 3, CAP: 2, MUG: 1 }), [dc('dc-1'), store('store-1')], available);
    expect(rescued.fulfilments.map(({ nodeId, lines }) => [nodeId, lines])).toEqual([
      ['dc-1', [{ sku: 'TEE', units: 1 }]],
      ['store-1', [{ sku: 'CAP', units: 2 }]],
    ]);
    expect(rescued.missing).toEqual([
      { sku: 'MUG', units: 1 },
      { sku: 'TEE', units: 2 },
    ]);
    expect(rescued.reason).toBe('0 of 1 MUG are available');
  });
});

describe('cold goods', () => {
  it('come from the cold chain, and a warm node supplies the rest', () => {
    const warm = dc('dc-warm', { abilities: ['SHIP'] });
    const available = stock({ 'dc-warm': { MILK: 9, TEE: 9 }, 'store-cold': { MILK: 1 } });
    const parts = sourced(request({ MILK: 1, TEE: 1 }, { cold: ['MILK'] }), [warm, store('store-cold')], available);
    expect(parts.map(({ nodeId, lines }) => [nodeId, lines])).toEqual([
      ['dc-warm', [{ sku: 'TEE', units: 1 }]],
      ['store-cold', [{ sku: 'MILK', units: 1 }]],
    ]);
  });

  it('that only warm nodes have are not delivered, and the reason names the node', () => {
    const warm = dc('dc-warm', { abilities: ['SHIP'] });
    expect(refused(request({ MILK: 1 }, { cold: ['MILK'] }), [warm], stock({ 'dc-warm': { MILK: 9 } }))).toEqual({
      problem: 'not-deliverable',
      detail: '0 of 1 MILK are where they can be supplied from; dc-warm has no cold chain',
    });
  });
});

describe('delivery against the clock', () => {
  const express = { cutOff: '14:00', deliveredBy: '21:00', radiusKm: 10 };
  const seoul = store('store-seoul', { abilities: ['SAME_DAY'], sameDay: express, hours: daily('10:00', '20:00') });
  const available = stock({ 'store-seoul': { TEE: 1 }, 'dc-1': { TEE: 1 } });
  const today = (more = {}) => request({ TEE: 1 }, { choice: 'SAME_DAY', ...more });

  it("same day: before the cut-off on the node's own clock it is there tonight", () => {
    const [only] = sourced(today({ now: '2026-11-18T05:00:00.000Z' }), [seoul], available);
    expect(only!.promise).toEqual({ by: '2026-11-18T12:00:00.000Z', text: 'delivered by 2026-11-18 21:00' });
  });

  it('same day: a minute after the cut-off it is not', () => {
    expect(refused(today({ now: '2026-11-18T05:01:00.000Z' }), [seoul], available)).toEqual({
      problem: 'not-deliverable',
      detail: '0 of 1 TEE are where they can be supplied from; store-seoul takes orders for today until 14:00',
    });
  });

  it('same day: nobody delivers on a day on which the node does not work', () => {
    const weekdaysOnly = { ...seoul, hours: [{ weekdays: [1, 2, 3, 4, 5], opens: '10:00', closes: '20:00' }] };
    const saturday = today({ now: '2026-11-21T02:00:00.000Z' });
    expect(nodeIds(saturday, [seoul], available)).toEqual(['store-seoul']);
    expect(refused(saturday, [weekdaysOnly], available)?.problem).toBe('not-deliverable');
  });

  it('same day: too far is too far, and the reason says how far', () => {
    expect(refused(today({ destination: ICHEON }), [seoul], available)?.detail).toBe(
      '0 of 1 TEE are where they can be supplied from; store-seoul, 52.0 km, is the nearest, and out of reach',
    );
  });

  it('same day: an address without a location cannot be within reach', () => {
    expect(refused(today({ destination: undefined }), [seoul], available)?.detail).toMatch(
      /the address has no location$/,
    );
  });

  const night = dc('dc-1', { abilities: ['DAWN'], dawn: { cutOff: '23:00', deliveredBy: '07:00', radiusKm: 60 } });
  it.each([
    ['an hour before the cut-off', '2026-11-18T13:00:00.000Z', '2026-11-18T22:00:00.000Z'],
    ['an hour after it', '2026-11-18T15:00:00.000Z', '2026-11-19T22:00:00.000Z'],
  ])('dawn: ordered %s it is there by 07:00 after the next cut-off', (_, now, by) => {
    const [only] = sourced(request({ TEE: 1 }, { choice: 'DAWN', now }), [night], available);
    expect(only!.promise.by).toBe(by);
    expect(only!.promise.text).toMatch(/07:00$/);
  });

  it('dawn: an evening on which nobody works is left out', () => {
    const hours = [{ weekdays: [1, 2, 3, 4, 5, 7], opens: '09:00', closes: '23:00' }];
    const saturday = request({ TEE: 1 }, { choice: 'DAWN', now: '2026-11-21T03:00:00.000Z' });
    expect(sourced(saturday, [{ ...night, hours }], available)[0]!.promise.text).toBe('delivered by 2026-11-23 07:00');
  });
});

describe('promises of home delivery and pickup', () => {
  const promise = (node: SourcingNode, now: string, choice: 'HOME_DELIVERY' | 'PICKUP' = 'HOME_DELIVERY') =>
    sourced(
      request({ TEE: 1 }, { choice, now, pickupNodeId: node.nodeId }),
      [node],
      stock({ [node.nodeId]: { TEE: 1 } }),
    )[0]!.promise.text;
  const office = dc('dc-1', { hours: [{ weekdays: [1, 2, 3, 4, 5], opens: '09:00', closes: '18:00' }] });

  it.each([
    ['Friday noon', '2026-11-20T03:00:00.000Z', 'delivered by 2026-11-21 22:00'],
    ['Friday at closing time', '2026-11-20T09:00:00.000Z', 'delivered by 2026-11-24 22:00'],
    ['an hour before closing, with three hours of work', '2026-11-20T08:00:00.000Z', 'delivered by 2026-11-24 22:00'],
    ['Sunday night', '2026-11-22T14:00:00.000Z', 'delivered by 2026-11-24 22:00'],
  ])('ordered on %s', (_, now, text) => {
    expect(promise(office, now)).toBe(text);
  });

  it('a parcel that is handed over late in the evening is not promised for before', () => {
    expect(promise(dc('dc-1', { shipDays: 0 }), '2026-11-18T12:30:00.000Z')).toBe('delivered by 2026-11-19 22:00');
  });

  const shop = store('store-1', { hours: daily('10:00', '22:00') });
  it.each([
    ['in the afternoon', '2026-11-18T05:00:00.000Z', 'ready by 2026-11-18 16:00'],
    ['an hour before closing', '2026-11-18T12:00:00.000Z', 'ready by 2026-11-19 11:00'],
    ['at night', '2026-11-18T18:00:00.000Z', 'ready by 2026-11-19 12:00'],
  ])('collected, ordered %s', (_, now, text) => {
    expect(promise(shop, now, 'PICKUP')).toBe(text);
  });

  it('hours split at midnight go on after it', () => {
    const hours = [...daily('20:00', '23:59'), ...daily('00:00', '04:00')];
    expect(promise(store('store-1', { hours }), '2026-11-18T14:00:00.000Z', 'PICKUP')).toBe(
      'ready by 2026-11-19 01:01',
    );
  });
});

describe('pickup', () => {
  const shops = [store('store-a', { location: SEOUL }), store('store-b', { location: GANGNAM })];

  it('is supplied by the chosen store, however near another one is', () => {
    const available = stock({ 'store-a': { TEE: 1 }, 'store-b': { TEE: 1 } });
    const chosen = request({ TEE: 1 }, { choice: 'PICKUP', pickupNodeId: 'store-a' });
    expect(sourced(chosen, shops, available)[0]).toMatchObject({
      nodeId: 'store-a',
      reason: 'store-a, 8.8 km, is where the customer collects',
    });
  });

  it('is never split, and not called sold out while another store has it', () => {
    const chosen = request({ TEE: 2 }, { choice: 'PICKUP', pickupNodeId: 'store-a' });
    const available = stock({ 'store-a': { TEE: 1 }, 'store-b': { TEE: 9 } });
    expect(refused(chosen, shops, available)).toEqual({
      problem: 'not-deliverable',
      detail: 'store-a has 1 of 2 TEE',
    });
    const nowhere = { ...chosen, pickupNodeId: 'store-c' };
    expect(refused(nowhere, shops, available)?.detail).toBe('nobody can collect at store-c');
    expect(refused(chosen, shops, stock({ 'store-a': { TEE: 1 } }))?.problem).toBe('sold-out');
  });
});

describe('what a customer may choose from', () => {
  it('every way of delivery with its promise or the reason against it, then the nearest stores', () => {
    const nodes = [
      dc('dc-1', { location: ICHEON, abilities: ['SHIP'] }),
      store('store-seoul', { location: SEOUL }),
      store('store-gangnam', { location: GANGNAM }),
    ];
    const available = stock({ 'dc-1': { TEE: 1 }, 'store-seoul': { TEE: 1 }, 'store-gangnam': { TEE: 1 } });
    const { lines, destination, now } = request({ TEE: 1 });
    const shown = deliveryOptions({ lines, destination, now }, nodes, available);
    expect(shown.map(({ choice, available: isPossible, nodeId }) => [choice, isPossible, nodeId])).toEqual([
      ['HOME_DELIVERY', true, undefined],
      ['SAME_DAY', false, undefined],
      ['DAWN', false, undefined],
      ['PICKUP', true, 'store-gangnam'],
      ['PICKUP', true, 'store-seoul'],
    ]);
    expect(shown[0]).toMatchObject({
      promise: { text: 'delivered by 2026-11-19 22:00' },
      reason: 'in one parcel: dc-1, 43.9 km, is the nearest distribution centre with all lines',
    });
    expect(shown[1]!.reason).toBe('0 of 1 TEE are where they can be supplied from; no node offers SAME_DAY');
  });

  it('nothing to collect is said too', () => {
    const { lines, now } = request({ TEE: 1 });
    const shown = deliveryOptions({ lines, now }, [store('store-1')], stock({}));
    expect(shown.every(({ available }) => !available)).toBe(true);
    expect(shown.at(-1)).toEqual({ choice: 'PICKUP', available: false, reason: 'no node to collect at has all lines' });
  });
});

describe('an explanation', () => {
  it('has a verdict for every node, and distances only where there is stock', () => {
    const nodes = [
      dc('full'),
      dc('some'),
      dc('none'),
      dc('shut', { status: 'CLOSED' }),
      dc('out'),
      dc('mute', { abilities: [] }),
    ];
    const available = stock({
      full: { TEE: 2 },
      some: { TEE: 1 },
      shut: { TEE: 9 },
      out: { TEE: 9 },
      mute: { TEE: 9 },
    });
    const { considered } = new Survey(request({ TEE: 2 }, { excludedNodeIds: ['out'] }), nodes, available);
    expect(considered.map(({ node, verdict, distanceKm }) => [node.nodeId, verdict, distanceKm !== undefined])).toEqual(
      [
        ['full', 'ALL_LINES', true],
        ['some', 'SOME_LINES', true],
        ['none', 'NO_STOCK', false],
        ['shut', 'CLOSED', false],
        ['out', 'EXCLUDED', false],
        ['mute', 'NOT_ABLE', false],
      ],
    );
  });
});

describe('distance', () => {
  it.each([
    ['Seoul to Busan', SEOUL, BUSAN, 325.1],
    ['across the date line', { latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 }, 111.2],
    ['to the other side of the earth', { latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 }, 20_015.1],
    ['to itself', SEOUL, SEOUL, 0],
  ])('%s', (_, from, to, km) => {
    expect(distanceFrom(from)(to)).toBeCloseTo(km, 0);
  });
});

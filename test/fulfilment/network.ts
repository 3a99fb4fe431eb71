import type { SourcingNode, SourcingRequest } from '../../functions/fulfilment/sourcing/request.ts';

/** Half past one in the afternoon on a Wednesday in Seoul. */
export const NOW = '2026-11-18T04:30:00.000Z';
export const SEOUL = { latitude: 37.5665, longitude: 126.978 };
export const GANGNAM = { latitude: 37.4979, longitude: 127.0276 };
export const ICHEON = { latitude: 37.2723, longitude: 127.435 };
export const BUSAN = { latitude: 35.1796, longitude: 129.0756 };

const node = (nodeId: string, kind: SourcingNode['kind'], more: Partial<SourcingNode> = {}): SourcingNode => ({
  ...{ nodeId, kind, location: SEOUL, timeZone: 'Asia/Seoul', hours: [], answerWithinSeconds: 3600, shipDays: 1 },
  status: 'OPEN',
  abilities: ['SHIP', 'PICKUP', 'COLD_CHAIN'],
  ...more,
});
export const dc = (nodeId: string, more: Partial<SourcingNode> = {}) => node(nodeId, 'DC', more);
export const store = (nodeId: string, more: Partial<SourcingNode> = {}) => node(nodeId, 'STORE', more);

/** Every day of the week, by the node's clock. */
export const daily = (opens: string, closes: string) => [{ weekdays: [1, 2, 3, 4, 5, 6, 7], opens, closes }];

/** `{ 'dc-1': { TEE: 2 } }`: units by node and SKU. */
export const stock = (byNode: Record<string, Record<string, number>>): Map<string, Map<string, number>> => {
  const bySku = new Map<string, Map<string, number>>();
  for (const [nodeId, levels] of Object.entries(byNode)) {
    for (const [sku, units] of Object.entries(levels)) {
      bySku.set(sku, (bySku.get(sku) ?? new Map<string, number>()).set(nodeId, units));
    }
  }
  return bySku;
};

/** A home delivery to Gangnam of `{ TEE: 2 }`, unless it says otherwise; SKUs in `cold` need the cold chain. */
export const request = (
  lines: Record<string, number>,
  { cold = [], ...more }: Partial<SourcingRequest> & { cold?: string[] } = {},
): SourcingRequest => ({
  lines: Object.entries(lines).map(([sku, units]) => ({
    ...{ sku, units },
    storage: cold.includes(sku) ? 'COLD' : 'AMBIENT',
  })),
  ...{ choice: 'HOME_DELIVERY', destination: GANGNAM, now: NOW },
  ...more,
});

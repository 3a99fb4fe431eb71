import type { NewNode } from '../../functions/network/contract.ts';

/** A chain small enough to be opened in a moment: one distribution centre and four stores around Seoul's city hall. */

export const CITY_HALL = { latitude: 37.5663, longitude: 126.9779 };

type Store = [nodeId: string, latitude: number, longitude: number, answerWithinSeconds: number];

const common: Pick<NewNode, 'timeZone' | 'hours' | 'status'> = { timeZone: 'Asia/Seoul', hours: [], status: 'OPEN' };

const store = ([nodeId, latitude, longitude, answerWithinSeconds]: Store): NewNode => ({
  ...common,
  nodeId,
  name: { ko: nodeId },
  kind: 'STORE',
  location: { latitude, longitude },
  abilities: ['SHIP', 'PICKUP'],
  answerWithinSeconds,
  shipDays: 2,
});

export const CENTRE = 'dc-icheon';
/** From the nearest to city hall to the farthest. The first never answers in time, unless it is very quick. */
export const [HASTY, NEAR, FAR, FARTHEST] = ['store-hasty', 'store-near', 'store-far', 'store-farthest'] as const;

const ANSWER_SECONDS = 1800;

const STORES: Store[] = [
  [HASTY, 37.567, 126.978, 1],
  [NEAR, 37.57, 126.99, ANSWER_SECONDS],
  [FAR, 37.55, 127.03, ANSWER_SECONDS],
  [FARTHEST, 37.51, 127.1, ANSWER_SECONDS],
];

const centre: NewNode = {
  ...common,
  nodeId: CENTRE,
  name: { ko: CENTRE },
  kind: 'DC',
  location: { latitude: 37.2721, longitude: 127.435 },
  abilities: ['SHIP', 'COLD_CHAIN', 'DAWN'],
  dawn: { cutOff: '23:00', deliveredBy: '07:00', radiusKm: 80 },
  answerWithinSeconds: ANSWER_SECONDS,
  shipDays: 1,
};

export const NODES: readonly NewNode[] = [centre, ...STORES.map(store)];

import type { NewNode } from '../../functions/network/contract.ts';

/** The demo chain's network: two distribution centres and twenty stores, where their cities really are. */

type Names = [ko: string, en: string, ja: string];
type Place = [nodeId: string, names: Names, latitude: number, longitude: number];

const common = { timeZone: 'Asia/Seoul', status: 'OPEN' } as const;

const named = ([ko, en, ja]: Names) => ({ ko, en, ja });

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

/** Reaches the whole capital region from Icheon, and Busan, Ulsan and Changwon from Yangsan. */
const DAWN_RADIUS_KM = 80;

const centre = ([nodeId, names, latitude, longitude]: Place): NewNode => ({
  ...common,
  nodeId,
  name: named(names),
  kind: 'DC',
  location: { latitude, longitude },
  hours: [{ weekdays: EVERY_DAY, opens: '00:00', closes: '23:59' }],
  abilities: ['SHIP', 'COLD_CHAIN', 'DAWN'],
  dawn: { cutOff: '23:00', deliveredBy: '07:00', radiusKm: DAWN_RADIUS_KM },
  answerWithinSeconds: 30 * 60,
  shipDays: 1,
});

const DOWNTOWN_RADIUS_KM = 15;

const store = ([nodeId, names, latitude, longitude]: Place): NewNode => ({
  ...common,
  nodeId,
  name: named(names),
  kind: 'STORE',
  location: { latitude, longitude },
  hours: [
    { weekdays: [1, 2, 3, 4, 5], opens: '10:00', closes: '22:00' },
    { weekdays: [6, 7], opens: '10:30', closes: '21:00' },
  ],
  abilities: ['SHIP', 'PICKUP', 'SAME_DAY'],
  sameDay: { cutOff: '14:00', deliveredBy: '21:00', radiusKm: DOWNTOWN_RADIUS_KM },
  answerWithinSeconds: 2 * 3600,
  shipDays: 2,
});

const CENTRES: Place[] = [
  ['dc-icheon', ['이천 물류센터', 'Icheon distribution centre', '利川物流センター'], 37.2721, 127.435],
  ['dc-yangsan', ['양산 물류센터', 'Yangsan distribution centre', '梁山物流センター'], 35.335, 129.0371],
];

const STORES: Place[] = [
  ['store-gangnam', ['강남점', 'Gangnam', '江南店'], 37.4979, 127.0276],
  ['store-hongdae', ['홍대점', 'Hongdae', '弘大店'], 37.5572, 126.9254],
  ['store-jamsil', ['잠실점', 'Jamsil', '蚕室店'], 37.5133, 127.1001],
  ['store-incheon', ['인천점', 'Incheon', '仁川店'], 37.4563, 126.7052],
  ['store-suwon', ['수원점', 'Suwon', '水原店'], 37.2636, 127.0286],
  ['store-bundang', ['분당점', 'Bundang', '盆唐店'], 37.3851, 127.1234],
  ['store-ilsan', ['일산점', 'Ilsan', '一山店'], 37.6584, 126.77],
  ['store-chuncheon', ['춘천점', 'Chuncheon', '春川店'], 37.8813, 127.7298],
  ['store-gangneung', ['강릉점', 'Gangneung', '江陵店'], 37.7519, 128.8761],
  ['store-wonju', ['원주점', 'Wonju', '原州店'], 37.3422, 127.9202],
  ['store-daejeon', ['대전점', 'Daejeon', '大田店'], 36.3504, 127.3845],
  ['store-cheongju', ['청주점', 'Cheongju', '清州店'], 36.6424, 127.489],
  ['store-cheonan', ['천안점', 'Cheonan', '天安店'], 36.8151, 127.1139],
  ['store-jeonju', ['전주점', 'Jeonju', '全州店'], 35.8242, 127.148],
  ['store-gwangju', ['광주점', 'Gwangju', '光州店'], 35.1595, 126.8526],
  ['store-daegu', ['대구점', 'Daegu', '大邱店'], 35.8714, 128.6014],
  ['store-busan', ['부산 서면점', 'Busan Seomyeon', '釜山西面店'], 35.1577, 129.0591],
  ['store-ulsan', ['울산점', 'Ulsan', '蔚山店'], 35.5384, 129.3114],
  ['store-changwon', ['창원점', 'Changwon', '昌原店'], 35.228, 128.6811],
  ['store-jeju', ['제주점', 'Jeju', '済州店'], 33.4996, 126.5312],
];

export const NODES: readonly NewNode[] = [...CENTRES.map(centre), ...STORES.map(store)];

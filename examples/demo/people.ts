import type * as z from 'zod';
import type { NewAddress, Profile } from '../../functions/customers/contract.ts';
import { STORY_NODE_IDS } from './stock.ts';

/** Who signs in to the demo. Nobody real and nobody made up: the names say what they are for. */

/** Of every demo account. They exist in a local cloud only. */
export const DEMO_PASSWORD = 'Ieum-demo-2026';

export interface DemoCustomer {
  username: string;
  profile: z.input<typeof Profile>;
  address: z.input<typeof NewAddress>;
}

type Row = [city: string, line1: string, postalCode: string, latitude: number, longitude: number];

/** City halls and other public places, so that no home is anybody's. */
const PLACES: Row[] = [
  ['서울', '중구 세종대로 110', '04524', 37.5663, 126.9779],
  ['서울', '마포구 월드컵로 212', '03937', 37.5663, 126.9016],
  ['서울', '강남구 학동로 426', '06090', 37.5172, 127.0473],
  ['성남', '중원구 성남대로 997', '13437', 37.42, 127.1266],
  ['서울', '서대문구 연희로 248', '03718', 37.5791, 126.9368],
];

/** Numbers of this form are never given to anybody. */
const phoneOf = (n: number): string => `+82 10-0000-000${n}`;

export const CUSTOMERS: readonly DemoCustomer[] = PLACES.map(([city, line1, postalCode, latitude, longitude], at) => {
  const n = at + 1;
  return {
    username: `customer-${n}`,
    profile: {
      name: `데모 고객 ${n} / Demo customer ${n}`,
      email: `customer-${n}@demo.example`,
      phone: phoneOf(n),
      locale: 'ko',
    },
    address: {
      recipient: `데모 고객 ${n} / Demo customer ${n}`,
      phone: phoneOf(n),
      ...{ line1, city, postalCode },
      country: 'KR',
      location: { latitude, longitude },
    },
  };
});

export const HEAD_OFFICE = 'head-office';

/** Who does the work of a node, e.g. `associate-store-gangnam`. Head office may do the work of every other node. */
export const associateOf = (nodeId: string): string => `associate-${nodeId}`;

export interface DemoAccount {
  username: string;
  email: string;
  group: 'customer' | 'associate' | 'head-office';
  nodeId?: string;
}

const account = (username: string, rest: Omit<DemoAccount, 'username' | 'email'>): DemoAccount => ({
  username,
  email: `${username}@demo.example`,
  ...rest,
});

export const ACCOUNTS: readonly DemoAccount[] = [
  account(HEAD_OFFICE, { group: 'head-office' }),
  ...CUSTOMERS.map(({ username }) => account(username, { group: 'customer' })),
  ...STORY_NODE_IDS.map((nodeId) => account(associateOf(nodeId), { group: 'associate', nodeId })),
];

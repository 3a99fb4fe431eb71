import zipcodes from 'zipcodes';
import type { NewNode } from '../../functions/network/contract.ts';
import type { Location } from '../../shared/input.ts';

/** A network to fulfil the orders with: four distribution centres, and stores in the cities that order most. */

type Place = [nodeId: string, name: string, postalCode: string, timeZone: string];

const CENTRES: Place[] = [
  ['us-dc-edison', 'Edison distribution centre', '08817', 'America/New_York'],
  ['us-dc-columbus', 'Columbus distribution centre', '43207', 'America/New_York'],
  ['us-dc-dallas', 'Dallas distribution centre', '75241', 'America/Chicago'],
  ['us-dc-san-bernardino', 'San Bernardino distribution centre', '92408', 'America/Los_Angeles'],
];

/** City and state as the orders spell them. */
const STORES: [...Place, city: string, state: string][] = [
  ['us-store-new-york', 'New York', '10001', 'America/New_York', 'New York City', 'New York'],
  ['us-store-los-angeles', 'Los Angeles', '90017', 'America/Los_Angeles', 'Los Angeles', 'California'],
  ['us-store-san-francisco', 'San Francisco', '94103', 'America/Los_Angeles', 'San Francisco', 'California'],
  ['us-store-philadelphia', 'Philadelphia', '19107', 'America/New_York', 'Philadelphia', 'Pennsylvania'],
  ['us-store-seattle', 'Seattle', '98101', 'America/Los_Angeles', 'Seattle', 'Washington'],
  ['us-store-houston', 'Houston', '77002', 'America/Chicago', 'Houston', 'Texas'],
  ['us-store-chicago', 'Chicago', '60602', 'America/Chicago', 'Chicago', 'Illinois'],
  ['us-store-san-diego', 'San Diego', '92101', 'America/Los_Angeles', 'San Diego', 'California'],
];

/** Where a postal code is; every one in the data is known. */
export const locationOf = (postalCode: string): Location => {
  const place = zipcodes.lookup(postalCode);
  if (place === undefined) throw new Error(`the postal code ${postalCode} is unknown`);
  return { latitude: place.latitude, longitude: place.longitude };
};

export const SAME_DAY_RADIUS_KM = 60;

const EVERY_DAY = [{ weekdays: [1, 2, 3, 4, 5, 6, 7], opens: '00:00', closes: '23:59' }];

const node = (kind: 'DC' | 'STORE', [nodeId, name, postalCode, timeZone]: Place): NewNode => ({
  nodeId,
  name: { ko: name, en: name },
  kind,
  location: locationOf(postalCode),
  timeZone,
  hours: EVERY_DAY,
  abilities: kind === 'DC' ? ['SHIP', 'SAME_DAY'] : ['SHIP', 'SAME_DAY', 'PICKUP'],
  // Until midnight, so that a replay gives the same at any time of day.
  sameDay: { cutOff: '23:59', deliveredBy: '23:59', radiusKm: SAME_DAY_RADIUS_KM },
  answerWithinSeconds: 24 * 3600,
  shipDays: kind === 'DC' ? 3 : 4,
  status: 'OPEN',
});

export const US_NODES: readonly NewNode[] = [
  ...CENTRES.map((place) => node('DC', place)),
  ...STORES.map(([nodeId, name, postalCode, timeZone]) => node('STORE', [nodeId, name, postalCode, timeZone])),
];

/** The store of a city, if it has one. */
export const storeIn = (city: string, state: string): string | undefined =>
  STORES.find(([, , , , itsCity, itsState]) => itsCity === city && itsState === state)?.[0];

const EARTH_RADIUS_KM = 6371;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance. */
export const distanceKm = (a: Location, b: Location): number => {
  const latitudes = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const longitudes = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const h = latitudes + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * longitudes;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(h));
};

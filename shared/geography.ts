import type { Location } from './input.ts';

const EARTH_RADIUS_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance from one place to many (haversine): what is the same for all of them is computed once. */
export const distanceFrom = (origin: Location): ((to: Location) => number) => {
  const latitude = origin.latitude * RADIANS;
  const cosLatitude = Math.cos(latitude);
  return (to) => {
    const toLatitude = to.latitude * RADIANS;
    const sinHalfLatitude = Math.sin((toLatitude - latitude) / 2);
    const sinHalfLongitude = Math.sin(((to.longitude - origin.longitude) * RADIANS) / 2);
    const h = sinHalfLatitude ** 2 + cosLatitude * Math.cos(toLatitude) * sinHalfLongitude ** 2;
    return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
  };
};

declare module 'zipcodes' {
  interface Place {
    zip: string;
    latitude: number;
    longitude: number;
    city: string;
    state: string;
  }
  export function lookup(zip: string): Place | undefined;
}

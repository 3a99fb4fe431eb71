import type { Instant } from '../../shared/time.ts';

/** The customer: the key that all personal data is sealed with, or, once erased, the place where it was. */
export interface CustomerState {
  /** Absent once destroyed. */
  key?: string;
  /** The customer's version when the key was made: tells what was sealed with it from what an earlier key sealed. */
  keyVersion?: number;
  /** Number of changes; outlives erasure, so that no event id is used twice. */
  version: number;
  erasedAt?: Instant;
}

/** A customer whose key is there. */
export interface OpenCustomer {
  customerId: string;
  key: string;
  keyVersion: number;
  /** 0 where nothing is on record yet. */
  version: number;
  /** True where the key is made by the very change that uses it. */
  isNew: boolean;
}

/** A customer who was erased starts anew: what the destroyed key sealed stays closed. */
export const opened = (customerId: string, found: CustomerState | undefined, newKey: () => string): OpenCustomer => {
  const { key, keyVersion, version } = found ?? { version: 0 };
  return key !== undefined && keyVersion !== undefined
    ? { customerId, key, keyVersion, version, isNew: false }
    : { customerId, key: newKey(), keyVersion: version + 1, version, isNew: true };
};

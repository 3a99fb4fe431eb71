import { put, remove } from '../../../shared/change.ts';
import type { Key, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { StockPolicy } from '../domain/availability.ts';
import { TABLE } from './levels.ts';

/** A person keeps them in view; a chain has some dozens. */
export const POLICIES_MAX = 200;
const POLICIES = 'POLICIES';

const policyKey = (policyId: string): Key => ({ pk: POLICIES, sk: policyId });

export const policiesOf = async (tables: Tables): Promise<StockPolicy[]> => {
  const { items } = await tables.query<StockPolicy & Key>(TABLE, { pk: POLICIES, limit: POLICIES_MAX });
  return items.map(({ pk, sk, ...policy }) => policy);
};

export const policyPart = (policy: StockPolicy): Part<never> =>
  put(TABLE, { ...policyKey(policy.policyId), ...policy }, [], undefined as never);

export const noPolicyPart = (policyId: string): Part<'not-found'> =>
  remove(TABLE, policyKey(policyId), [{ guard: 'exists' }], {
    problem: 'not-found',
    detail: `there is no policy ${policyId}`,
  });

/**
 * How long a read of the policies serves. They change a few times a day and are asked for by every shopper; a buffer
 * takes effect one second later.
 */
const FRESH_MS = 1_000;
const lastRead = new WeakMap<Tables, { atMs: number; policies: Promise<StockPolicy[]> }>();

/** The policies as they stood at most a second ago. */
export const knownPolicies = (tables: Tables, now: Instant): Promise<StockPolicy[]> => {
  const nowMs = Date.parse(now);
  const known = lastRead.get(tables);
  if (known !== undefined && nowMs > known.atMs && nowMs < known.atMs + FRESH_MS) return known.policies;
  const policies = policiesOf(tables);
  lastRead.set(tables, { atMs: nowMs, policies });
  policies.catch(() => lastRead.delete(tables));
  return policies;
};

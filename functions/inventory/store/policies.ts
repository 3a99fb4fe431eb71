import { put, remove } from '../../../shared/change.ts';
import { lately } from '../../../shared/lately.ts';
import type { Key, Part, Tables } from '../../../shared/table.ts';
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

/** The policies as they stood at most a second ago: a buffer takes effect one second later. */
export const knownPolicies = lately(policiesOf);

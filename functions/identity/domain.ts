import { GROUPS, type Group, ROLES, scopeInToken } from '../../shared/auth.ts';

export interface TokenGrant {
  scopes: string[];
  /** The node a staff member works at; `*` is head office. Customers have none. */
  nodeId?: string;
}

const isOurs = (group: string): group is Group => (GROUPS as readonly string[]).includes(group);

/**
 * What a user's access token says. Somebody in no group is a customer; an associate without a node may do nothing,
 * because the node is what an associate's keys are built from.
 */
export const grantOf = (groups: readonly string[], nodeId: string | undefined): TokenGrant => {
  const roles = groups.filter(isOurs);
  const effective: readonly Group[] = roles.length === 0 ? ['customer'] : roles;
  const scopes = [...new Set(effective.flatMap((role) => ROLES[role].map(scopeInToken)))];
  if (effective.includes('head-office')) return { scopes, nodeId: '*' };
  if (!effective.includes('associate')) return { scopes };
  return nodeId === undefined ? { scopes: [] } : { scopes, nodeId };
};

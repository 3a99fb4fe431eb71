/**
 * Who asks, and what they may ask for. Scopes come with the access token (Cognito resource server `ieum`); API
 * Gateway's authorizer checks them per route, and `authorise` checks what a route cannot know.
 */
export const SCOPES = {
  shop: 'Shop for oneself: own cart, own orders, own profile, own points.',
  'catalog:write': 'Maintain products, variants and prices.',
  'network:write': 'Maintain nodes, their hours and abilities.',
  'inventory:read': 'See stock levels and their ledger.',
  'inventory:write': 'Receive and adjust stock, and say what may be sold where.',
  'stock:work': 'Receive, count, move, sell and set aside the stock of a node.',
  'orders:read': "See any customer's orders.",
  'orders:import': 'Place orders for a channel (marketplace, till, call centre).',
  'fulfilment:work': 'Accept, pick, dispatch and hand over fulfilment orders of a node.',
} as const;
export type Scope = keyof typeof SCOPES;

/** What each role may do. A person has the roles of their groups; a channel has its own by its client. */
export const ROLES = {
  customer: ['shop'],
  associate: ['fulfilment:work', 'inventory:read', 'stock:work'],
  'head-office': [
    'catalog:write',
    'network:write',
    'inventory:read',
    'inventory:write',
    'stock:work',
    'orders:read',
    'fulfilment:work',
  ],
  channel: ['orders:import', 'orders:read'],
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLES;

/** The roles that people may have, each a group of the user pool. The identity provider turns groups into scopes. */
export const GROUPS = ['customer', 'associate', 'head-office'] as const satisfies readonly Role[];
export type Group = (typeof GROUPS)[number];

export const RESOURCE_SERVER = 'ieum';
/** A scope as it stands in a token, e.g. `ieum/inventory:write`. */
export const scopeInToken = (scope: Scope): string => `${RESOURCE_SERVER}/${scope}`;

/** `anyone` needs no token; `customer` acts on what its own `sub` owns; `node` acts on its own node's work. */
export type Access = { kind: 'anyone' } | { kind: 'scope' | 'customer' | 'node'; anyOf: readonly Scope[] };

export const anyone = (): Access => ({ kind: 'anyone' });
export const customer = (): Access => ({ kind: 'customer', anyOf: ['shop'] });
export const scope = (...anyOf: Scope[]): Access => ({ kind: 'scope', anyOf });
export const node = (needed: Scope): Access => ({ kind: 'node', anyOf: [needed] });

export interface Principal {
  kind: 'anonymous' | 'customer' | 'staff' | 'channel';
  /** Token subject: the customer's id, the staff member's, or the channel's client id. */
  id: string;
  scopes: ReadonlySet<string>;
  /** The node that a staff member works at; `*` for head office, undefined for everybody else. */
  nodeId: string | undefined;
}

const ANONYMOUS: Principal = { kind: 'anonymous', id: 'anonymous', scopes: new Set(), nodeId: undefined };

export type Claims = Record<string, unknown>;

/** Reads the principal from the claims that the authorizer has verified. */
export const principalOf = (claims: Claims | undefined): Principal => {
  if (claims === undefined) return ANONYMOUS;
  const text = (name: string): string | undefined => (typeof claims[name] === 'string' ? claims[name] : undefined);
  const scopes = new Set((text('scope') ?? '').split(' ').filter(Boolean));
  const nodeId = text('nodeId');
  const id = text('sub') ?? text('client_id') ?? 'unknown';
  // A token of the client-credentials grant has no user name: it identifies a channel, not a person.
  const kind = nodeId !== undefined ? 'staff' : text('username') === undefined ? 'channel' : 'customer';
  return { kind, id, scopes, nodeId };
};

/** Whether the principal satisfies an operation's access rule, and if not, whether signing in could help. */
export const authorise = (access: Access, principal: Principal): 'yes' | 'unauthenticated' | 'forbidden' => {
  if (access.kind === 'anyone') return 'yes';
  if (principal.kind === 'anonymous') return 'unauthenticated';
  if (!access.anyOf.some((needed) => principal.scopes.has(scopeInToken(needed)))) return 'forbidden';
  if (access.kind === 'customer' && principal.kind !== 'customer') return 'forbidden';
  if (access.kind === 'node' && principal.nodeId === undefined) return 'forbidden';
  return 'yes';
};

/** True where a staff member may act for this node. Anybody else's node looks like a missing one (404). */
export const worksAt = (principal: Principal, nodeId: string): boolean =>
  principal.nodeId === '*' || principal.nodeId === nodeId;

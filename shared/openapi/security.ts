import { type Access, ROLES, SCOPES, type Scope, scopeInToken } from '../auth.ts';

type Json = Record<string, unknown>;

const HANDLING =
  'Tokens are handled as RFC8725 asks: RS256 only, by the keys of the one issuer, with issuer, audience and expiry checked at the gateway before anything else.';

/** Who may hold a scope: machines by the client-credentials grant, people by signing in. */
const holdersOf = (scope: Scope): string[] => {
  const roles = Object.entries(ROLES).filter(([, scopes]) => (scopes as readonly Scope[]).includes(scope));
  const holders = new Set(roles.map(([role]) => (role === 'channel' ? 'channels' : 'people')));
  return [...holders].sort();
};

const channelScopes = (Object.keys(SCOPES) as Scope[]).filter((scope) => holdersOf(scope).includes('channels'));

export const SECURITY_SCHEMES = {
  people: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: `The access token of a person who signed in at the Cognito user pool; it lives one hour. ${HANDLING}`,
  },
  channels: {
    type: 'oauth2',
    description: `A channel's own access token, which lives one hour. ${HANDLING}`,
    flows: {
      clientCredentials: {
        tokenUrl: '/oauth2/token',
        scopes: Object.fromEntries(channelScopes.map((scope) => [scopeInToken(scope), SCOPES[scope]])),
      },
    },
  },
};

/** Ways to satisfy an access rule, any of which will do; none for what anyone may ask. */
export const securityOf = (access: Access): Json[] =>
  access.kind === 'anyone'
    ? []
    : access.anyOf.flatMap((scope) => holdersOf(scope).map((holder) => ({ [holder]: [scopeInToken(scope)] })));

const WHOSE = {
  anyone: 'Anyone may ask, without a token.',
  customer: "For customers, about what is their own; another's looks like what is missing.",
  node: "For staff, about the node they work at; another node's looks like what is missing.",
  scope: 'For whoever holds a scope that is named.',
};

/** The access rule in words. */
export const accessInWords = (access: Access): string =>
  access.kind === 'anyone'
    ? WHOSE.anyone
    : `${WHOSE[access.kind]} Needs ${access.anyOf.map((scope) => `\`${scopeInToken(scope)}\``).join(' or ')}.`;

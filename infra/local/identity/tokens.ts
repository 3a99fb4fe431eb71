import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK, JWTPayload } from 'jose';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { refusal } from '../aws-endpoint.ts';
import type { Client } from './pools.ts';
import type { User } from './users.ts';

export interface Signer {
  /** The public keys, as served at `/.well-known/jwks.json`. */
  jwks: { keys: JWK[] };
  sign(claims: JWTPayload): Promise<string>;
  /**
   * As API Gateway's JWT authorizer: signature, issuer, expiry, and `aud` or else `client_id` among the audience.
   * @throws Error with the reason
   */
  verify(token: string, expected: { issuer: string; audience: readonly string[] }): Promise<JWTPayload>;
}

/** The RS256 key of this data directory, made on first use and readable by its owner only. */
export async function openSigner(dataDir: string): Promise<Signer> {
  const privateJwk = (await readKey(join(dataDir, 'identity-key.json'))) as JWK & { kid: string };
  const key = await importJWK(privateJwk, 'RS256');
  const { kty, n, e, kid } = privateJwk;
  const jwks = { keys: [{ kty, n, e, kid, alg: 'RS256', use: 'sig' } as JWK] };
  const keys = createLocalJWKSet(jwks);
  return {
    jwks,
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(key),
    async verify(token, { issuer, audience }) {
      const { payload } = await jwtVerify(token, keys, { issuer, algorithms: ['RS256'], requiredClaims: ['exp'] });
      const stated = payload.aud ?? (payload.client_id as string | undefined) ?? [];
      if (![stated].flat().some((each) => audience.includes(each))) throw new Error('invalid audience');
      return payload;
    },
  };
}

async function readKey(file: string): Promise<JWK> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const identified = { ...jwk, kid: await calculateJwkThumbprint(jwk) };
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, JSON.stringify(identified), { mode: 0o600 });
  return identified;
}

/** Whom a token is for: a person who signed in through a client, or the client itself. */
export interface Grant {
  client: Client;
  user?: User;
  scopes: readonly string[];
  source: 'TokenGeneration_Authentication' | 'TokenGeneration_RefreshTokens' | 'TokenGeneration_ClientCredentials';
  /** Epoch seconds of the sign-in. */
  authTime: number;
  clientMetadata?: Record<string, string> | undefined;
}

interface TokenChange {
  claimsToAddOrOverride?: Record<string, unknown>;
  claimsToSuppress?: string[];
  scopesToAdd?: string[];
  scopesToSuppress?: string[];
}
interface Changes {
  accessTokenGeneration?: TokenChange | null;
  idTokenGeneration?: TokenChange | null;
  groupOverrideDetails?: { groupsToOverride?: string[] } | null;
}

/** What no trigger may change; Cognito ignores the attempt. */
const FIXED = new Set(
  `acr amr at_hash auth_time azp client_id cognito:groups cognito:username device_key event_id exp iat identities iss jti
   nbf nonce origin_jti scope sub token_use username version`.split(/\s+/),
);
const mayChange = (claim: string): boolean => !FIXED.has(claim) && !/^(aws|dev):/.test(claim);

/** The claims of an access token and, for a person, of an ID token, after the pool's trigger had its say. */
export async function claimsOf(
  grant: Grant,
  invoke: (functionArn: string, event: unknown) => Promise<unknown>,
): Promise<{ access: JWTPayload; id: JWTPayload | undefined }> {
  const { client, user, authTime } = grant;
  const changes = await askTrigger(grant, invoke);
  const iat = Math.floor(Date.now() / 1000);
  const groups = changes.groupOverrideDetails?.groupsToOverride ?? user?.groups ?? [];
  const common = {
    sub: user?.sub ?? client.id,
    ...(groups.length > 0 && { 'cognito:groups': groups }),
    iss: client.pool.issuer,
    auth_time: authTime,
    iat,
    ...(user && { origin_jti: randomUUID(), event_id: randomUUID() }),
  };
  const scopes = new Set([...grant.scopes, ...(changes.accessTokenGeneration?.scopesToAdd ?? [])]);
  for (const scope of changes.accessTokenGeneration?.scopesToSuppress ?? []) scopes.delete(scope);
  const access = {
    ...common,
    version: 2,
    client_id: client.id,
    token_use: 'access',
    scope: [...scopes].join(' '),
    exp: iat + client.accessSeconds,
    jti: randomUUID(),
    ...(user && { username: user.username }),
  };
  const id = user && {
    ...user.attributes,
    ...common,
    'cognito:username': user.username,
    aud: client.id,
    token_use: 'id',
    exp: iat + client.idSeconds,
    jti: randomUUID(),
  };
  return {
    access: changed(access, changes.accessTokenGeneration),
    id: id && changed(id, changes.idTokenGeneration),
  };
}

function changed(claims: JWTPayload, change: TokenChange | null | undefined): JWTPayload {
  const added = Object.entries(change?.claimsToAddOrOverride ?? {}).filter(([claim]) => mayChange(claim));
  const suppressed = new Set((change?.claimsToSuppress ?? []).filter(mayChange));
  const merged = { ...claims, ...Object.fromEntries(added) };
  return Object.fromEntries(Object.entries(merged).filter(([claim]) => !suppressed.has(claim)));
}

async function askTrigger(
  { client, user, scopes, source, clientMetadata }: Grant,
  invoke: (functionArn: string, event: unknown) => Promise<unknown>,
): Promise<Changes> {
  const { pool } = client;
  // Version 2 is for people only.
  if (!pool.trigger || (!user && pool.trigger.version === '2')) return {};
  const event = {
    version: pool.trigger.version,
    triggerSource: source,
    region: pool.region,
    userPoolId: pool.id,
    userName: user?.username ?? 'ClientCredentials',
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: client.id },
    request: {
      userAttributes: user ? { sub: user.sub, 'cognito:user_status': user.status, ...user.attributes } : {},
      groupConfiguration: { groupsToOverride: user?.groups ?? [], iamRolesToOverride: [], preferredRole: null },
      scopes,
      ...(clientMetadata && { clientMetadata }),
    },
    response: { claimsAndScopeOverrideDetails: null },
  };
  const answer = await invoke(pool.trigger.functionArn, event).catch((error: Error) => {
    throw refusal('UserLambdaValidationException', `PreTokenGeneration failed with error ${error.message}.`);
  });
  const response = (answer as { response?: { claimsAndScopeOverrideDetails?: Changes | null } } | null)?.response;
  if (!response) throw refusal('InvalidLambdaResponseException', 'Unrecognizable lambda output');
  return response.claimsAndScopeOverrideDetails ?? {};
}

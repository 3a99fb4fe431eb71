import { createHmac, randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { decodeJwt, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureAccount } from '../../examples/access.ts';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { openSigner, type Signer } from '../../infra/local/identity/tokens.ts';
import { ASSEMBLY } from '../../infra/local/synth.ts';
import { deploymentOf } from '../../infra/local/template.ts';
import { clientOf } from '../../infra/reconcile/local-tables.ts';
import { ROLES, type Role } from '../../shared/auth.ts';
import type { Operation } from '../../shared/contract.ts';
import { startTestCloud, type TestCloud } from '../support/cloud.ts';
import { checksumOf } from './checksum.ts';
import { STORE } from './furnish.ts';
import { requestOf } from './mutants.ts';
import { validRequests } from './valid.ts';

const PASSWORD = 'Ieum-test-2026';
const OPERATIONS: readonly (readonly [name: string, operation: Operation])[] = CAPABILITIES.flatMap(
  ({ name: capability, operations }) =>
    Object.entries(operations).map(([name, operation]) => [`${capability}.${name}`, operation] as const),
);
const GUARDED = OPERATIONS.filter(([, { access }]) => access.kind !== 'anyone');
const OPEN = OPERATIONS.filter(([, { access }]) => access.kind === 'anyone');

/** Nothing of these exists: a request that is let through finds nothing. */
const NOTHING = {
  ...{ addressId: 'adr_0', orderId: 'ord_0', orderToConfirm: 'ord_1', toShip: 'ord_2-1', toCollect: 'ord_3-1' },
  ...{
    toReject: 'ord_4-1',
    cartId: 'crt_0',
    holdId: 'hld_0',
    holdToRelease: 'hld_1',
    holdToOrder: 'hld_2',
    holdOfChannel: 'hld_3',
    discrepancyId: 'dis_0',
  },
  ...{ sessionToRead: 'rfs_0', sessionToClose: 'rfs_1' },
  ...{ transferToShip: 'trf_0', transferToReceive: 'trf_1', transferToCancel: 'trf_2' },
  ...{ countToEnter: 'cnt_0', countToCancel: 'cnt_1', countToApprove: 'cnt_2', countToReject: 'cnt_3' },
};
const VALID = validRequests(NOTHING);

/** The roles whose tokens an operation takes. */
const rolesOf = ({ access }: Operation): Role[] =>
  (Object.keys(ROLES) as Role[]).filter(
    (role) =>
      access.kind !== 'anyone' && access.anyOf.some((scope) => (ROLES[role] as readonly string[]).includes(scope)),
  );

let world: TestCloud;
let tables: DynamoDBClient;
let signer: Signer;
const tokens = {} as Record<Role, string>;

const signIn = async (role: Exclude<Role, 'channel'>): Promise<string> => {
  const { access } = world;
  const account = { username: `a-${role}`, email: `${role}@test.example`, password: PASSWORD, group: role };
  await ensureAccount(access, { ...account, ...(role === 'associate' && { nodeId: STORE }) });
  const response = await fetch(access.identityUrl, {
    method: 'POST',
    headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth' },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: access.screensClientId,
      AuthParameters: { USERNAME: account.username, PASSWORD },
    }),
  });
  return ((await response.json()) as { AuthenticationResult: { AccessToken: string } }).AuthenticationResult
    .AccessToken;
};

const channelToken = async (): Promise<string> => {
  const { clientId, clientSecret } = world.access.channel;
  const response = await fetch(`${world.access.identityUrl}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
};

/** Sends an operation's valid request over HTTP. */
const send = async (name: string, operation: Operation, authorization: string | undefined) => {
  const [method, template] = operation.route.split(' ') as [string, string];
  const { path = {}, query, body } = requestOf(operation, VALID[name]!.input);
  const target = template.replace(/\{(\w+)\}/g, (_, parameter) => encodeURIComponent(path[parameter]!));
  const response = await fetch(`${world.access.apiUrl}${target}${query ? `?${new URLSearchParams(query)}` : ''}`, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(method === 'GET' ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
  });
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, challenge, body: (await response.json()) as Record<string, unknown> };
};

const checksum = (): Promise<string> => checksumOf(tables, Object.values(world.tableNames));

/** Tokens that anybody could make or find, from one that is good. */
const badTokens = async (good: string): Promise<Record<string, string | undefined>> => {
  const claims = decodeJwt(good);
  const now = Math.floor(Date.now() / 1000);
  /** With the pool's own key, so that only what it says is wrong. */
  const resigned = (changed: JWTPayload): Promise<string> => signer.sign({ ...claims, ...changed });
  const { exp: _, ...endless } = claims;
  const { privateKey } = await generateKeyPair('RS256');
  const [{ kid }] = signer.jwks.keys as [{ kid: string }];
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [head, body, signature] = good.split('.') as [string, string, string];
  // The public key taken for the secret of a symmetric signature.
  const symmetric = `${part({ alg: 'HS256', kid })}.${body}`;
  const mac = createHmac('sha256', JSON.stringify(signer.jwks.keys[0])).update(symmetric).digest('base64url');
  const stranger = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
  const bearer: Record<string, string> = {
    'an expired one': await resigned({ iat: now - 7200, exp: now - 3600 }),
    'one that never expires': await signer.sign(endless),
    'one for another audience': await resigned({ client_id: 'somebody-else' }),
    'one of another issuer': await resigned({ iss: 'https://issuer.example/pool' }),
    'one that somebody else signed': stranger,
    'one without a signature': `${part({ alg: 'none' })}.${body}.`,
    'one signed with the public key': `${symmetric}.${mac}`,
    'one whose claims were changed': `${head}.${part({ ...claims, sub: 'somebody-else' })}.${signature}`,
    'one that is no token': 'not-a-token',
  };
  return {
    'no token': undefined,
    'a password': `Basic ${Buffer.from('head-office:secret').toString('base64')}`,
    ...Object.fromEntries(Object.entries(bearer).map(([name, token]) => [name, `Bearer ${token}`])),
  };
};

beforeAll(async () => {
  world = await startTestCloud();
  tables = clientOf(world.cloud.dynamodbEndpoint, deploymentOf(ASSEMBLY).region);
  signer = await openSigner(world.dataDir);
  for (const role of ['customer', 'associate', 'head-office'] as const) tokens[role] = await signIn(role);
  tokens.channel = await channelToken();
  // Something that could be lost.
  const furniture = ['network.maintain', 'catalog.publish', 'inventory.receive', 'customers.saveProfile'];
  for (const name of [...furniture, 'customers.addAddress', 'carts.setLine']) {
    const operation = new Map(OPERATIONS).get(name)!;
    const { status } = await send(name, operation, `Bearer ${tokens[rolesOf(operation)[0]!]}`);
    expect(status, name).toBeLessThan(300);
  }
  await world.cloud.whenIdle();
});
afterAll(async () => {
  tables?.destroy();
  await world?.close();
});

describe('over HTTP', () => {
  test('no operation takes a token that is missing, expired, forged or meant for somebody else', async () => {
    const before = await checksum();
    const wrong: string[] = [];
    let tried = 0;
    for (const [name, operation] of GUARDED) {
      const good = tokens[rolesOf(operation)[0]!];
      for (const [what, authorization] of Object.entries(await badTokens(good))) {
        const { status, challenge, body } = await send(name, operation, authorization);
        tried += 1;
        // API Gateway's own words: its HTTP APIs answer before any function is asked.
        if (status !== 401 || body.message !== 'Unauthorized' || !challenge?.startsWith('Bearer')) {
          wrong.push(`${name} with ${what}: ${status} ${JSON.stringify(body)} ${challenge}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(tried).toBe(GUARDED.length * 11);
    expect(await checksum()).toBe(before);
  });

  test('no operation takes a token of a role that is not meant to', async () => {
    const before = await checksum();
    const wrong: string[] = [];
    for (const [name, operation] of GUARDED) {
      const allowed = rolesOf(operation);
      for (const role of (Object.keys(ROLES) as Role[]).filter((each) => !allowed.includes(each))) {
        const { status, challenge, body } = await send(name, operation, `Bearer ${tokens[role]}`);
        if (status !== 403 || body.message !== 'Forbidden' || !challenge?.includes('insufficient_scope')) {
          wrong.push(`${name} as ${role}: ${status} ${JSON.stringify(body)} ${challenge}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(await checksum()).toBe(before);
  });

  test('what anyone may ask is answered alike with any token', async () => {
    for (const [name, operation] of OPEN) {
      const answers = await Promise.all(
        [undefined, 'Bearer not-a-token', `Bearer ${tokens.customer}`].map((token) => send(name, operation, token)),
      );
      expect(
        answers.map(({ status }) => status),
        name,
      ).toEqual([200, 200, 200]);
    }
  });

  test('with the right token each of these requests is let through', async () => {
    const wrong: string[] = [];
    for (const [name, operation] of GUARDED) {
      for (const role of rolesOf(operation)) {
        const { status } = await send(name, operation, `Bearer ${tokens[role]}`);
        if (status === 401 || status === 403 || status >= 500) wrong.push(`${name} as ${role}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

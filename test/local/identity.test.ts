import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../infra/local/identity.ts';
import { startIdentity } from '../../infra/local/identity.ts';
import type { Properties, Resource } from '../../infra/local/template.ts';

const POOL = 'ap-northeast-2_people';
const ISSUER = `https://cognito-idp.ap-northeast-2.amazonaws.com/${POOL}`;
const TRIGGER = 'arn:aws:lambda:ap-northeast-2:000000000000:function:scopes';
const PASSWORD = 'Kim-chi-2024';

let directory: string;
/** What the pool's trigger is asked, and what it answers. */
let asked: Properties[];
let trigger: (event: Properties) => unknown;
const closing: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'identity-'));
  asked = [];
  trigger = (event) => event;
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

const resource = (type: string, name: string, properties: Properties): Resource => ({
  ...{ stack: 'Ieum-test-Data', id: name, type: `AWS::Cognito::${type}`, name, arn: `arn:aws:cognito:${name}` },
  properties: { UserPoolId: POOL, ...properties },
});
const pool = (version = 'V3_0', more: Properties = {}) =>
  resource('UserPool', POOL, {
    LambdaConfig: { PreTokenGenerationConfig: { LambdaArn: TRIGGER, LambdaVersion: version } },
    UsernameAttributes: ['email'],
    ...more,
  });
const scopes = ['ieum/orders:import', 'ieum/orders:read'];
const channel = (more: Properties = {}) =>
  resource('UserPoolClient', 'channel', {
    GenerateSecret: true,
    AllowedOAuthFlows: ['client_credentials'],
    AllowedOAuthScopes: scopes,
    ...more,
  });
const shop = (more: Properties = {}) =>
  resource('UserPoolClient', 'shop', {
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    AccessTokenValidity: 15,
    TokenValidityUnits: { AccessToken: 'minutes' },
    ...more,
  });
const server = resource('UserPoolResourceServer', 'ieum', {
  Identifier: 'ieum',
  Scopes: ['orders:import', 'orders:read', 'shop'].map((ScopeName) => ({ ScopeName })),
});
const group = resource('UserPoolGroup', 'associate', {});
const house = () => [pool(), channel(), shop(), server, group];

function start(resources: Resource[] = house()): Promise<Identity> {
  const journal = new DatabaseSync(join(directory, 'journal.sqlite'));
  closing.push(() => journal.close());
  const template = { resources: (type: string) => resources.filter((each) => each.type === type) };
  const invoke = async (functionArn: string, event: unknown) => {
    expect(functionArn).toBe(TRIGGER);
    asked.push(structuredClone(event) as Properties);
    return trigger(event as Properties);
  };
  return startIdentity({ dataDir: directory, journal, template, functions: { invoke } });
}
async function served(identity: Identity): Promise<string> {
  const listener = createServer(async (request, response) => {
    if (!(await identity.pages(request, response))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closing.push(() => listener.close());
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}
const call = async (identity: Identity, operation: string, body: Properties) =>
  (await identity.service(operation, body)) as Properties;
const refused = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: Error) => error.name,
  );
async function person(identity: Identity, email = 'jiwoo@example.com', attributes: Properties = {}): Promise<string> {
  const UserAttributes = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
  const { User } = await call(identity, 'AdminCreateUser', { UserPoolId: POOL, Username: email, UserAttributes });
  await call(identity, 'AdminSetUserPassword', {
    UserPoolId: POOL,
    Username: email,
    Password: PASSWORD,
    Permanent: true,
  });
  return User.Username;
}
const signIn = async (
  identity: Identity,
  USERNAME = 'jiwoo@example.com',
  PASSWORD_ = PASSWORD,
  more: Properties = {},
) =>
  call(identity, 'InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: 'shop',
    AuthParameters: { USERNAME, PASSWORD: PASSWORD_ },
    ...more,
  });
const refresh = (identity: Identity, REFRESH_TOKEN: string) =>
  call(identity, 'InitiateAuth', {
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    ClientId: 'shop',
    AuthParameters: { REFRESH_TOKEN },
  });
const tokenRequest = (url: string, form: Record<string, string>, secret = 'secret-channel', client = 'channel') =>
  fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  });

describe('a person', () => {
  test('who signs in gets what Cognito puts in an access and an ID token', async () => {
    const identity = await start();
    const username = await person(identity, 'jiwoo@example.com', { 'custom:nodeId': 'store-1' });
    await call(identity, 'AdminAddUserToGroup', { UserPoolId: POOL, Username: username, GroupName: 'associate' });
    const { AuthenticationResult: result } = await signIn(identity);
    expect(result).toMatchObject({ ExpiresIn: 900, TokenType: 'Bearer' });
    const access = decodeJwt(result.AccessToken);
    expect(access).toMatchObject({
      sub: username,
      username,
      'cognito:groups': ['associate'],
      iss: ISSUER,
      client_id: 'shop',
      scope: 'aws.cognito.signin.user.admin',
      token_use: 'access',
      version: 2,
      jti: expect.any(String),
      auth_time: expect.any(Number),
    });
    expect(access.exp! - access.iat!).toBe(900);
    expect(access).not.toHaveProperty('aud');
    expect(access).not.toHaveProperty('custom:nodeId');
    expect(decodeJwt(result.IdToken)).toMatchObject({
      aud: 'shop',
      token_use: 'id',
      email: 'jiwoo@example.com',
      'custom:nodeId': 'store-1',
      'cognito:username': username,
    });
  });

  test('gets the scopes and claims that the trigger adds, and cannot be made somebody else by it', async () => {
    trigger = (event) => ({
      ...event,
      response: {
        claimsAndScopeOverrideDetails: {
          accessTokenGeneration: {
            claimsToAddOrOverride: { nodeId: 'store-1', sub: 'somebody-else', client_id: 'other', 'aws:x': 'y' },
            claimsToSuppress: ['event_id', 'iss'],
            scopesToAdd: ['ieum/shop'],
            scopesToSuppress: ['aws.cognito.signin.user.admin'],
          },
          groupOverrideDetails: { groupsToOverride: ['associate', 'night-shift'] },
        },
      },
    });
    const identity = await start();
    const username = await person(identity);
    const { AuthenticationResult: result } = await signIn(identity, undefined, undefined, {
      ClientMetadata: { till: '3' },
    });
    expect(decodeJwt(result.AccessToken)).toMatchObject({
      nodeId: 'store-1',
      scope: 'ieum/shop',
      sub: username,
      client_id: 'shop',
      iss: ISSUER,
      'cognito:groups': ['associate', 'night-shift'],
    });
    expect(decodeJwt(result.AccessToken)).not.toHaveProperty('aws:x');
    expect(decodeJwt(result.IdToken)).not.toHaveProperty('nodeId');
    expect(asked).toEqual([
      {
        version: '3',
        triggerSource: 'TokenGeneration_Authentication',
        region: 'ap-northeast-2',
        userPoolId: POOL,
        userName: username,
        callerContext: { awsSdkVersion: expect.any(String), clientId: 'shop' },
        request: {
          userAttributes: { sub: username, 'cognito:user_status': 'CONFIRMED', email: 'jiwoo@example.com' },
          groupConfiguration: { groupsToOverride: [], iamRolesToOverride: [], preferredRole: null },
          scopes: ['aws.cognito.signin.user.admin'],
          clientMetadata: { till: '3' },
        },
        response: { claimsAndScopeOverrideDetails: null },
      },
    ]);
  });

  test('is not let in with a wrong password, and a stranger is told the same', async () => {
    const identity = await start();
    await person(identity);
    const messages = await Promise.all(
      [signIn(identity, undefined, 'Wrong-pass-1'), signIn(identity, 'nobody@example.com')].map((attempt) =>
        attempt.then(() => 'let in', String),
      ),
    );
    expect(messages).toEqual(Array(2).fill('NotAuthorizedException: Incorrect username or password.'));
    expect(asked).toEqual([]);
  });

  test('with a temporary password has to choose a new one first', async () => {
    const identity = await start();
    const TemporaryPassword = 'Temp-orary-1';
    await call(identity, 'AdminCreateUser', { UserPoolId: POOL, Username: 'a@example.com', TemporaryPassword });
    const answer = await signIn(identity, 'a@example.com', TemporaryPassword);
    expect(answer).toMatchObject({ ChallengeName: 'NEW_PASSWORD_REQUIRED' });
    expect(answer).not.toHaveProperty('AuthenticationResult');
  });

  test('stays signed in by the refresh token, as of the first sign-in, until deleted', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const identity = await start();
    await person(identity);
    const { AuthenticationResult: first } = await signIn(identity);
    vi.setSystemTime(Date.now() + 3_600_000);
    const { AuthenticationResult: second } = await refresh(identity, first.RefreshToken);
    expect(decodeJwt(second.AccessToken).auth_time).toBe(decodeJwt(first.AccessToken).auth_time);
    expect(decodeJwt(second.AccessToken).iat! - decodeJwt(first.AccessToken).iat!).toBe(3600);
    expect(asked[1]).toMatchObject({ triggerSource: 'TokenGeneration_RefreshTokens' });
    expect(await refused(refresh(identity, 'made up'))).toBe('NotAuthorizedException');
    await call(identity, 'AdminDeleteUser', { UserPoolId: POOL, Username: 'jiwoo@example.com' });
    expect(await refused(refresh(identity, first.RefreshToken))).toBe('NotAuthorizedException');
    expect(await refused(signIn(identity))).toBe('NotAuthorizedException');
  });

  test('has to sign in again after a month', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const identity = await start();
    await person(identity);
    const { RefreshToken } = (await signIn(identity)).AuthenticationResult;
    vi.setSystemTime(Date.now() + 30 * 86_400_000 - 2000);
    expect(await refused(refresh(identity, RefreshToken))).toBe('accepted');
    vi.setSystemTime(Date.now() + 3000);
    expect(await refused(refresh(identity, RefreshToken))).toBe('NotAuthorizedException');
  });

  test('does not inherit the sessions of a namesake who was deleted', async () => {
    const identity = await start([pool('V3_0', { UsernameAttributes: [] }), server, shop()]);
    await person(identity, 'jiwoo');
    const { RefreshToken } = (await signIn(identity, 'jiwoo')).AuthenticationResult;
    await call(identity, 'AdminDeleteUser', { UserPoolId: POOL, Username: 'jiwoo' });
    await person(identity, 'jiwoo');
    expect(await refused(refresh(identity, RefreshToken))).toBe('NotAuthorizedException');
    expect(await refused(signIn(identity, 'jiwoo'))).toBe('accepted');
  });

  test('is remembered after a restart, and old tokens stay good', async () => {
    const first = await start();
    const username = await person(first);
    const { AuthenticationResult } = await signIn(first);
    const second = await start();
    const claims = await second.verify(AuthenticationResult.AccessToken, { issuer: ISSUER, audience: ['shop'] });
    expect(claims.sub).toBe(username);
    expect((await signIn(second)).AuthenticationResult.AccessToken).toBeTruthy();
    expect(statSync(join(directory, 'identity-key.json')).mode & 0o077).toBe(0);
  });

  test('keeps what an administrator changes', async () => {
    const identity = await start();
    const username = await person(identity, 'jiwoo@example.com', { name: 'Jiwoo' });
    const UserAttributes = [{ Name: 'name', Value: 'Ji-woo' }];
    await call(identity, 'AdminUpdateUserAttributes', { UserPoolId: POOL, Username: username, UserAttributes });
    const shown = await call(identity, 'AdminGetUser', { UserPoolId: POOL, Username: 'JIWOO@example.com' });
    expect(shown).toMatchObject({ Username: username, UserStatus: 'CONFIRMED', Enabled: true });
    expect(shown.UserAttributes).toEqual(
      expect.arrayContaining([
        { Name: 'name', Value: 'Ji-woo' },
        { Name: 'email', Value: 'jiwoo@example.com' },
        { Name: 'sub', Value: username },
      ]),
    );
  });

  test('of a client with a secret needs its hash', async () => {
    const identity = await start([pool(), server, shop({ GenerateSecret: true })]);
    const username = 'jiwoo@example.com';
    await person(identity);
    const SECRET_HASH = createHmac('sha256', 'secret-shop').update(`${username}shop`).digest('base64');
    const attempt = (hash: Properties) =>
      signIn(identity, username, PASSWORD, { AuthParameters: { USERNAME: username, PASSWORD, ...hash } });
    expect(await refused(attempt({}))).toBe('NotAuthorizedException');
    expect(await refused(attempt({ SECRET_HASH }))).toBe('accepted');
  });

  test('is not let in while the trigger fails', async () => {
    trigger = () => {
      throw new Error('no scopes today');
    };
    const identity = await start();
    await person(identity);
    expect(await refused(signIn(identity))).toBe('UserLambdaValidationException');
  });
});

describe('somebody new', () => {
  const byName = (more: Properties = {}) =>
    pool('V3_0', { UsernameAttributes: [], AliasAttributes: ['email'], ...more });
  const signUp = (identity: Identity, Username: string, attributes: Record<string, string> = {}) =>
    call(identity, 'SignUp', {
      ClientId: 'shop',
      Username,
      Password: PASSWORD,
      UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    });

  test('signs up, and in with the name or the address', async () => {
    const identity = await start([byName(), server, shop()]);
    const { UserSub, UserConfirmed } = await signUp(identity, 'jiwoo', { email: 'Jiwoo@example.com' });
    expect(UserConfirmed).toBe(true);
    for (const login of ['jiwoo', 'jiwoo@example.com']) {
      const { AuthenticationResult } = await signIn(identity, login);
      expect(decodeJwt(AuthenticationResult.AccessToken)).toMatchObject({ sub: UserSub, username: 'jiwoo' });
    }
    expect(await refused(signUp(identity, 'JIWOO'))).toBe('UsernameExistsException');
    expect(await refused(signUp(identity, 'other', { email: 'jiwoo@example.com' }))).toBe('AliasExistsException');
  });

  test('cannot claim a store, a verified address, or a name that looks like an address', async () => {
    const identity = await start([byName(), server, shop()]);
    expect(await refused(signUp(identity, 'a', { 'custom:nodeId': '*' }))).toBe('NotAuthorizedException');
    expect(await refused(signUp(identity, 'b', { email_verified: 'true' }))).toBe('NotAuthorizedException');
    expect(await refused(signUp(identity, 'c@example.com'))).toBe('InvalidParameterException');
  });

  test('may write what the client is allowed to', async () => {
    const identity = await start([byName(), server, shop({ WriteAttributes: ['custom:size'] })]);
    expect(await refused(signUp(identity, 'jiwoo', { 'custom:size': 'M' }))).toBe('accepted');
  });

  test('is turned away where only administrators create people', async () => {
    const closed = byName({ AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } });
    expect(await refused(signUp(await start([closed, server, shop()]), 'jiwoo'))).toBe('NotAuthorizedException');
  });

  test('with an address nobody verified cannot sign in with it', async () => {
    const identity = await start([byName(), server, shop()]);
    await person(identity, 'jiwoo', { email: 'jiwoo@example.com' });
    expect(await refused(signIn(identity, 'jiwoo@example.com'))).toBe('NotAuthorizedException');
    expect(await refused(signIn(identity, 'jiwoo'))).toBe('accepted');
  });
});

test.each([
  ['AdminCreateUser', { Username: 'JIWOO@example.com' }, 'UsernameExistsException'],
  ['AdminCreateUser', { Username: 'no address' }, 'InvalidParameterException'],
  ['AdminSetUserPassword', { Username: 'jiwoo@example.com', Password: 'short' }, 'InvalidPasswordException'],
  ['AdminSetUserPassword', { Username: 'nobody@example.com', Password: PASSWORD }, 'UserNotFoundException'],
  ['AdminAddUserToGroup', { Username: 'jiwoo@example.com', GroupName: 'kings' }, 'ResourceNotFoundException'],
  ['AdminGetUser', { Username: 'nobody@example.com' }, 'UserNotFoundException'],
  ['AdminGetUser', { UserPoolId: 'elsewhere', Username: 'jiwoo@example.com' }, 'ResourceNotFoundException'],
  ['ListUsers', {}, 'UnknownOperationException'],
  ['InitiateAuth', { ClientId: 'shop', AuthFlow: 'USER_SRP_AUTH' }, 'InvalidParameterException'],
  ['InitiateAuth', { ClientId: 'channel', AuthFlow: 'USER_PASSWORD_AUTH' }, 'InvalidParameterException'],
  ['InitiateAuth', { ClientId: 'unknown', AuthFlow: 'USER_PASSWORD_AUTH' }, 'ResourceNotFoundException'],
])('%s with %o is refused as %s', async (operation, body, expected) => {
  const identity = await start();
  await person(identity);
  expect(await refused(call(identity, operation, { UserPoolId: POOL, ...body }))).toBe(expected);
});

describe('a channel', () => {
  test('gets a token of its own for the scopes it asks, which anyone can check against the published keys', async () => {
    const identity = await start();
    const url = await served(identity);
    const response = await tokenRequest(url, { scope: 'ieum/orders:read' });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { access_token, ...rest } = (await response.json()) as Properties;
    expect(rest).toEqual({ expires_in: 3600, token_type: 'Bearer' });
    const keys = createRemoteJWKSet(new URL(`${url}/${POOL}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(access_token, keys, { issuer: ISSUER });
    expect(payload).toMatchObject({
      sub: 'channel',
      client_id: 'channel',
      scope: 'ieum/orders:read',
      token_use: 'access',
    });
    expect(payload).not.toHaveProperty('username');
    expect(asked[0]).toMatchObject({
      triggerSource: 'TokenGeneration_ClientCredentials',
      request: { userAttributes: {} },
    });
  });

  test('that asks for no scope gets all it may have, and a version 2 trigger is not asked', async () => {
    const identity = await start([pool('V2_0'), channel(), server]);
    const response = await tokenRequest(await served(identity), {});
    const { access_token } = (await response.json()) as Properties;
    expect(decodeJwt(access_token).scope).toBe(scopes.join(' '));
    expect(asked).toEqual([]);
  });

  test.each([
    ['a wrong secret', {}, ['wrong'], 'invalid_client'],
    ['an unknown client', {}, ['secret-channel', 'unknown'], 'invalid_client'],
    ['a client of people', {}, ['', 'shop'], 'invalid_client'],
    ['a scope it may not have', { scope: 'ieum/orders:read ieum/shop' }, [], 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, [], 'unsupported_grant_type'],
    ['far too much', { padding: 'x'.repeat(20_000) }, [], 'invalid_request'],
  ])('with %s is refused', async (_, form, [secret, client]: string[], error) => {
    const response = await tokenRequest(await served(await start()), form, secret, client);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error });
  });

  test('whose client is for people only is refused, even with its secret', async () => {
    const url = await served(await start([pool(), server, shop({ GenerateSecret: true })]));
    const response = await tokenRequest(url, {}, 'secret-shop', 'shop');
    expect(await response.json()).toEqual({ error: 'unauthorized_client' });
  });

  test('finds the configuration of its pool, and nothing else', async () => {
    const url = await served(await start());
    const configuration = await fetch(`${url}/${POOL}/.well-known/openid-configuration`);
    expect(await configuration.json()).toMatchObject({ issuer: ISSUER });
    expect((await fetch(`${url}/elsewhere/.well-known/jwks.json`)).status).toBe(404);
    expect((await fetch(`${url}/oauth2/token`)).status).toBe(404);
    const keys = (await (await fetch(`${url}/${POOL}/.well-known/jwks.json`)).json()) as Properties;
    expect(Object.keys(keys.keys[0]).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });
});

describe('a token', () => {
  const tokens = async (identity: Identity) => {
    await person(identity);
    return (await signIn(identity)).AuthenticationResult;
  };

  test('is good for the audience of its client only, whichever claim names it', async () => {
    const identity = await start();
    const { AccessToken, IdToken } = await tokens(identity);
    for (const token of [AccessToken, IdToken]) {
      await expect(identity.verify(token, { issuer: ISSUER, audience: ['other', 'shop'] })).resolves.toBeTruthy();
      await expect(identity.verify(token, { issuer: ISSUER, audience: ['other'] })).rejects.toThrow('invalid audience');
    }
  });

  test('of another issuer, altered, unsigned or expired is refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const identity = await start();
    const { AccessToken: token } = await tokens(identity);
    const expected = { issuer: ISSUER, audience: ['shop'] };
    const [, payload] = token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(identity.verify(token, { ...expected, issuer: `${ISSUER}2` })).rejects.toThrow('iss');
    await expect(identity.verify(`${none}.${payload}.`, expected)).rejects.toThrow();
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'me' })).toString('base64url');
    await expect(identity.verify(token.replace(payload, forged), expected)).rejects.toThrow('signature');
    vi.setSystemTime(Date.now() + 901_000);
    await expect(identity.verify(token, expected)).rejects.toThrow('exp');
  });
});

test.each([
  ['a trigger that cannot touch access tokens', [pool('V1_0')], 'V2_0 or V3_0'],
  [
    'a trigger that is not known here',
    [pool('V3_0', { LambdaConfig: { PostConfirmation: TRIGGER } })],
    'PostConfirmation',
  ],
  ['a tier without triggers', [pool('V3_0', { UserPoolTier: 'LITE' })], 'ESSENTIALS'],
  ['a client without a pool', [shop()], 'belongs to no user pool'],
  ['a scope that no server defines', [pool(), channel()], 'ieum/orders:import'],
  ['client credentials without a secret', [pool(), server, channel({ GenerateSecret: false })], 'GenerateSecret'],
])('%s stops the boot by name', async (_, resources, named) => {
  await expect(start(resources)).rejects.toThrow(named);
});

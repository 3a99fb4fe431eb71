import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../../infra/local/identity.ts';
import type { Properties } from '../../../infra/local/template.ts';
import {
  asked,
  call,
  channel,
  ISSUER,
  PASSWORD,
  POOL,
  person,
  pool,
  refused,
  scopes,
  served,
  server,
  shop,
  signIn,
  start,
  TRIGGER,
  tokenRequest,
} from './fixture.ts';

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

import { createHmac } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../../infra/local/identity.ts';
import type { Properties } from '../../../infra/local/template.ts';
import {
  asked,
  call,
  directory,
  ISSUER,
  PASSWORD,
  POOL,
  person,
  pool,
  refresh,
  refused,
  server,
  shop,
  signIn,
  start,
  triggerAnswers,
} from './fixture.ts';

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
    triggerAnswers((event) => ({
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
    }));
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
    triggerAnswers(() => {
      throw new Error('no scopes today');
    });
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

/** What the identity tests share: a user pool with two clients, its trigger, and the calls that tools make. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Identity } from '../../../infra/local/identity.ts';
import { startIdentity } from '../../../infra/local/identity.ts';
import type { Properties, Resource } from '../../../infra/local/template.ts';

export const POOL = 'ap-northeast-2_people';
export const ISSUER = `https://cognito-idp.ap-northeast-2.amazonaws.com/${POOL}`;
export const TRIGGER = 'arn:aws:lambda:ap-northeast-2:000000000000:function:scopes';
export const PASSWORD = 'Kim-chi-2024';

export let directory: string;
/** What the pool's trigger is asked, and what it answers. */
export let asked: Properties[];
let trigger: (event: Properties) => unknown;
/** Sets what the trigger answers from here on. */
export const triggerAnswers = (answer: typeof trigger) => {
  trigger = answer;
};
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

export const resource = (type: string, name: string, properties: Properties): Resource => ({
  ...{ stack: 'Ieum-test-Data', id: name, type: `AWS::Cognito::${type}`, name, arn: `arn:aws:cognito:${name}` },
  properties: { UserPoolId: POOL, ...properties },
});
export const pool = (version = 'V3_0', more: Properties = {}) =>
  resource('UserPool', POOL, {
    LambdaConfig: { PreTokenGenerationConfig: { LambdaArn: TRIGGER, LambdaVersion: version } },
    UsernameAttributes: ['email'],
    ...more,
  });
export const scopes = ['ieum/orders:import', 'ieum/orders:read'];
export const channel = (more: Properties = {}) =>
  resource('UserPoolClient', 'channel', {
    GenerateSecret: true,
    AllowedOAuthFlows: ['client_credentials'],
    AllowedOAuthScopes: scopes,
    ...more,
  });
export const shop = (more: Properties = {}) =>
  resource('UserPoolClient', 'shop', {
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    AccessTokenValidity: 15,
    TokenValidityUnits: { AccessToken: 'minutes' },
    ...more,
  });
export const server = resource('UserPoolResourceServer', 'ieum', {
  Identifier: 'ieum',
  Scopes: ['orders:import', 'orders:read', 'shop'].map((ScopeName) => ({ ScopeName })),
});
export const group = resource('UserPoolGroup', 'associate', {});
export const house = () => [pool(), channel(), shop(), server, group];

export function start(resources: Resource[] = house()): Promise<Identity> {
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
export async function served(identity: Identity): Promise<string> {
  const listener = createServer(async (request, response) => {
    if (!(await identity.pages(request, response))) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closing.push(() => listener.close());
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}
export const call = async (identity: Identity, operation: string, body: Properties) =>
  (await identity.service(operation, body)) as Properties;
export const refused = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    (error: Error) => error.name,
  );
export async function person(
  identity: Identity,
  email = 'jiwoo@example.com',
  attributes: Properties = {},
): Promise<string> {
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
export const signIn = async (
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
export const refresh = (identity: Identity, REFRESH_TOKEN: string) =>
  call(identity, 'InitiateAuth', {
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    ClientId: 'shop',
    AuthParameters: { REFRESH_TOKEN },
  });
export const tokenRequest = (
  url: string,
  form: Record<string, string>,
  secret = 'secret-channel',
  client = 'channel',
) =>
  fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  });

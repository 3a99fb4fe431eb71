import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import type { JWTPayload } from 'jose';
import { refusal, type Service } from './aws-endpoint.ts';
import type { Client, Directory, Pool } from './identity/pools.ts';
import { readDirectory } from './identity/pools.ts';
import type { Grant, Signer } from './identity/tokens.ts';
import { claimsOf, openSigner } from './identity/tokens.ts';
import type { User } from './identity/users.ts';
import { checkPassword, hashPassword, passwordMatches, Users } from './identity/users.ts';
import type { Properties, Template } from './template.ts';

export interface Identity {
  /** The operations of `AWSCognitoIdentityProviderService`; see OPERATIONS for which. */
  service: Service;
  /**
   * `POST /oauth2/token`, `GET /<poolId>/.well-known/jwks.json` and `…/openid-configuration`.
   * @returns false, with nothing answered, for any other request
   */
  pages(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** As API Gateway's JWT authorizer. @throws Error with the reason */
  verify(token: string, expected: { issuer: string; audience: readonly string[] }): Promise<JWTPayload>;
}

export interface IdentityOptions {
  /** Where the signing key is kept. */
  dataDir: string;
  journal: DatabaseSync;
  template: Pick<Template, 'resources'>;
  functions: { invoke(functionArn: string, event: unknown): Promise<unknown> };
}

/** Cognito user pools on this machine: the same issuer, tokens and trigger, with people kept in the journal. */
export async function startIdentity({ dataDir, journal, template, functions }: IdentityOptions): Promise<Identity> {
  const cognito = new Cognito(readDirectory(template), new Users(journal), await openSigner(dataDir), (arn, event) =>
    functions.invoke(arn, event),
  );
  return {
    service: async (operation, body) => cognito.call(operation, body),
    pages: (request, response) => cognito.pages(request, response),
    verify: (token, expected) => cognito.signer.verify(token, expected),
  };
}

const OPERATIONS = {
  InitiateAuth: (cognito: Cognito, body: Properties) => cognito.initiateAuth(body),
  AdminCreateUser: (cognito: Cognito, body: Properties) => cognito.adminCreateUser(body),
  AdminSetUserPassword: (cognito: Cognito, body: Properties) => cognito.adminSetUserPassword(body),
  AdminAddUserToGroup: (cognito: Cognito, body: Properties) => cognito.adminAddUserToGroup(body),
  AdminGetUser: (cognito: Cognito, body: Properties) => cognito.adminGetUser(body),
  AdminUpdateUserAttributes: (cognito: Cognito, body: Properties) => cognito.adminUpdateUserAttributes(body),
  AdminDeleteUser: (cognito: Cognito, body: Properties) => cognito.adminDeleteUser(body),
} as const;

const FORM_LIMIT_BYTES = 16_384;

class Cognito {
  signer: Signer;
  #directory: Directory;
  #users: Users;
  #invoke: IdentityOptions['functions']['invoke'];

  constructor(directory: Directory, users: Users, signer: Signer, invoke: IdentityOptions['functions']['invoke']) {
    this.#directory = directory;
    this.#users = users;
    this.signer = signer;
    this.#invoke = invoke;
  }

  call(operation: string, body: Properties): unknown {
    if (!Object.hasOwn(OPERATIONS, operation)) {
      throw refusal('UnknownOperationException', `The local identity provider does not serve ${operation}.`);
    }
    return OPERATIONS[operation as keyof typeof OPERATIONS](this, body);
  }

  async initiateAuth({ AuthFlow, ClientId, AuthParameters = {}, ClientMetadata: clientMetadata }: Properties) {
    const client = this.#directory.clients.get(ClientId);
    if (!client) throw refusal('ResourceNotFoundException', `User pool client ${ClientId} does not exist.`);
    const refresh = AuthFlow === 'REFRESH_TOKEN_AUTH' || AuthFlow === 'REFRESH_TOKEN';
    if (!refresh && AuthFlow !== 'USER_PASSWORD_AUTH') {
      throw refusal(
        'InvalidParameterException',
        `The local identity provider has no ${AuthFlow}; use USER_PASSWORD_AUTH.`,
      );
    }
    if (!client.authFlows.has(`ALLOW_${refresh ? 'REFRESH_TOKEN_AUTH' : AuthFlow}`)) {
      throw refusal('InvalidParameterException', `${AuthFlow} flow not enabled for this client`);
    }
    return refresh
      ? this.#refresh(client, AuthParameters, clientMetadata)
      : this.#signIn(client, AuthParameters, clientMetadata);
  }

  async #signIn(
    client: Client,
    { USERNAME, PASSWORD, SECRET_HASH }: Properties,
    clientMetadata: Grant['clientMetadata'],
  ) {
    if (!USERNAME || !PASSWORD)
      throw refusal('InvalidParameterException', 'Missing required parameter USERNAME or PASSWORD');
    checkSecretHash(client, USERNAME, SECRET_HASH);
    const user = this.#users.find(client.pool, USERNAME);
    const matches = await passwordMatches(PASSWORD, user?.password ?? null);
    if (!user || !matches) throw refusal('NotAuthorizedException', 'Incorrect username or password.');
    if (user.status === 'FORCE_CHANGE_PASSWORD') {
      const ChallengeParameters = { USER_ID_FOR_SRP: user.username, userAttributes: JSON.stringify(user.attributes) };
      return { ChallengeName: 'NEW_PASSWORD_REQUIRED', ChallengeParameters };
    }
    const authTime = Math.floor(Date.now() / 1000);
    const tokens = await this.#personTokens({
      client,
      user,
      authTime,
      clientMetadata,
      source: 'TokenGeneration_Authentication',
    });
    const RefreshToken = this.#users.issueRefreshToken(client, user, authTime);
    return { AuthenticationResult: { ...tokens, RefreshToken }, ChallengeParameters: {} };
  }

  async #refresh(client: Client, { REFRESH_TOKEN, SECRET_HASH }: Properties, clientMetadata: Grant['clientMetadata']) {
    const session = this.#users.redeemRefreshToken(client, String(REFRESH_TOKEN));
    if (!session) throw refusal('NotAuthorizedException', 'Invalid Refresh Token');
    checkSecretHash(client, session.user.username, SECRET_HASH);
    const source = 'TokenGeneration_RefreshTokens';
    const AuthenticationResult = await this.#personTokens({ client, ...session, clientMetadata, source });
    return { AuthenticationResult, ChallengeParameters: {} };
  }

  async #personTokens(grant: Omit<Grant, 'scopes'>) {
    // Without the hosted pages this is the only scope a person gets; the trigger adds the app's.
    const { access, id } = await claimsOf({ ...grant, scopes: ['aws.cognito.signin.user.admin'] }, this.#invoke);
    const [AccessToken, IdToken] = await Promise.all([this.signer.sign(access), this.signer.sign(id!)]);
    return { AccessToken, IdToken, ExpiresIn: grant.client.accessSeconds, TokenType: 'Bearer' };
  }

  async adminCreateUser({ UserPoolId, Username, UserAttributes, TemporaryPassword }: Properties) {
    const pool = this.#pool(UserPoolId);
    if (pool.emailIsUsername && !/^[^\s@]+@[^\s@]+$/.test(Username)) {
      throw refusal('InvalidParameterException', 'Username should be an email.');
    }
    if (TemporaryPassword) checkPassword(TemporaryPassword, pool.passwordPolicy);
    const password = TemporaryPassword ? await hashPassword(TemporaryPassword) : null;
    const user = { ...this.#users.create(pool, Username, attributesOf(UserAttributes)), password };
    if (password) this.#users.save(pool, user);
    return { User: { ...shown(user), Attributes: attributeList(user) } };
  }

  async adminSetUserPassword({ UserPoolId, Username, Password, Permanent }: Properties) {
    const pool = this.#pool(UserPoolId);
    this.#users.need(pool, Username);
    checkPassword(Password, pool.passwordPolicy);
    const password = await hashPassword(Password);
    const status = Permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD';
    this.#users.save(pool, { ...this.#users.need(pool, Username), password, status });
    return {};
  }

  adminAddUserToGroup({ UserPoolId, Username, GroupName }: Properties) {
    const pool = this.#pool(UserPoolId);
    const user = this.#users.need(pool, Username);
    if (!pool.groups.has(GroupName)) throw refusal('ResourceNotFoundException', 'Group not found.');
    if (!user.groups.includes(GroupName)) this.#users.save(pool, { ...user, groups: [...user.groups, GroupName] });
    return {};
  }

  adminGetUser({ UserPoolId, Username }: Properties) {
    const user = this.#users.need(this.#pool(UserPoolId), Username);
    return { ...shown(user), UserAttributes: attributeList(user) };
  }

  adminUpdateUserAttributes({ UserPoolId, Username, UserAttributes }: Properties) {
    const pool = this.#pool(UserPoolId);
    const user = this.#users.need(pool, Username);
    this.#users.save(pool, { ...user, attributes: { ...user.attributes, ...attributesOf(UserAttributes) } });
    return {};
  }

  adminDeleteUser({ UserPoolId, Username }: Properties) {
    const pool = this.#pool(UserPoolId);
    this.#users.delete(pool, this.#users.need(pool, Username));
    return {};
  }

  async pages(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname } = new URL(request.url ?? '/', 'http://local');
    if (request.method === 'POST' && pathname === '/oauth2/token') {
      const answer = await this.#token(request).catch((error: Error) => ({
        error: error instanceof TokenRefusal ? error.message : 'invalid_request',
        ...(error instanceof TokenRefusal ? {} : { error_description: error.message }),
      }));
      respond(response, 'error' in answer ? 400 : 200, answer, 'no-store');
      return true;
    }
    const [, poolId = '', page] = /^\/([^/]+)\/\.well-known\/(jwks\.json|openid-configuration)$/.exec(pathname) ?? [];
    const pool = this.#directory.pools.get(poolId);
    if (request.method !== 'GET' || !pool) return false;
    const configuration = { issuer: pool.issuer, jwks_uri: `${pool.issuer}/.well-known/jwks.json` };
    respond(response, 200, page === 'jwks.json' ? this.signer.jwks : configuration, 'max-age=3600');
    return true;
  }

  /** The client-credentials grant: a channel or integration asks for a token of its own. */
  async #token(request: IncomingMessage) {
    const { authorization } = request.headers;
    const form = await formOf(request);
    const [, basic = ''] = /^Basic (.+)$/i.exec(authorization ?? '') ?? [];
    const [id = '', ...secret] = Buffer.from(basic, 'base64').toString().split(':');
    const client = this.#directory.clients.get(id || (form.get('client_id') ?? ''));
    if (!client?.secret || !same(basic ? secret.join(':') : (form.get('client_secret') ?? ''), client.secret)) {
      throw new TokenRefusal('invalid_client');
    }
    if (form.get('grant_type') !== 'client_credentials') throw new TokenRefusal('unsupported_grant_type');
    if (!client.machineScopes) throw new TokenRefusal('unauthorized_client');
    const wanted = form.get('scope')?.split(' ').filter(Boolean) ?? [];
    if (!wanted.every((scope) => client.machineScopes?.includes(scope))) throw new TokenRefusal('invalid_scope');
    const scopes = wanted.length > 0 ? wanted : client.machineScopes;
    const source = 'TokenGeneration_ClientCredentials';
    const authTime = Math.floor(Date.now() / 1000);
    const { access } = await claimsOf({ client, scopes, source, authTime }, this.#invoke);
    return { access_token: await this.signer.sign(access), expires_in: client.accessSeconds, token_type: 'Bearer' };
  }

  #pool(id: string): Pool {
    const pool = this.#directory.pools.get(id);
    if (!pool) throw refusal('ResourceNotFoundException', `User pool ${id} does not exist.`);
    return pool;
  }
}

/** RFC 6749's error codes; `message` is the code. */
class TokenRefusal extends Error {}

function checkSecretHash(client: Client, username: string, given: unknown): void {
  if (!client.secret) return;
  const expected = createHmac('sha256', client.secret)
    .update(username + client.id)
    .digest('base64');
  if (!same(String(given), expected)) {
    throw refusal('NotAuthorizedException', `SecretHash does not match for client: ${client.id}`);
  }
}

const same = (given: string, expected: string): boolean =>
  Buffer.byteLength(given) === Buffer.byteLength(expected) &&
  timingSafeEqual(Buffer.from(given), Buffer.from(expected));

const attributesOf = (list: { Name: string; Value: string }[] = []): Record<string, string> =>
  Object.fromEntries(list.filter(({ Name }) => Name !== 'sub').map(({ Name, Value }) => [Name, Value]));

const attributeList = (user: User) =>
  Object.entries({ ...user.attributes, sub: user.sub }).map(([Name, Value]) => ({ Name, Value }));

const shown = (user: User) => ({
  Username: user.username,
  UserStatus: user.status,
  Enabled: true,
  UserCreateDate: user.createdAt,
  UserLastModifiedDate: user.modifiedAt,
});

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  let length = 0;
  for await (const chunk of request.setEncoding('utf8')) {
    length += chunk.length;
    // Read to the end, though not kept: leaving early would close the connection before the answer.
    if (length <= FORM_LIMIT_BYTES) text += chunk;
  }
  if (length > FORM_LIMIT_BYTES) throw refusal('RequestTooLarge', 'The form is too large.');
  return new URLSearchParams(text);
}

function respond(response: ServerResponse, status: number, body: object, cacheControl: string): void {
  const headers = { 'content-type': 'application/json;charset=UTF-8', 'cache-control': cacheControl };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

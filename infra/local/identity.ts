import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import type { JWTPayload } from 'jose';
import { refusal, type Service } from './aws-endpoint.ts';
import { checkSecretHash, peopleOperations, same } from './identity/people.ts';
import type { Client, Directory } from './identity/pools.ts';
import { readDirectory } from './identity/pools.ts';
import type { Grant, Signer } from './identity/tokens.ts';
import { claimsOf, openSigner } from './identity/tokens.ts';
import { passwordMatches, Users } from './identity/users.ts';
import type { Properties, Template } from './template.ts';

export interface Identity {
  /** The operations of `AWSCognitoIdentityProviderService` that this app needs; others are refused by name. */
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
  const directory = readDirectory(template);
  const users = new Users(journal);
  const signer = await openSigner(dataDir);
  const cognito = new Cognito(directory, users, signer, (arn, event) => functions.invoke(arn, event));
  const operations: Record<string, (body: Properties) => unknown> = {
    InitiateAuth: (body) => cognito.initiateAuth(body),
    ...peopleOperations(directory, users),
  };
  return {
    async service(operation, body) {
      const serve = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (serve) return serve(body);
      throw refusal('UnknownOperationException', `The local identity provider does not serve ${operation}.`);
    },
    pages: (request, response) => cognito.pages(request, response),
    verify: (token, expected) => signer.verify(token, expected),
  };
}

const FORM_LIMIT_BYTES = 16_384;

class Cognito {
  #signer: Signer;
  #directory: Directory;
  #users: Users;
  #invoke: IdentityOptions['functions']['invoke'];

  constructor(directory: Directory, users: Users, signer: Signer, invoke: IdentityOptions['functions']['invoke']) {
    this.#directory = directory;
    this.#users = users;
    this.#signer = signer;
    this.#invoke = invoke;
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
    const [AccessToken, IdToken] = await Promise.all([this.#signer.sign(access), this.#signer.sign(id!)]);
    return { AccessToken, IdToken, ExpiresIn: grant.client.accessSeconds, TokenType: 'Bearer' };
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
    respond(response, 200, page === 'jwks.json' ? this.#signer.jwks : configuration, 'max-age=3600');
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
    return { access_token: await this.#signer.sign(access), expires_in: client.accessSeconds, token_type: 'Bearer' };
  }
}

/** RFC 6749's error codes; `message` is the code. */
class TokenRefusal extends Error {}

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

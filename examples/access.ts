import type { Role } from '../shared/auth.ts';
import { type Client, createClient } from '../shared/client.ts';

/** What has to be known of a local cloud; the cloud itself will do. */
interface Located {
  url: string;
  awsUrl: string;
  template: { outputs: Record<string, string> };
}

/** Where a deployment answers, and as whom a machine may sign in there. */
export interface CloudAccess {
  /** Of the HTTP API, without a slash at the end. */
  apiUrl: string;
  /** Of Cognito's API and its `/oauth2/token`. */
  identityUrl: string;
  userPoolId: string;
  /** The client that people sign in with. */
  screensClientId: string;
  /** The client that a channel signs in with. */
  channel: { clientId: string; clientSecret: string };
}

/** Access to a local cloud, by the outputs of its stacks. */
export const accessOf = ({ url, awsUrl, template }: Located): CloudAccess => {
  const output = (name: string): string => {
    const value = template.outputs[name];
    if (value === undefined) throw new Error(`the stacks have no output ${name}; the examples sign in with it`);
    return value;
  };
  const clientId = output('ChannelsClientId');
  return {
    apiUrl: url,
    identityUrl: awsUrl,
    userPoolId: output('UserPoolId'),
    screensClientId: output('ScreensClientId'),
    // The local identity provider's secret, see homes.ts. On AWS it is read with DescribeUserPoolClient.
    channel: { clientId, clientSecret: `secret-${clientId}` },
  };
};

/** Cognito refused; `code` is its name for why, e.g. `UsernameExistsException`. */
export class IdentityError extends Error {
  override name = 'IdentityError';
  readonly code: string;

  constructor(operation: string, code: string, message: string) {
    super(`${operation}: ${code}: ${message}`);
    this.code = code;
  }
}

const cognito = async <T>({ identityUrl }: CloudAccess, operation: string, body: object): Promise<T> => {
  const response = await fetch(identityUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
    },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as T & { __type?: string; message?: string };
  if (!response.ok) throw new IdentityError(operation, answer.__type ?? 'Unknown', answer.message ?? '');
  return answer;
};

export interface Account {
  username: string;
  email: string;
  password: string;
  group: Role;
  /** Where an associate works. */
  nodeId?: string;
}

/** Opens an account unless there is one of that name, and gives it its password and its role. */
export const ensureAccount = async (access: CloudAccess, account: Account): Promise<void> => {
  const { username, email, password, group, nodeId } = account;
  const who = { UserPoolId: access.userPoolId, Username: username };
  const attributes = { email, email_verified: 'true', ...(nodeId === undefined ? {} : { 'custom:nodeId': nodeId }) };
  try {
    await cognito(access, 'AdminCreateUser', {
      ...who,
      MessageAction: 'SUPPRESS',
      UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    });
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'UsernameExistsException') throw error;
  }
  await cognito(access, 'AdminSetUserPassword', { ...who, Password: password, Permanent: true });
  await cognito(access, 'AdminAddUserToGroup', { ...who, GroupName: group });
};

/** A token is asked for anew when it has less than this left. */
const RENEW_BEFORE_SECONDS = 60;

interface Token {
  value: string;
  expiresInSeconds: number;
}

/** Keeps a token and asks for the next one in time; calls that come together share one request. */
const renewing = (ask: () => Promise<Token>): (() => Promise<string>) => {
  let current: Promise<{ value: string; renewAtMs: number }> | undefined;
  return async () => {
    const known = await current;
    if (known === undefined || Date.now() >= known.renewAtMs) {
      current = ask().then(({ value, expiresInSeconds }) => ({
        value,
        renewAtMs: Date.now() + (expiresInSeconds - RENEW_BEFORE_SECONDS) * 1000,
      }));
      current.catch(() => {
        current = undefined;
      });
    }
    return (await current!).value;
  };
};

/** A client of the API that speaks as a person with a password. Signs in at the first call. */
export const clientOfPerson = (access: CloudAccess, username: string, password: string): Client =>
  createClient({
    baseUrl: access.apiUrl,
    token: renewing(async () => {
      type Answer = { AuthenticationResult?: { AccessToken: string; ExpiresIn: number }; ChallengeName?: string };
      const { AuthenticationResult: result, ChallengeName } = await cognito<Answer>(access, 'InitiateAuth', {
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: access.screensClientId,
        AuthParameters: { USERNAME: username, PASSWORD: password },
      });
      if (result === undefined) throw new Error(`${username} cannot sign in: ${ChallengeName}`);
      return { value: result.AccessToken, expiresInSeconds: result.ExpiresIn };
    }),
  });

/** A client of the API that speaks as a channel, by the client-credentials grant. */
export const clientOfChannel = (access: CloudAccess): Client =>
  createClient({
    baseUrl: access.apiUrl,
    token: renewing(async () => {
      const { clientId, clientSecret } = access.channel;
      const response = await fetch(`${access.identityUrl}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      const answer = (await response.json()) as { access_token: string; expires_in: number; error?: string };
      if (!response.ok) throw new Error(`the channel cannot sign in: ${answer.error}`);
      return { value: answer.access_token, expiresInSeconds: answer.expires_in };
    }),
  });

/** A client of what anyone may ask. */
export const clientOfAnyone = (access: CloudAccess): Client => createClient({ baseUrl: access.apiUrl });

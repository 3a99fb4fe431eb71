import { createHmac, timingSafeEqual } from 'node:crypto';
import { refusal } from '../aws-endpoint.ts';
import type { Properties } from '../template.ts';
import type { Client, Directory, Pool } from './pools.ts';
import type { User, Users } from './users.ts';
import { checkPassword, hashPassword } from './users.ts';

/** What Cognito offers to keep people with: sign-up, and what administrators do. */
export function peopleOperations(directory: Directory, users: Users) {
  const poolOf = (id: string): Pool => {
    const pool = directory.pools.get(id);
    if (!pool) throw refusal('ResourceNotFoundException', `User pool ${id} does not exist.`);
    return pool;
  };
  const administered = ({ UserPoolId, Username }: Properties): { pool: Pool; user: User } => {
    const pool = poolOf(UserPoolId);
    return { pool, user: users.need(pool, Username) };
  };
  return {
    async SignUp(body: Properties) {
      const client = directory.clients.get(body.ClientId);
      if (!client) throw refusal('ResourceNotFoundException', `User pool client ${body.ClientId} does not exist.`);
      return signUp(users, client, body);
    },
    async AdminCreateUser({ UserPoolId, Username, UserAttributes, TemporaryPassword }: Properties) {
      const pool = poolOf(UserPoolId);
      checkUsername(pool, Username);
      if (TemporaryPassword) checkPassword(TemporaryPassword, pool.passwordPolicy);
      const password = TemporaryPassword ? await hashPassword(TemporaryPassword) : null;
      const user = users.create(pool, Username, {
        attributes: attributesOf(UserAttributes),
        status: 'FORCE_CHANGE_PASSWORD',
        password,
      });
      return { User: { ...shown(user), Attributes: attributeList(user) } };
    },
    async AdminSetUserPassword(body: Properties) {
      checkPassword(body.Password, administered(body).pool.passwordPolicy);
      const password = await hashPassword(body.Password);
      const { pool, user } = administered(body);
      users.save(pool, { ...user, password, status: body.Permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD' });
      return {};
    },
    AdminAddUserToGroup(body: Properties) {
      const { pool, user } = administered(body);
      if (!pool.groups.has(body.GroupName)) throw refusal('ResourceNotFoundException', 'Group not found.');
      if (!user.groups.includes(body.GroupName))
        users.save(pool, { ...user, groups: [...user.groups, body.GroupName] });
      return {};
    },
    AdminGetUser(body: Properties) {
      const { user } = administered(body);
      return { ...shown(user), UserAttributes: attributeList(user) };
    },
    AdminUpdateUserAttributes(body: Properties) {
      const { pool, user } = administered(body);
      users.save(pool, { ...user, attributes: { ...user.attributes, ...attributesOf(body.UserAttributes) } });
      return {};
    },
    AdminDeleteUser(body: Properties) {
      const { pool, user } = administered(body);
      users.delete(pool, user);
      return {};
    },
  };
}

/** Confirmed at once, unlike on AWS: no mail leaves this machine, so nobody could receive a code. */
async function signUp(users: Users, client: Client, body: Properties) {
  const { Username, Password, SecretHash, UserAttributes } = body;
  const { pool } = client;
  if (!pool.selfSignUp) throw refusal('NotAuthorizedException', 'SignUp is not permitted for this user pool');
  checkSecretHash(client, Username, SecretHash);
  checkUsername(pool, Username);
  const given = attributesOf(UserAttributes);
  for (const name of Object.keys(given)) {
    const verification = name === 'email_verified' || name === 'phone_number_verified';
    if (verification || (name.startsWith('custom:') && !client.writableCustom.has(name))) {
      throw refusal('NotAuthorizedException', 'A client attempted to write unauthorized attribute');
    }
  }
  checkPassword(Password, pool.passwordPolicy);
  const password = await hashPassword(Password);
  const attributes = { ...given, ...((given.email || pool.emailIsUsername) && { email_verified: 'true' }) };
  const user = users.create(pool, Username, { attributes, status: 'CONFIRMED', password });
  return { UserConfirmed: true, UserSub: user.sub };
}

function checkUsername(pool: Pool, username: string): void {
  const isEmail = /^[^\s@]+@[^\s@]+$/.test(username);
  if (pool.emailIsUsername && !isEmail) throw refusal('InvalidParameterException', 'Username should be an email.');
  if (pool.emailIsAlias && !pool.emailIsUsername && isEmail) {
    const message = 'Username cannot be of email format, since user pool is configured for email alias.';
    throw refusal('InvalidParameterException', message);
  }
}

/** A client with a secret proves it by an HMAC over the name that it sends along. */
export function checkSecretHash(client: Client, username: string, given: unknown): void {
  if (!client.secret) return;
  const expected = createHmac('sha256', client.secret)
    .update(username + client.id)
    .digest('base64');
  if (!same(String(given), expected)) {
    throw refusal('NotAuthorizedException', `SecretHash does not match for client: ${client.id}`);
  }
}

export const same = (given: string, expected: string): boolean =>
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

import { createHash, randomBytes, randomUUID, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { refusal } from '../aws-endpoint.ts';
import type { Properties } from '../template.ts';
import type { Client, Pool } from './pools.ts';

export interface User {
  pool: string;
  username: string;
  sub: string;
  attributes: Record<string, string>;
  groups: string[];
  status: 'FORCE_CHANGE_PASSWORD' | 'CONFIRMED';
  password: string | null;
  /** Epoch seconds, as in Cognito's answers. */
  createdAt: number;
  modifiedAt: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS identity_users (
    pool TEXT NOT NULL, username TEXT NOT NULL, login TEXT NOT NULL, email TEXT, sub TEXT NOT NULL,
    attributes TEXT NOT NULL, groups TEXT NOT NULL, status TEXT NOT NULL, password TEXT,
    created_at REAL NOT NULL, modified_at REAL NOT NULL, PRIMARY KEY (pool, login)) WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS identity_users_email ON identity_users(pool, email) WHERE email IS NOT NULL;
  CREATE TABLE IF NOT EXISTS identity_refresh_tokens (
    hash TEXT PRIMARY KEY, pool TEXT NOT NULL, login TEXT NOT NULL, client TEXT NOT NULL, auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL) WITHOUT ROWID;
`;

const scrypted = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
/** Far below what real passwords deserve: these are a demo's, and dozens of people sign in at every start. */
const derive = (password: string, salt: Buffer): Promise<Buffer> => scrypted(password, salt, 32, { N: 512 });

/** The people of all pools, in the journal. User names and addresses are compared without case, Cognito's default. */
export class Users {
  #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(SCHEMA);
    database.prepare('DELETE FROM identity_refresh_tokens WHERE expires_at < ?').run(Date.now() / 1000);
  }

  /** @throws UsernameExistsException, AliasExistsException */
  create(pool: Pool, wanted: string, first: Pick<User, 'attributes' | 'status' | 'password'>): User {
    if (this.find(pool, wanted)) throw refusal('UsernameExistsException', 'User account already exists');
    const sub = randomUUID();
    const attributes = pool.emailIsUsername ? { email: wanted, ...first.attributes } : first.attributes;
    const username = pool.emailIsUsername ? sub : wanted;
    const now = Date.now() / 1000;
    const user: User = {
      ...first,
      pool: pool.id,
      username,
      sub,
      attributes,
      groups: [],
      createdAt: now,
      modifiedAt: now,
    };
    this.#write(pool, user, 'INSERT');
    return user;
  }

  /** By user name, or by e-mail address where the pool lets it stand for one. */
  find(pool: Pool, login: string): User | undefined {
    const row = this.#database
      .prepare('SELECT * FROM identity_users WHERE pool = ? AND (login = ? OR email = ? OR sub = ?)')
      .get(pool.id, login.toLowerCase(), login.toLowerCase(), login);
    if (!row) return undefined;
    return {
      pool: pool.id,
      username: row.username as string,
      sub: row.sub as string,
      attributes: JSON.parse(row.attributes as string),
      groups: JSON.parse(row.groups as string),
      status: row.status as User['status'],
      password: row.password as string | null,
      createdAt: row.created_at as number,
      modifiedAt: row.modified_at as number,
    };
  }

  /** @throws UserNotFoundException */
  need(pool: Pool, login: string): User {
    const user = this.find(pool, login);
    if (!user) throw refusal('UserNotFoundException', 'User does not exist.');
    return user;
  }

  save(pool: Pool, user: User): void {
    this.#write(pool, { ...user, modifiedAt: Date.now() / 1000 }, 'UPDATE');
  }

  delete(pool: Pool, user: User): void {
    const login = user.username.toLowerCase();
    this.#database.prepare('DELETE FROM identity_users WHERE pool = ? AND login = ?').run(pool.id, login);
    this.#database.prepare('DELETE FROM identity_refresh_tokens WHERE pool = ? AND login = ?').run(pool.id, login);
  }

  /** A token that only its hash knows, so that the journal gives nothing away. */
  issueRefreshToken(client: Client, user: User, authTime: number): string {
    const token = randomBytes(48).toString('base64url');
    const expiresAt = Math.floor(Date.now() / 1000) + client.refreshSeconds;
    this.#database
      .prepare('INSERT INTO identity_refresh_tokens VALUES (?, ?, ?, ?, ?, ?)')
      .run(hashOf(token), client.pool.id, user.username.toLowerCase(), client.id, authTime, expiresAt);
    return token;
  }

  /** @returns undefined for a token that is unknown, expired, or another client's */
  redeemRefreshToken(client: Client, token: string): { user: User; authTime: number } | undefined {
    const row = this.#database
      .prepare('SELECT * FROM identity_refresh_tokens WHERE hash = ? AND client = ? AND expires_at > ?')
      .get(hashOf(token), client.id, Date.now() / 1000);
    const user = row && this.find(client.pool, row.login as string);
    return user && { user, authTime: row.auth_time as number };
  }

  #write(pool: Pool, user: User, how: 'INSERT' | 'UPDATE'): void {
    // An alias beside a user name stands for its user once it is verified; two may have claimed it before.
    const isLogin = pool.emailIsUsername || (pool.emailIsAlias && user.attributes.email_verified === 'true');
    const email = (isLogin && user.attributes.email?.toLowerCase()) || null;
    const row = [
      user.username,
      email,
      user.sub,
      JSON.stringify(user.attributes),
      JSON.stringify(user.groups),
      user.status,
      user.password,
      user.createdAt,
      user.modifiedAt,
      user.pool,
      user.username.toLowerCase(),
    ];
    const columns = [
      'username',
      'email',
      'sub',
      'attributes',
      'groups',
      'status',
      'password',
      'created_at',
      'modified_at',
    ];
    const sql =
      how === 'INSERT'
        ? `INSERT INTO identity_users(${columns}, pool, login) VALUES (${row.map(() => '?')})`
        : `UPDATE identity_users SET ${columns.map((column) => `${column} = ?`)} WHERE pool = ? AND login = ?`;
    try {
      this.#database.prepare(sql).run(...row);
    } catch (error) {
      if (!/UNIQUE/.test((error as Error).message)) throw error;
      throw refusal('AliasExistsException', 'An account with the given email already exists.');
    }
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('base64url')}.${(await derive(password, salt)).toString('base64url')}`;
}

/** Takes as long for a user without a password as for one with it, so that time tells nobody who exists. */
export async function passwordMatches(password: string, stored: string | null): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? `${'A'.repeat(22)}.${'A'.repeat(43)}`).split('.');
  const derived = await derive(password, Buffer.from(salt, 'base64url'));
  return timingSafeEqual(derived, Buffer.from(hash, 'base64url')) && stored !== null;
}

/** @throws InvalidPasswordException */
export function checkPassword(password: string, policy: Properties): void {
  const rules: [boolean, string][] = [
    [password.length >= (policy.MinimumLength ?? 8), 'Password not long enough'],
    [!(policy.RequireLowercase ?? true) || /[a-z]/.test(password), 'Password must have lowercase characters'],
    [!(policy.RequireUppercase ?? true) || /[A-Z]/.test(password), 'Password must have uppercase characters'],
    [!(policy.RequireNumbers ?? true) || /\d/.test(password), 'Password must have numeric characters'],
    [!(policy.RequireSymbols ?? true) || /[^\p{L}\p{N}]/u.test(password), 'Password must have symbol characters'],
  ];
  const broken = rules.find(([kept]) => !kept);
  if (broken) throw refusal('InvalidPasswordException', `Password did not conform with policy: ${broken[1]}`);
}

import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/** What AWS knows the caller by. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface Unsigned {
  /** Names in lower case; `host` is one of them. */
  headers: Record<string, string>;
  body: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

const hmac = (key: KeyObject | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signing keys last a day of one region; made for every call, they would cost more than the signature. */
const dailyKey = (service: string) => {
  let known: { secret: string; scope: string; key: KeyObject } | undefined;
  return (secret: string, day: string, region: string, scope: string): KeyObject => {
    if (known?.scope === scope && known.secret === secret) return known.key;
    const ofRegion = hmac(createSecretKey(hmac(`AWS4${secret}`, day)), region);
    const ofService = hmac(createSecretKey(ofRegion), service);
    const key = createSecretKey(hmac(createSecretKey(ofService), 'aws4_request'));
    known = { secret, scope, key };
    return key;
  };
};

/**
 * Signature Version 4 of `POST /`, which is all that AWS's JSON protocols send. Returns the headers to send: those
 * given, which are all signed, and those that sign them.
 */
export const signerFor = (service: string) => {
  const keyOf = dailyKey(service);
  return ({ headers, body }: Unsigned, region: string, credentials: Credentials, nowMs: number) => {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const time = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const signed: Record<string, string> = { ...headers, 'x-amz-date': time };
    if (sessionToken !== undefined) signed['x-amz-security-token'] = sessionToken;
    const names = Object.keys(signed).sort();
    const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
    const list = names.join(';');
    const day = time.slice(0, 8);
    const scope = `${day}/${region}/${service}/aws4_request`;
    const request = hash('sha256', `POST\n/\n\n${lines}\n${list}\n${hash('sha256', body)}`);
    const key = keyOf(secretAccessKey, day, region, scope);
    const signature = hmac(key, `${ALGORITHM}\n${time}\n${scope}\n${request}`).toString('hex');
    signed.authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`;
    return signed;
  };
};

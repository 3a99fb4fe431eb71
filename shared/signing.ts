import { createHmac, createSecretKey, type Hmac, hash, type KeyObject } from 'node:crypto';

/** What AWS knows the caller by. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** One call of a service with a JSON protocol: a POST to `/` of its host. */
export interface Unsigned {
  host: string;
  contentType: string;
  /** The operation, as `x-amz-target` names it. */
  target: string;
  body: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

const hmac = (key: KeyObject | string, text: string): Hmac => createHmac('sha256', key).update(text);
const keyFrom = (key: KeyObject | string, text: string): KeyObject => createSecretKey(hmac(key, text).digest());

/** Signing keys last a day of one region; made for every call, they would cost more than the signature. */
const dailyKey = (service: string) => {
  let known: { secret: string; scope: string; key: KeyObject } | undefined;
  return (secret: string, day: string, region: string, scope: string): KeyObject => {
    if (known?.scope === scope && known.secret === secret) return known.key;
    const ofRegion = keyFrom(keyFrom(`AWS4${secret}`, day), region);
    const key = keyFrom(keyFrom(ofRegion, service), 'aws4_request');
    known = { secret, scope, key };
    return key;
  };
};

/** As `20261128T223556Z`; a second's many calls share it. */
const timeOf = () => {
  let known = { second: Number.NaN, text: '' };
  return (nowMs: number): string => {
    const second = Math.floor(nowMs / 1000);
    if (second !== known.second) {
      known = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z` };
    }
    return known.text;
  };
};

/**
 * Signature Version 4 of `POST /`, which is all that AWS's JSON protocols send. Returns the headers of the request as
 * name, value, name, value …: those that are signed, and the signature.
 */
export const signerFor = (service: string) => {
  const keyOf = dailyKey(service);
  const timeAt = timeOf();
  return ({ host, contentType, target, body }: Unsigned, region: string, credentials: Credentials, nowMs: number) => {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const time = timeAt(nowMs);
    const day = time.slice(0, 8);
    const scope = `${day}/${region}/${service}/aws4_request`;
    // By name, as the signature wants them.
    const signed = ['content-type', contentType, 'host', host, 'x-amz-date', time];
    if (sessionToken !== undefined) signed.push('x-amz-security-token', sessionToken);
    signed.push('x-amz-target', target);
    let lines = '';
    let names = '';
    for (let at = 0; at < signed.length; at += 2) {
      lines += `${signed[at]}:${signed[at + 1]}\n`;
      names += at === 0 ? signed[at] : `;${signed[at]}`;
    }
    const request = hash('sha256', `POST\n/\n\n${lines}\n${names}\n${hash('sha256', body)}`);
    const key = keyOf(secretAccessKey, day, region, scope);
    const signature = hmac(key, `${ALGORITHM}\n${time}\n${scope}\n${request}`).digest('hex');
    signed.push(
      'authorization',
      `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    );
    return signed;
  };
};

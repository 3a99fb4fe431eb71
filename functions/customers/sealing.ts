import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Seals personal data; chance comes from outside. */
export interface Sealer {
  /** A new key of 256 bits, in base64. */
  newKey(): string;
  /** AES-256-GCM: nonce, tag and ciphertext in base64. `place` is bound to it: moved elsewhere it does not open. */
  seal(key: string, place: string, value: unknown): string;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export const sealerFrom = (randomBytes: (bytes: number) => Uint8Array): Sealer => ({
  newKey: () => Buffer.from(randomBytes(KEY_BYTES)).toString('base64'),
  seal(key, place, value) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, Buffer.from(key, 'base64'), nonce).setAAD(Buffer.from(place));
    const ciphertext = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64');
  },
});

/** Opens what was sealed with this key at this place; throws where it was changed, moved or sealed with another. */
export const unseal = <T>(key: string, place: string, sealed: string): T => {
  const bytes = Buffer.from(sealed, 'base64');
  const opener = createDecipheriv(CIPHER, Buffer.from(key, 'base64'), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(place))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = Buffer.concat([opener.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), opener.final()]);
  return JSON.parse(text.toString()) as T;
};

import { createHash, createHmac } from 'node:crypto';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Checksum, SourceData } from '@smithy/types';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { signerFor } from '../../shared/signing.ts';

/** SHA-256 in the shape that the SDK's signer asks for. */
class Sha256 implements Checksum {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }
  digest = async (): Promise<Uint8Array> => this.#hash.digest();
  reset(): void {}
}

const word = fc.stringMatching(/^[A-Za-z0-9/+]{16,40}$/);
const calls = fc.record({
  // A function's role comes with a session token, a person's key without.
  credentials: fc.record(
    { accessKeyId: word, secretAccessKey: word, sessionToken: word },
    { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
  ),
  region: fc.constantFrom('ap-northeast-2', 'us-east-1'),
  service: fc.constantFrom('dynamodb', 'events', 'states'),
  at: fc.date({ min: new Date('2024-01-01'), max: new Date('2035-01-01'), noInvalidDate: true }),
  // Bodies go as UTF-8, names of things may be Korean.
  bodies: fc.array(fc.json({ maxDepth: 2 }), { minLength: 1, maxLength: 3 }),
});

const pairsOf = (list: readonly string[]): string[][] =>
  list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1]!]] : []));

it('signs as the SDK does, with a key that it keeps and with one that it has to change', async () => {
  const signers = new Map<string, ReturnType<typeof signerFor>>();
  await fc.assert(
    fc.asyncProperty(calls, async ({ region, service, at, bodies, credentials }) => {
      const theirs = new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });
      const ours = signers.get(service) ?? signerFor(service);
      signers.set(service, ours);
      for (const body of bodies) {
        const host = 'localhost:8000';
        const [contentType, target] = ['application/x-amz-json-1.0', 'DynamoDB_20120810.GetItem'];
        const headers = { host, 'content-type': contentType, 'x-amz-target': target };
        const request = new HttpRequest({ method: 'POST', path: '/', hostname: 'localhost', headers, body });
        const { headers: expected } = await theirs.sign(request, { signingDate: at });
        const signed = ours({ host, contentType, target, body }, region, credentials, at.getTime());
        expect(signed).toHaveLength(2 * Object.keys(expected).length);
        expect(Object.fromEntries(pairsOf(signed))).toEqual(expected);
      }
    }),
    { numRuns: 200 },
  );
});

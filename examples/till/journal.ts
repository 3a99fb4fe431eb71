import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/**
 * The journal that a till keeps while it is offline, written to be read by who builds one: it needs nothing of Ieum
 * but the format that functions/tills/README.md describes.
 */

/** Goods that went over the counter, or came back. */
export interface CounterSale {
  /** The till's own number of the sale, never used again: after a restart, neither. */
  saleId: string;
  kind: 'SALE' | 'RETURN';
  lines: { sku: string; units: number }[];
  /** By the till's clock, in UTC with milliseconds. */
  occurredAt: string;
}

export interface SignedEntry extends CounterSale {
  sequence: number;
  previous: string;
  signature: string;
}

/** What a till has to keep on its disk, written before the receipt is printed. */
export interface JournalState {
  /** Of the last entry. */
  sequence: number;
  /** Hash of the last entry. */
  hash: string;
  /** Entries of which it is not known that they have arrived, oldest first. */
  waiting: readonly SignedEntry[];
}

/** How far a journal has arrived, as every answer to a batch says. */
export interface Arrived {
  highest: number;
  missing: readonly { from: number; to: number }[];
}

/** 32 zeros in base64url: what comes before the first entry. */
const BEFORE_THE_FIRST = Buffer.alloc(32).toString('base64url');

/** What is signed and hashed. The order of the names matters, and so does that there is no white space. */
export const canonicalForm = (tillId: string, entry: Omit<SignedEntry, 'signature'>): string =>
  JSON.stringify({
    kind: entry.kind,
    lines: entry.lines.map(({ sku, units }) => ({ sku, units })),
    occurredAt: entry.occurredAt,
    previous: entry.previous,
    saleId: entry.saleId,
    sequence: entry.sequence,
    tillId,
    type: 'ieum.till-entry.v1',
  });

/** The public half of a till's key, as it is registered. */
export const publicKeyOf = (privateKey: KeyObject): { kty: 'OKP'; crv: 'Ed25519'; x: string } => {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x: x! };
};

export class TillJournal {
  readonly tillId: string;
  /** May be replaced by a new one, once that is registered; what was signed stays signed by the old one. */
  privateKey: KeyObject;
  #state: JournalState;

  /** `state`: where this till's journal was, unless it is a new till. */
  constructor(
    tillId: string,
    privateKey: KeyObject,
    state: JournalState = { sequence: 0, hash: BEFORE_THE_FIRST, waiting: [] },
  ) {
    this.tillId = tillId;
    this.privateKey = privateKey;
    this.#state = state;
  }

  get state(): JournalState {
    return this.#state;
  }

  /** Adds a sale as the next entry of the chain. Keep the state on disk before anything else happens. */
  record({ saleId, kind, lines, occurredAt }: CounterSale): SignedEntry {
    const { sequence, hash, waiting } = this.#state;
    const entry = { sequence: sequence + 1, saleId, kind, lines, occurredAt, previous: hash };
    const signed = Buffer.from(canonicalForm(this.tillId, entry));
    const signature = sign(null, signed, this.privateKey).toString('base64url');
    const recorded = { ...entry, signature };
    this.#state = {
      sequence: entry.sequence,
      hash: createHash('sha256').update(signed).digest('base64url'),
      waiting: [...waiting, recorded],
    };
    return recorded;
  }

  /** Forgets what has arrived; what is missing stays, and is sent again. */
  settle({ highest, missing }: Arrived): void {
    const isMissing = ({ sequence }: SignedEntry): boolean =>
      sequence > highest || missing.some(({ from, to }) => from <= sequence && sequence <= to);
    this.#state = { ...this.#state, waiting: this.#state.waiting.filter(isMissing) };
  }
}

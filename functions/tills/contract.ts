import * as z from 'zod';
import { node, scope } from '../../shared/auth.ts';
import { capability, event, operation } from '../../shared/contract.ts';
import { Id, NodeId, pageOf, paging, Sentence, Sku, Units } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

/** Lines of one sale: each takes up to three writes, and a sale is one transaction. */
export const SALE_LINES_MAX = 30;
/** Entries of one batch: each is a transaction, and the function has ten seconds. */
export const BATCH_ENTRIES_MAX = 50;
/** Keys that a till may sign with at once: the old and the new one, while one takes over from the other. */
const KEYS_MAX = 4;
/** Runs of sequences that a till may leave out; it sends what is missing before it leaves out more. */
export const GAPS_MAX = 200;
const SEQUENCE_MAX = 999_999_999_999;

/** So many bytes in base64url without padding; the last character has no bits to spare, so each value has one spelling. */
const bytes = (count: number, lastCharacter: string) => {
  const characters = Math.ceil((count * 4) / 3);
  return z
    .string()
    .max(characters)
    .regex(new RegExp(`^[A-Za-z0-9_-]{${characters - 1}}[${lastCharacter}]$`), `must be ${count} bytes in base64url`);
};
const Bytes32 = bytes(32, 'AEIMQUYcgkosw048');

const PublicKey = z
  .strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: Bytes32 })
  .meta({ id: 'TillKey', description: 'A public Ed25519 key as JWK (RFC 8037)' });
export type PublicKey = z.infer<typeof PublicKey>;

const TillId = Id.meta({ description: 'A till', examples: ['till-gangnam-1'] });
const SaleId = Id.meta({
  description: "The till's own number of a sale, never used again",
  examples: ['20261121-0001'],
});
const Sequence = z.int().min(1).max(SEQUENCE_MAX).meta({ description: 'Position in the journal, from 1 without gaps' });
const Gaps = z
  .array(z.object({ from: z.int(), to: z.int() }))
  .max(GAPS_MAX)
  .meta({ description: 'Sequences up to the highest that have not arrived, both ends included' });

const registration = {
  tillId: TillId,
  nodeId: NodeId.meta({ description: 'Where it stands, for good: a till that moves is registered anew' }),
  keys: z.array(PublicKey).min(1).max(KEYS_MAX).meta({ description: 'Keys that its entries may be signed with' }),
  status: z.enum(['ACTIVE', 'RETIRED']).meta({ description: 'RETIRED: nothing is taken from it any more' }),
};
const Registration = z.object(registration);
export type Registration = z.infer<typeof Registration>;

/** A till, and how far its journal has arrived. */
export const Till = z
  .object({
    ...registration,
    version: z.int().meta({ description: 'Number of changes of its registration' }),
    highest: z.int().meta({ description: 'The highest sequence of its journal that has arrived; 0 if none has' }),
    missing: Gaps,
  })
  .meta({ id: 'Till' });

const SaleLine = z.strictObject({ sku: Sku, units: Units });
const said = {
  saleId: SaleId,
  kind: z.enum(['SALE', 'RETURN']).meta({ description: 'RETURN: goods came back over the counter' }),
  lines: z.array(SaleLine).min(1).max(SALE_LINES_MAX),
  occurredAt: InstantSchema.meta({ description: "By the till's clock, which nothing is decided by" }),
};

/** What was sold or given back over the counter, as it was booked. */
export const Sale = z
  .object({ tillId: TillId, nodeId: NodeId, ...said, bookedAt: InstantSchema })
  .meta({ id: 'TillSale' });
export type Sale = z.infer<typeof Sale>;

const entry = {
  sequence: Sequence,
  ...said,
  previous: Bytes32.meta({ description: 'SHA-256 of the entry before, in canonical form; of the first one 32 zeros' }),
  signature: bytes(64, 'AQgw').meta({ description: 'Ed25519 over the canonical form' }),
};
const Entry = z.strictObject(entry).meta({ id: 'JournalEntry' });
/** One entry of a till's journal, as the till signed it. */
export type Entry = z.infer<typeof Entry>;

const CONFLICTS = ['FORKED', 'CHAIN_BROKEN', 'SALE_ID_TAKEN'] as const;
export type Conflict = (typeof CONFLICTS)[number];
const REFUSALS = ['BAD_SIGNATURE', 'TOO_MANY_GAPS', 'TOO_BUSY', ...CONFLICTS] as const;

const Outcome = z
  .object({
    index: z.int().meta({ description: 'Position in the batch, from 0' }),
    sequence: Sequence,
    outcome: z.enum(['APPLIED', 'REPEATED', 'REFUSED']).meta({ description: 'REPEATED: was booked before' }),
    because: z.enum(REFUSALS).optional(),
    detail: Sentence.optional(),
  })
  .meta({ id: 'JournalOutcome' });
export type Outcome = z.infer<typeof Outcome>;

/** An entry that was signed by the till and contradicts what is on record: somebody has to look. */
const ConflictingEntry = z
  .object({ ...entry, because: z.enum(CONFLICTS), arrivedAt: InstantSchema })
  .meta({ id: 'ConflictingEntry' });

const emits = {
  EntryConflicted: event(
    'till.entry-conflicted.v1',
    z.object({ tillId: TillId, nodeId: NodeId, sequence: Sequence, saleId: SaleId, because: z.enum(CONFLICTS) }),
    'A till signed an entry that contradicts its journal: it was not booked, and is on record.',
  ),
};

export default capability({
  name: 'tills',
  summary: 'What is sold over the counter: at once, or later from the signed journal of a till that was offline.',
  table: { indexes: { byNode: { project: 'keys' } } },
  operations: {
    maintain: operation({
      route: 'PUT /v1/tills/{tillId}',
      access: scope('inventory:write'),
      summary: 'Register a till, rotate its keys, or retire it.',
      input: Registration,
      output: Till,
      problems: ['not-found', 'wrong-state'],
    }),
    till: operation({
      route: 'GET /v1/tills/{tillId}',
      access: node('stock:work'),
      summary: 'A till of your node, and how far its journal has arrived.',
      input: z.object({ tillId: TillId }),
      output: Till,
      problems: ['not-found'],
    }),
    tills: operation({
      route: 'GET /v1/nodes/{nodeId}/tills',
      access: node('stock:work'),
      summary: 'The tills of a node, by id.',
      input: z.object({ nodeId: NodeId, ...paging }),
      output: pageOf(Till),
      problems: ['not-found'],
    }),
    sell: operation({
      route: 'POST /v1/nodes/{nodeId}/sales',
      access: node('stock:work'),
      summary: 'Book what was sold or given back over the counter, by its saleId once for ever.',
      input: z.object({ nodeId: NodeId, tillId: TillId, ...said }),
      output: Sale,
      problems: ['not-found', 'wrong-state', 'already-exists'],
      status: 201,
    }),
    journal: operation({
      route: 'POST /v1/tills/{tillId}/journal',
      access: node('stock:work'),
      summary: 'Take in what a till sold while it was offline, however often and in whatever order it is sent.',
      input: z.object({ tillId: TillId, entries: z.array(Entry).min(1).max(BATCH_ENTRIES_MAX) }),
      output: z.object({
        tillId: TillId,
        entries: z.array(Outcome).max(BATCH_ENTRIES_MAX).meta({ description: 'In the order of the batch' }),
        highest: z.int(),
        missing: Gaps,
      }),
      problems: ['not-found', 'wrong-state'],
    }),
    conflicts: operation({
      route: 'GET /v1/tills/{tillId}/conflicts',
      access: node('stock:work'),
      summary: 'Entries that the till signed and that contradict its journal, by sequence.',
      input: z.object({ tillId: TillId, ...paging }),
      output: pageOf(ConflictingEntry),
      problems: ['not-found'],
    }),
  },
  emits,
  grants: {
    api: {
      tables: {
        tills: ['GetItem', 'Query', 'Query:byNode', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
        inventory: ['GetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
        network: ['GetItem'],
        outbox: ['PutItem'],
      },
    },
  },
});

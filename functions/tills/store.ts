import { changedMeanwhile, check, put, update } from '../../shared/change.ts';
import type { Attributes, Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import type { Conflict, Entry, Sale } from './contract.ts';
import { arrived, type KeptEntry, type Till } from './domain.ts';

const TABLE = 'tills';

type Paging = { limit: number; cursor?: string | undefined };

const pkOf = (tillId: string): string => `TILL#${tillId}`;
const tillKey = (tillId: string): Key => ({ pk: pkOf(tillId), sk: 'TILL' });
/** As many digits as the highest sequence has, so that entries sort by it. */
const padded = (sequence: number): string => String(sequence).padStart(12, '0');
const entryKey = (tillId: string, sequence: number): Key => ({ pk: pkOf(tillId), sk: `ENTRY#${padded(sequence)}` });
const saleKey = (tillId: string, saleId: string): Key => ({ pk: pkOf(tillId), sk: `SALE#${saleId}` });
const CONFLICT_PREFIX = 'CONFLICT#';
const conflictKey = (tillId: string, { sequence, hash }: Pick<KeptEntry, 'sequence' | 'hash'>): Key => ({
  pk: pkOf(tillId),
  sk: `${CONFLICT_PREFIX}${padded(sequence)}#${hash}`,
});

export const tillOf = (tables: Tables, tillId: string): Promise<Till | undefined> => tables.get(TABLE, tillKey(tillId));

const itemsAt = (tables: Tables, keys: readonly Key[]): Promise<(Attributes | undefined)[]> =>
  tables.snapshot(keys.map(({ pk, sk }) => ({ table: TABLE, key: { pk, sk } })));

/** The index holds keys only, so an entry of a journal does not write it. */
export const tillsOf = async (tables: Tables, nodeId: string, page: Paging): Promise<Page<Till>> => {
  const { items: keys, ...rest } = await tables.query<Key>(TABLE, { index: 'byNode', pk: nodeId, ...page });
  const items = await itemsAt(tables, keys);
  return { items: items.flatMap((item) => (item === undefined ? [] : [item as unknown as Till])), ...rest };
};

/** A till that is new, or as it is from now on; its cursor is the journal's to write. */
export const tillPart = (till: Till): Part<'changed-meanwhile'> => {
  const { tillId, nodeId, keys, status, version } = till;
  const refusal = changedMeanwhile(`till ${tillId}`);
  if (version > 1) {
    const guards: Guard[] = [{ guard: 'version', version: version - 1 }];
    return update(TABLE, tillKey(tillId), { set: { keys, status, version } }, guards, refusal);
  }
  const item = { ...tillKey(tillId), ...till, byNodePk: nodeId, byNodeSk: tillId };
  return put(TABLE, item, [{ guard: 'absent' }], refusal);
};

/** Its registration still stands as it was read. */
export const tillCheck = ({ tillId, version }: Till): Part<'changed-meanwhile'> =>
  check(TABLE, tillKey(tillId), [{ guard: 'version', version }], changedMeanwhile(`till ${tillId}`));

/** A till, and what was booked under one of its saleIds, at one moment. */
export const tillAndSale = async (
  tables: Tables,
  tillId: string,
  saleId: string,
): Promise<{ till: Till | undefined; sale: Sale | undefined }> => {
  const [till, sale] = await itemsAt(tables, [tillKey(tillId), saleKey(tillId, saleId)]);
  return { till: till as Till | undefined, sale: sale as Sale | undefined };
};

export const salePart = (sale: Sale): Part<'changed-meanwhile'> => {
  const { tillId, saleId } = sale;
  const refusal = changedMeanwhile(`sale ${saleId} of ${tillId}`);
  return put(TABLE, { ...saleKey(tillId, saleId), ...sale }, [{ guard: 'once' }], refusal);
};

/** What is on record around one entry of a journal. */
interface Surroundings {
  till: Till | undefined;
  before: KeptEntry | undefined;
  same: KeptEntry | undefined;
  after: KeptEntry | undefined;
  sale: Sale | undefined;
  /** This very entry was found to be in conflict before. */
  isConflictKnown: boolean;
}

/** Everything at one moment, so that what is decided on it was true together. */
export const surroundingsOf = async (
  tables: Tables,
  tillId: string,
  { sequence, saleId, hash }: Pick<KeptEntry, 'sequence' | 'saleId' | 'hash'>,
): Promise<Surroundings> => {
  const [till, before, same, after, sale, conflict] = await itemsAt(tables, [
    tillKey(tillId),
    entryKey(tillId, sequence - 1),
    entryKey(tillId, sequence),
    entryKey(tillId, sequence + 1),
    saleKey(tillId, saleId),
    conflictKey(tillId, { sequence, hash }),
  ]);
  return {
    till: till as Till | undefined,
    before: before as KeptEntry | undefined,
    same: same as KeptEntry | undefined,
    after: after as KeptEntry | undefined,
    sale: sale as Sale | undefined,
    isConflictKnown: conflict !== undefined,
  };
};

/**
 * The entry takes its place: its record, and the cursor that has passed it. Entries of a till settle one after the
 * other, each on the cursor that it was judged by; so neighbours that contradict each other cannot both be judged alone.
 */
export const settlingParts = (till: Till, kept: KeptEntry): Part<'changed-meanwhile'>[] => {
  const { tillId, version, settled } = till;
  const { highest, missing } = arrived(till, kept.sequence);
  const refusal = changedMeanwhile(`the journal of ${tillId}`);
  return [
    update(
      TABLE,
      tillKey(tillId),
      { set: { highest, missing, settled: settled + 1 } },
      [
        { guard: 'version', version },
        { guard: 'one-of', attribute: 'settled', values: [settled] },
      ],
      refusal,
    ),
    put(TABLE, { ...entryKey(tillId, kept.sequence), ...kept }, [{ guard: 'once' }], refusal),
  ];
};

/** What somebody has to look at; the same entry is found once. */
export const conflictPart = (
  tillId: string,
  kept: KeptEntry & { because: Conflict },
  arrivedAt: Instant,
): Part<'changed-meanwhile'> =>
  put(
    TABLE,
    { ...conflictKey(tillId, kept), ...kept, arrivedAt },
    [{ guard: 'once' }],
    changedMeanwhile(`a conflict of ${tillId}`),
  );

export const conflictsOf = (
  tables: Tables,
  tillId: string,
  page: Paging,
): Promise<Page<Entry & { because: Conflict; arrivedAt: Instant }>> =>
  tables.query(TABLE, { pk: pkOf(tillId), startsWith: CONFLICT_PREFIX, ...page });

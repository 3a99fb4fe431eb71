import { createHash } from 'node:crypto';
import { put, remove } from '../../../shared/change.ts';
import type { Key, Page, Part, Tables } from '../../../shared/table.ts';
import type { Instant } from '../../../shared/time.ts';
import type { Shortfall } from '../domain/happened.ts';
import type { MovementKind } from '../emits.ts';
import { TABLE } from './levels.ts';

/** More left a node than was there by the books; open until somebody has said what was wrong. */
export interface Discrepancy {
  discrepancyId: string;
  sku: string;
  nodeId: string;
  units: number;
  kind: MovementKind;
  reference: string;
  openedAt: Instant;
  resolution?: 'FOUND' | 'COUNTED' | 'WRITTEN_OFF';
  note?: string;
  resolvedAt?: Instant;
  resolvedBy?: string;
}

const openKey = (nodeId: string, id: string): Key => ({ pk: `DISCREPANCY#${nodeId}`, sk: `OPEN#${id}` });
const resolvedKey = (nodeId: string, id: string): Key => ({ pk: `DISCREPANCY#${nodeId}`, sk: `RESOLVED#${id}` });

/** The same movement leads to the same discrepancy, however often it is decided on. */
const idOf = ({ movementId, sku, nodeId }: Shortfall): string =>
  `dis_${createHash('sha256').update(`${movementId} ${sku} ${nodeId}`).digest('base64url').slice(0, 22)}`;

export const discrepancyOf = (short: Shortfall, openedAt: Instant): Discrepancy => {
  const { sku, nodeId, units, kind, reference } = short;
  return { discrepancyId: idOf(short), sku, nodeId, units, kind, reference, openedAt };
};

export const openPart = (discrepancy: Discrepancy): Part<'changed-meanwhile'> =>
  put(TABLE, { ...openKey(discrepancy.nodeId, discrepancy.discrepancyId), ...discrepancy }, [{ guard: 'absent' }], {
    problem: 'changed-meanwhile',
    detail: `${discrepancy.discrepancyId} was opened before`,
  });

export const openDiscrepancy = async (tables: Tables, nodeId: string, id: string): Promise<Discrepancy | undefined> => {
  const item = await tables.get<Discrepancy & Key>(TABLE, openKey(nodeId, id));
  if (item === undefined) return undefined;
  const { pk, sk, ...discrepancy } = item;
  return discrepancy;
};

export const discrepanciesOf = (
  tables: Tables,
  nodeId: string,
  { status, ...page }: { status: 'OPEN' | 'RESOLVED'; limit: number; cursor?: string | undefined },
): Promise<Page<Discrepancy>> =>
  tables.query(TABLE, { pk: `DISCREPANCY#${nodeId}`, startsWith: `${status}#`, ...page });

/** Leaves the open ones and joins the resolved ones, once. */
export const resolutionParts = (resolved: Discrepancy): Part<'changed-meanwhile'>[] => {
  const { nodeId, discrepancyId } = resolved;
  const refusal = { problem: 'changed-meanwhile' as const, detail: `${discrepancyId} was resolved meanwhile` };
  return [
    remove(TABLE, openKey(nodeId, discrepancyId), [{ guard: 'exists' }], refusal),
    put(TABLE, { ...resolvedKey(nodeId, discrepancyId), ...resolved }, [{ guard: 'once' }], refusal),
  ];
};

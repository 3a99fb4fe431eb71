import { type Finding, finding, type Item, textIn, total } from './finding.ts';
import type { LedgerEntry } from './stock.ts';

export interface HoldRecord {
  holdId: string;
  status: string;
  /** Empty while it is held. */
  resolvedAt: string;
  lines: { sku: string; nodeId: string; units: number }[];
}

export const holdOf = (item: Item): HoldRecord | undefined =>
  item.pk.startsWith('HOLD#') && item.sk === 'HOLD'
    ? {
        holdId: item.pk.slice('HOLD#'.length),
        status: textIn(item, 'status'),
        resolvedAt: textIn(item, 'resolvedAt'),
        lines: item.lines as HoldRecord['lines'],
      }
    : undefined;

const HOLD_KINDS = new Set(['RESERVE', 'UNRESERVE']);

/** What is reserved is held by somebody, and what somebody holds is reserved (I3). A resolved hold is forgotten in time. */
export const holdDrift = (entries: readonly LedgerEntry[], holds: readonly HoldRecord[]): Finding[] => {
  const byHold: Map<string, LedgerEntry[]> = Map.groupBy(
    entries.filter(({ kind }) => HOLD_KINDS.has(kind)),
    ({ reference, sku, nodeId }) => `${reference} of ${sku} at ${nodeId}`,
  );
  const held = new Map<string, number>(
    holds
      .filter(({ status }) => status === 'HELD')
      .flatMap(({ holdId, lines }) =>
        lines.map(({ sku, nodeId, units }) => [`${holdId} of ${sku} at ${nodeId}`, units] as const),
      ),
  );
  return [...new Set([...byHold.keys(), ...held.keys()])].flatMap((subject) => {
    const reserved = total(byHold.get(subject) ?? [], (entry) => entry.reserved);
    const wanted = held.get(subject) ?? 0;
    return reserved === wanted ? [] : [finding('holds', subject, `${reserved} units are reserved, ${wanted} are held`)];
  });
};

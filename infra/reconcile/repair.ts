import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import inventory from '../../functions/inventory/contract.ts';
import { change, fact, update } from '../../shared/change.ts';
import { commitChanges, createRuntime, type Runtime, tableVariable } from '../../shared/runtime.ts';
import type { Guard } from '../../shared/table.ts';
import type { Drift, Level } from './stock.ts';

/** The tables of a deployment or of a local cloud, as functions see them. */
export const runtimeOn = (client: DynamoDBClient, tableNames: Readonly<Record<string, string>>): Runtime =>
  createRuntime({
    env: Object.fromEntries(Object.entries(tableNames).map(([table, name]) => [tableVariable(table), name])),
    clockMs: Date.now,
    random: Math.random,
    client,
  });

const causeAt = (now: string) => ({ actor: 'operator/reconcile', correlationId: `reconcile-${now}`, now });

const placeOf = ({ sku, nodeId, shard }: Level): string =>
  `${sku} at ${nodeId}${shard === 0 ? '' : `, shard ${shard}`}`;

/** What an operator would have to write to make the balance the sum of its ledger; the ledger is what happened. */
export const proposalOf = ({ level, rebuilt }: Drift): string => {
  const changes = Object.entries(rebuilt)
    .filter(([name, value]) => level[name as keyof Level] !== value)
    .map(([name, value]) => `${name} ${level[name as keyof Level]} → ${value}`);
  return `${placeOf(level)}: ${changes.join(', ') || 'nothing to rebuild; see the finding'}`;
};

/** Tells of each drift once: the same drift of the same version of a balance has the same id. */
export const raise = async (runtime: Runtime, drifts: readonly Drift[]): Promise<void> => {
  for (const { level, details } of drifts) {
    const { sku, nodeId, shard, version } = level;
    const subject = `drift/${sku}@${nodeId}/${shard}`;
    const data = { sku, nodeId, shard, detail: details.join('; ').slice(0, 500) };
    const raised = change([], [fact(inventory.emits.DriftDetected, subject, version, data)]);
    await commitChanges(runtime, causeAt(runtime.now()), [raised]);
  }
};

/**
 * Writes the balance that the ledger gives, where it still stands as it was read. Returns how many were written; what is
 * missing has changed meanwhile and is to be looked at again.
 */
export const repair = async (runtime: Runtime, drifts: readonly Drift[]): Promise<number> => {
  let repaired = 0;
  for (const { level, rebuilt } of drifts) {
    const { sku, nodeId, shard, version } = level;
    const pk = shard === 0 ? `SKU#${sku}` : `SKU#${sku}#${shard}`;
    const guard: Guard = version === 0 ? { guard: 'without', attribute: 'version' } : { guard: 'version', version };
    const written = update('inventory', { pk, sk: `NODE#${nodeId}` }, { set: { ...rebuilt } }, [guard], {
      problem: 'changed-meanwhile',
      detail: `${placeOf(level)} was changed meanwhile`,
    });
    if ((await commitChanges(runtime, causeAt(runtime.now()), [change([written])])).ok) repaired += 1;
  }
  return repaired;
};

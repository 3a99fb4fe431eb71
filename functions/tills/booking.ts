import { type Change, change } from '../../shared/change.ts';
import type { Cause } from '../../shared/outbox.ts';
import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Tables } from '../../shared/table.ts';
import { happened } from '../inventory/parts.ts';
import type { Sale } from './contract.ts';
import { sumBySku } from './domain.ts';
import { salePart } from './store.ts';

/** Writes that a sale leaves to the till's cursor, the entry, the remembered answer and the outbox. */
const WRITES_MAX = 95;

/**
 * What was sold or came back: the movements, and the record that makes them happen once for ever, whether they are
 * told of by the till at once, by its journal, or by both. Too large for one transaction only where several SKUs that
 * are spread over many shards have run out together; shards come together again when the rush is over.
 */
export const bookSale = async (
  tables: Tables,
  sale: Sale,
  cause: Cause,
): Promise<Result<Change<'changed-meanwhile'>, 'too-busy'>> => {
  const { tillId, saleId, nodeId, kind, occurredAt } = sale;
  const reference = `${tillId}/${saleId}`;
  const happenings = sumBySku(sale.lines).map((line) => ({
    ...{ ...line, nodeId, kind, reference, occurredAt, movementId: `till/${reference}` },
  }));
  const moved = await happened(tables, happenings, cause, { subject: `till-sale/${reference}`, version: 1 });
  return moved.parts.length + 1 > WRITES_MAX
    ? refuse('too-busy', `the stock of sale ${saleId} is spread over too many shards to be booked now`)
    : ok(change([...moved.parts, salePart(sale)], moved.facts));
};

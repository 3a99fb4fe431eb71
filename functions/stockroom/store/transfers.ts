import type { Key, Part } from '../../../shared/table.ts';
import { isOver, type Transfer } from '../domain/transfers.ts';
import { documentPart, listedPart, unlistedParts } from './documents.ts';

export const transferKey = (transferId: string): Key => ({ pk: `TRANSFER#${transferId}`, sk: 'TRANSFER' });

/** The transfer after a step, in the lists of both nodes. */
export const transferParts = (transfer: Transfer, before: Transfer | undefined): Part<'changed-meanwhile'>[] => {
  const { transferId: id, fromNodeId, toNodeId, createdAt: at, updatedAt } = transfer;
  const key = transferKey(id);
  const lists = [
    { list: 'TRANSFERS-OUT', nodeId: fromNodeId, at, id, key },
    { list: 'TRANSFERS-IN', nodeId: toNodeId, at, id, key },
  ] as const;
  const isClosing = before !== undefined && isOver(transfer) && !isOver(before);
  return [
    documentPart(key, transfer),
    ...(before === undefined ? lists.map((listed) => listedPart(listed, 'OPEN')) : []),
    ...(isClosing ? lists.flatMap((listed) => unlistedParts(listed, updatedAt)) : []),
  ];
};

import type { Key, Part } from '../../../shared/table.ts';
import type { Advice } from '../domain/advices.ts';
import { documentPart, listedPart, unlistedParts } from './documents.ts';

export const adviceKey = (nodeId: string, adviceId: string): Key => ({
  pk: `ADVICE#${nodeId}#${adviceId}`,
  sk: 'ADVICE',
});

/** A delivery lies beside what it belongs to, an advice or a transfer. */
export const deliveryKey = ({ pk }: Key, deliveryId: string): Key => ({ pk, sk: `DELIVERY#${deliveryId}` });

/** The advice after a step; it changes lists when it is new, and when it is closed. */
export const adviceParts = (advice: Advice, before: Advice | undefined): Part<'changed-meanwhile'>[] => {
  const { nodeId, adviceId, createdAt, updatedAt, status } = advice;
  const key = adviceKey(nodeId, adviceId);
  const listed = { list: 'ADVICES', nodeId, at: createdAt, id: adviceId, key } as const;
  const isClosing = status === 'CLOSED' && before?.status !== 'CLOSED';
  return [
    documentPart(key, advice),
    ...(before === undefined ? [listedPart(listed, 'OPEN')] : []),
    ...(isClosing ? unlistedParts(listed, updatedAt) : []),
  ];
};

import { type Result, refuse } from '../../../shared/result.ts';
import type { Availability, PlannedFulfilment, SourcingNode, SourcingRequest } from './request.ts';

export interface Plan {
  fulfilments: PlannedFulfilment[];
}

export const source = (
  _request: SourcingRequest,
  _nodes: readonly SourcingNode[],
  _available: Availability,
): Result<Plan, 'sold-out' | 'not-deliverable'> => refuse('sold-out', 'no node has it');

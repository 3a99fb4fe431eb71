import { ok, type Result, refuse } from '../../shared/result.ts';
import type { Instant } from '../../shared/time.ts';
import type { FulfilmentOrder, Method, PlannedWork, SourcedLine, Status, Work } from './contract.ts';
import type { PlannedFulfilment, SourcingChoice, UnitsOfSku } from './sourcing/request.ts';

/** A fulfilment order with what it takes to source its lines anew. */
export interface FulfilmentWork extends FulfilmentOrder {
  customerId: string;
  /** Where it goes; the address itself stays with customers. */
  addressId?: string | undefined;
  /** Nodes that did not supply these lines, so that they are not asked again. */
  excludedNodeIds: readonly string[];
  /** Parts of the order's own plan. Their numbers are taken, whether their work is on record yet or not. */
  partsPlanned: number;
}

interface Step {
  /** Work it may follow. */
  after: readonly Work[];
  work: Work;
  status: Status;
  /** Only for goods that are sent, or only for goods that are collected; else for both. */
  only?: Method;
  /** Nothing is left to do at the node: it leaves the worklist. */
  isLast?: true;
}

/** Every step that a node can take. This table IS the state machine of the work. */
export const STEPS = {
  accept: { after: ['ALLOCATED'], work: 'ACCEPTED', status: 'IN_PROGRESS' },
  // Its stock is still promised until another node is found, so it is not over yet.
  reject: { after: ['ALLOCATED'], work: 'REJECTED', status: 'OPEN', isLast: true },
  pick: { after: ['ACCEPTED'], work: 'PICKED', status: 'IN_PROGRESS' },
  pack: { after: ['PICKED'], work: 'PACKED', status: 'IN_PROGRESS', only: 'SHIP' },
  dispatch: { after: ['PACKED'], work: 'DISPATCHED', status: 'IN_PROGRESS', only: 'SHIP' },
  deliver: { after: ['DISPATCHED'], work: 'DELIVERED', status: 'CLOSED', only: 'SHIP', isLast: true },
  ready: { after: ['ACCEPTED', 'PICKED'], work: 'READY', status: 'IN_PROGRESS', only: 'COLLECT' },
  collect: { after: ['READY'], work: 'COLLECTED', status: 'CLOSED', only: 'COLLECT', isLast: true },
} as const satisfies Record<string, Step>;
export type Action = keyof typeof STEPS;

/** The fulfilment order after a step, or why the step is not possible now. */
export const take = (
  order: FulfilmentWork,
  action: Action,
  at: Instant,
  rejection?: string,
): Result<FulfilmentWork, 'wrong-state'> => {
  const { after, work, status, only }: Step = STEPS[action];
  if (only !== undefined && only !== order.method) {
    return refuse('wrong-state', `${action} is for ${only}, and this is to ${order.method}`);
  }
  if (!after.includes(order.work)) {
    return refuse('wrong-state', `${action} follows ${after.join(' or ')}, and this is ${order.work}`);
  }
  const moved: FulfilmentWork = { ...order, work, status, updatedAt: at, version: order.version + 1 };
  return ok(rejection === undefined ? moved : { ...moved, rejection });
};

/** Whether anything is left to do at the node: what its worklist shows. */
export const isOnWorklist = ({ work, status }: Pick<FulfilmentOrder, 'work' | 'status'>): boolean =>
  work !== 'REJECTED' && (status === 'SCHEDULED' || status === 'OPEN' || status === 'IN_PROGRESS');

/** What the workflow is told when it asks whether the node has answered. */
export type NodeAnswer = 'ACCEPTED' | 'REJECTED' | 'RESOLVED';

/** The node's answer; undefined while there is none. RESOLVED: it is over here, whoever supplies the goods now. */
export const answerOf = ({ status, work }: FulfilmentOrder): NodeAnswer | undefined => {
  if (status === 'INCOMPLETE' || status === 'CANCELLED') return 'RESOLVED';
  if (work === 'REJECTED') return 'REJECTED';
  return work === 'ALLOCATED' ? undefined : 'ACCEPTED';
};

export const isOver = ({ status }: FulfilmentOrder): boolean =>
  status === 'CLOSED' || status === 'INCOMPLETE' || status === 'CANCELLED';

/** The fulfilment order opened to its node. */
export const opened = (order: FulfilmentWork, at: Instant): FulfilmentWork => ({
  ...order,
  status: 'OPEN',
  updatedAt: at,
  version: order.version + 1,
});

/** A pickup that nobody came for. */
export const expired = (order: FulfilmentWork, at: Instant): FulfilmentWork => ({
  ...order,
  status: 'INCOMPLETE',
  work: 'EXPIRED',
  updatedAt: at,
  version: order.version + 1,
});

export const fulfilmentOrderId = (orderId: string, n: number): string => `${orderId}-${n}`;

/** Order and number from the id of a fulfilment order; undefined where it is none. */
export const partsOfId = (id: string): { orderId: string; n: number } | undefined => {
  const [, orderId, n] = /^(.+)-([1-9]\d{0,3})$/.exec(id) ?? [];
  return orderId === undefined ? undefined : { orderId, n: Number(n) };
};

/** The stock that is promised to a fulfilment order, or to some of its lines. */
export const allocationOf = ({ fulfilmentOrderId: allocationId, nodeId, lines }: FulfilmentOrder, some = lines) => ({
  ...{ allocationId, nodeId },
  lines: some.map(({ sku, units }) => ({ sku, units })),
});

export const methodOf = (choice: SourcingChoice): Method => (choice === 'PICKUP' ? 'COLLECT' : 'SHIP');

/** Lines of a plan, with how the lines that it was made for say that each SKU has to be stored. */
export const stored = (lines: readonly UnitsOfSku[], sourced: readonly SourcedLine[]): SourcedLine[] => {
  const storage = new Map(sourced.map((line) => [line.sku, line.storage]));
  return lines.map(({ sku, units }) => ({ sku, units, storage: storage.get(sku) ?? 'AMBIENT' }));
};

/** What one planned fulfilment of an order becomes. */
export interface Assignment extends Omit<PlannedFulfilment, 'lines'> {
  fulfilmentOrderId: string;
  orderId: string;
  customerId: string;
  addressId?: string | undefined;
  choice: SourcingChoice;
  lines: readonly SourcedLine[];
  answerBy: Instant;
  replaces?: string | undefined;
  excludedNodeIds: readonly string[];
  partsPlanned: number;
}

/** The fulfilment order of a planned fulfilment whose stock is allocated. */
export const scheduled = (assignment: Assignment, at: Instant): FulfilmentWork => {
  const { lines, replaces, addressId, ...rest } = assignment;
  return {
    ...rest,
    ...(replaces === undefined ? {} : { replaces }),
    ...(addressId === undefined ? {} : { addressId }),
    method: methodOf(assignment.choice),
    lines: [...lines],
    status: 'SCHEDULED',
    work: 'ALLOCATED',
    createdAt: at,
    updatedAt: at,
    version: 1,
  };
};

/** The fulfilment order of a part of an order's own plan: there from the moment in which it is open to its node. */
export const planned = (
  fulfilmentOrderId: string,
  { cause: _, ...work }: PlannedWork,
  at: Instant,
): FulfilmentWork => ({
  ...scheduled({ ...work, fulfilmentOrderId, excludedNodeIds: [] }, at),
  status: 'OPEN',
});

/** Lines whose stock moves from one node to others in one transaction: four writes each, if each goes to one node. */
export const LINES_PER_MOVE = 20;

/** Splits off the lines that are sourced anew now; `rest` follows in a transaction of its own. */
export const linesToMove = (
  { lines }: FulfilmentOrder,
  most: number,
): { batch: SourcedLine[]; rest: SourcedLine[] } => ({ batch: lines.slice(0, most), rest: lines.slice(most) });

/** The old fulfilment order when lines of it were sourced anew: over when none is left. It keeps what it was for. */
export const moved = (order: FulfilmentWork, rest: readonly SourcedLine[], at: Instant): FulfilmentWork => ({
  ...order,
  ...(rest.length > 0
    ? { lines: [...rest] }
    : { status: 'INCOMPLETE', work: order.work === 'REJECTED' ? 'REJECTED' : 'TIMED_OUT' }),
  updatedAt: at,
  version: order.version + 1,
});

/** Nodes that had a part of the order and did not supply it: none of them is asked for any of it again. */
export const refusers = (ofOrder: readonly FulfilmentWork[], current: FulfilmentWork): string[] => {
  const refused = ofOrder.filter(({ work }) => work === 'REJECTED' || work === 'TIMED_OUT');
  return [...new Set([...refused, current].flatMap(({ nodeId, excludedNodeIds }) => [...excludedNodeIds, nodeId]))];
};

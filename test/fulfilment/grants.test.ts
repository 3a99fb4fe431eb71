import { expect, it } from 'vitest';
import fulfilment from '../../functions/fulfilment/contract.ts';
import type { FunctionRole, Grants } from '../../shared/contract.ts';
import { atNode, openFloor } from './floor.ts';

interface Sent {
  TableName?: string;
  IndexName?: string;
  TransactItems?: Record<string, { TableName: string }>[];
}
const ACTIONS: Record<string, string> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

it('each function uses what it is granted, and is granted what it uses (rule 25)', async () => {
  await using floor = await openFloor().then((opened) => ({ ...opened, [Symbol.asyncDispose]: opened.close }));
  const used: Record<FunctionRole, Set<string>> = {
    api: new Set(),
    events: new Set(),
    tasks: new Set(),
    stream: new Set(),
  };
  let role: FunctionRole | undefined;
  floor.engine.intercept((operation, input, next) => {
    const { TableName, IndexName, TransactItems = [] } = input as Sent;
    const items = TransactItems.flatMap((item) => Object.entries(item));
    const actions = items.map(([kind, { TableName: table }]) => `${table} ${ACTIONS[kind]}`);
    const index = IndexName === undefined ? '' : `:${IndexName}`;
    if (TableName !== undefined) actions.push(`${TableName} ${operation}${index}`);
    if (role !== undefined) for (const action of actions) used[role].add(action);
    return next(input);
  });
  const as = async <T>(whose: FunctionRole, work: () => Promise<T>): Promise<T> => {
    role = whose;
    const done = await work();
    role = undefined;
    return done;
  };
  const step = (id: string, ...actions: string[]) => as('api', () => floor.steps('dc-1', id, ...actions));
  const task = (name: string, id: string, input: object = { fulfilmentOrderId: id }) =>
    as('tasks', () => floor.run({ task: name, input, token: 'token' }));

  await floor.openNode('dc-1');
  await floor.openNode('store-1');
  await floor.receive('dc-1', { TEE: 9 });
  await floor.receive('store-1', { TEE: 9 });
  await floor.remember('customer-1', 'adr_1');
  const { orderId, placed } = await floor.place({ 'dc-1': { TEE: 1 } }, { addressId: 'adr_1' });
  const { orderId: rejected, placed: second } = await floor.place({ 'dc-1': { TEE: 1 } }, { addressId: 'adr_1' });
  await as('events', () => floor.hear(placed));
  await as('events', () => floor.hear(second));
  for (const start of floor.starts) await task('offer', start.fulfilmentOrderId, start);
  await step(`${orderId}-1`, 'accept');
  const listened = Object.values(fulfilment.listens).map(({ type }) => type as string);
  for (const envelope of await floor.events(orderId)) {
    if (listened.includes(envelope.type)) await as('events', () => floor.hear(envelope));
  }
  await task('awaitDone', `${orderId}-1`);
  await step(`${orderId}-1`, 'pick', 'pack', 'dispatch', 'deliver');
  await step(`${rejected}-1`, 'reject');
  await task('resource', `${rejected}-1`);
  await as('api', () => floor.call('worklist', { as: atNode('store-1'), path: { nodeId: 'store-1' } }));
  await floor.record(orderId, { customerId: 'customer-1' });
  await as('api', () => floor.call('ofOrder', { as: { sub: 'x', scope: 'ieum/orders:read' }, path: { orderId } }));

  const granted = ({ tables }: Grants) =>
    Object.entries(tables).flatMap(([table, actions]) => actions.map((action) => `${table} ${action}`));
  for (const [whose, grants] of Object.entries(fulfilment.grants)) {
    expect([...used[whose as FunctionRole]].sort(), whose).toEqual(granted(grants).sort());
  }
});

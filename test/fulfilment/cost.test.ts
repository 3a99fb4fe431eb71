import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { openFloor } from './floor.ts';

/** A task token of the length that Step Functions hands out. */
const TOKEN = 'T'.repeat(900);

it('a parcel of one line, from the paid order to the customer, stays within its write units', async () => {
  await using floor = await openFloor().then((opened) => ({ ...opened, [Symbol.asyncDispose]: opened.close }));
  let units = 0;
  floor.engine.intercept(async (operation, input, next) => {
    if (operation !== 'TransactWriteItems') return next(input);
    const result = (await next({ ...input, ReturnConsumedCapacity: 'INDEXES' })) as {
      ConsumedCapacity?: ConsumedCapacity[];
    };
    for (const { CapacityUnits = 0 } of result.ConsumedCapacity ?? []) units += CapacityUnits;
    return result;
  });
  const cost = async (work: () => Promise<unknown>): Promise<number> => {
    units = 0;
    await work();
    return units;
  };

  await floor.openNode('dc-icheon', { kind: 'DC' });
  await floor.receive('dc-icheon', { 'TEE-OVERSIZE-BLACK-M': 1 });
  const { orderId, placed } = await floor.place({ 'dc-icheon': { 'TEE-OVERSIZE-BLACK-M': 1 } }, { addressId: 'adr_1' });
  const id = `${orderId}-1`;
  const task =
    (name: string) =>
    (input: object = { fulfilmentOrderId: id }) =>
      floor.run({ task: name, input, token: TOKEN });
  const step = (action: string) => () => floor.steps('dc-icheon', id, action);
  const spent = {
    start: await cost(() => floor.hear(placed)),
    offer: await cost(() => task('offer')(floor.starts[0])),
    accept: await cost(step('accept')),
    awaitDone: await cost(task('awaitDone')),
    pick: await cost(step('pick')),
    pack: await cost(step('pack')),
    dispatch: await cost(step('dispatch')),
    deliver: await cost(step('deliver')),
  };
  // A step is the work, the event and the remembered answer, two units each; dispatching moves stock, too.
  expect(spent).toEqual({
    ...{ start: 0, offer: 7, accept: 6, awaitDone: 4, pick: 6, pack: 6, dispatch: 13, deliver: 7 },
  });
});

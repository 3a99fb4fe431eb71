import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workflowOn } from '../../functions/fulfilment/step-functions.ts';
import { fulfilmentWorkflow } from '../../functions/fulfilment/workflow.ts';
import { createWorkflows, type WorkflowHost } from '../../infra/local/workflows.ts';
import { type Floor, openFloor } from './floor.ts';

const MACHINE = 'arn:aws:states:ap-northeast-2:000000000000:stateMachine:fulfilment';
const TASKS = 'arn:aws:lambda:ap-northeast-2:000000000000:function:fulfilment-tasks';

let floor: Floor;
let host: WorkflowHost;
const journal = new DatabaseSync(':memory:');

beforeAll(async () => {
  host = createWorkflows({
    journal,
    machines: [
      {
        ...{ id: 'Fulfilment', arn: MACHINE },
        properties: { DefinitionString: JSON.stringify(fulfilmentWorkflow(TASKS)) },
      },
    ],
    functions: { invoke: (_, event) => floor.run(event as never) },
  });
  floor = await openFloor(
    workflowOn({
      startExecution: async (execution) => host.startExecution({ stateMachineArn: MACHINE, ...execution }),
      sendTaskSuccess: async (answer) => host.sendTaskSuccess(answer),
    }),
  );
  await floor.openNode('dc-1', { kind: 'DC' });
  await floor.openNode('dc-slow', { kind: 'DC', answerWithinSeconds: 1 });
  await floor.openNode('store-1');
});
afterAll(async () => {
  await host.close();
  await floor.close();
  journal.close();
});

/** Lets events and workflows do what they have to, until both have nothing left. */
const settle = async () => {
  for (let round = 0; round < 3; round += 1) {
    await floor.deliverEvents();
    await host.idle();
  }
};
const executionOf = (name: string) => host.list().find((execution) => execution.name === name)!;

/** Until the execution ends by the clock: it is short, and nothing but the clock can end it. */
const ended = async (name: string) => {
  while (executionOf(name).status === 'RUNNING') await new Promise((resolve) => setTimeout(resolve, 20));
  await settle();
};

describe('from the paid order to the customer', () => {
  it('a parcel takes three transitions of the workflow', async () => {
    await floor.receive('dc-1', { TEE: 1 });
    const id = `${await floor.work({ 'dc-1': { TEE: 1 } })}-1`;
    await settle();
    await floor.steps('dc-1', id, 'accept');
    await settle();
    await floor.steps('dc-1', id, 'pick', 'pack', 'dispatch', 'deliver');
    await settle();
    expect(executionOf(id)).toMatchObject({ status: 'SUCCEEDED', transitions: 3 });
    expect(await floor.stock('dc-1', 'TEE')).toEqual([0, 0, 0]);
  });

  it('a node that is faster than the events of its work loses nothing', async () => {
    await floor.receive('dc-1', { CAP: 1 });
    const id = `${await floor.work({ 'dc-1': { CAP: 1 } })}-1`;
    await host.idle();
    await floor.steps('dc-1', id, 'accept', 'pick', 'pack', 'dispatch', 'deliver');
    await settle();
    expect(executionOf(id)).toMatchObject({ status: 'SUCCEEDED', transitions: 3 });
  });

  it('what one node rejects another one delivers, each with a workflow of its own', async () => {
    await floor.receive('dc-1', { MUG: 1 });
    await floor.receive('store-1', { MUG: 1 });
    const order = await floor.work({ 'dc-1': { MUG: 1 } });
    await settle();
    await floor.steps('dc-1', `${order}-1`, 'reject');
    await settle();
    expect(executionOf(`${order}-1`).status).toBe('SUCCEEDED');
    expect(executionOf(`${order}-2`).status).toBe('RUNNING');
    await floor.steps('store-1', `${order}-2`, 'accept', 'pick', 'pack', 'dispatch', 'deliver');
    await settle();
    expect(executionOf(`${order}-2`).status).toBe('SUCCEEDED');
    expect([await floor.stock('dc-1', 'MUG'), await floor.stock('store-1', 'MUG')]).toEqual([
      [1, 0, 1],
      [0, 0, 0],
    ]);
  });

  it('what a node does not answer in its time goes to the next one', async () => {
    await floor.receive('dc-slow', { PEN: 1 });
    await floor.receive('store-1', { PEN: 1 });
    const order = await floor.work({ 'dc-slow': { PEN: 1 } });
    await settle();
    await ended(`${order}-1`);
    expect((await floor.steps('store-1', `${order}-2`, 'accept')).status).toBe(200);
    expect((await floor.steps('dc-slow', `${order}-1`, 'accept')).body.detail).toContain('TIMED_OUT');
  });
});

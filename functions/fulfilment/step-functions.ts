import { SendTaskSuccessCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { NodeAnswer } from './domain.ts';
import type { WorkflowInput } from './workflow.ts';

/** The workflow as fulfilment sees it. Both calls may be repeated. */
export interface Workflow {
  /** Starts the workflow of a fulfilment order, once. */
  start(input: WorkflowInput): Promise<void>;
  /** Wakes the workflow that waits with this token. One that waits no more is left alone. */
  answer(token: string, output: { answer: NodeAnswer | 'DONE' }): Promise<void>;
}

/** The workflow timed out, went on or ended before the answer came: its task decides by what is on record (rule 17). */
const TOO_LATE = new Set(['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken']);

export const stepFunctions = (client: SFNClient, stateMachineArn: () => string): Workflow => ({
  async start(input) {
    const command = { stateMachineArn: stateMachineArn(), name: input.fulfilmentOrderId, input: JSON.stringify(input) };
    try {
      await client.send(new StartExecutionCommand(command));
    } catch (error) {
      if ((error as Error).name !== 'ExecutionAlreadyExists') throw error;
    }
  },

  async answer(token, output) {
    try {
      await client.send(new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(output) }));
    } catch (error) {
      const { name } = error as Error;
      if (!TOO_LATE.has(name)) throw error;
      console.warn(JSON.stringify({ message: 'the workflow waits no more', reason: name, output }));
    }
  },
});

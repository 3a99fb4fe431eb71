import type { NodeAnswer } from './domain.ts';
import type { WorkflowInput } from './workflow.ts';

/** The workflow as fulfilment sees it. Both calls may be repeated. */
export interface Workflow {
  /** Starts the workflow of a fulfilment order, once. */
  start(input: WorkflowInput): Promise<void>;
  /** Wakes the workflow that waits with this token. One that waits no more is left alone. */
  answer(token: string, output: { answer: NodeAnswer | 'DONE' }): Promise<void>;
}

/** What is asked of Step Functions; its errors are told apart by their names. */
export interface StepFunctions {
  startExecution(execution: { name: string; input: string }): Promise<unknown>;
  sendTaskSuccess(answer: { taskToken: string; output: string }): Promise<unknown>;
}

/** The workflow timed out, went on or ended before the answer came: its task decides by what is on record (rule 17). */
const TOO_LATE = new Set(['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken']);

export const workflowOn = (stepFunctions: StepFunctions): Workflow => ({
  async start(input) {
    try {
      await stepFunctions.startExecution({ name: input.fulfilmentOrderId, input: JSON.stringify(input) });
    } catch (error) {
      if ((error as Error).name !== 'ExecutionAlreadyExists') throw error;
    }
  },

  async answer(token, output) {
    try {
      await stepFunctions.sendTaskSuccess({ taskToken: token, output: JSON.stringify(output) });
    } catch (error) {
      const { name } = error as Error;
      if (!TOO_LATE.has(name)) throw error;
      console.warn(JSON.stringify({ message: 'the workflow waits no more', reason: name, output }));
    }
  },
});

import { refusal, type Service } from '../aws-endpoint.ts';
import type { Properties } from '../template.ts';
import type { WorkflowHost } from '../workflows.ts';

/** Step Functions as its SDK calls it (`AWSStepFunctions.*`). */
export const stepFunctions =
  (workflows: WorkflowHost): Service =>
  (operation, body) => {
    const serve = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (!serve)
      throw refusal('UnknownOperationException', `The local cloud does not serve ${operation} of Step Functions.`);
    return serve(workflows, body);
  };

const OPERATIONS: Record<string, (workflows: WorkflowHost, body: Properties) => unknown> = {
  StartExecution: (workflows, { stateMachineArn, name, input }) =>
    workflows.startExecution({ stateMachineArn, ...(name && { name }), ...(input && { input }) }),
  SendTaskSuccess: (workflows, { taskToken, output }) => workflows.sendTaskSuccess({ taskToken, output }),
  SendTaskFailure: (workflows, { taskToken, error, cause }) => workflows.sendTaskFailure({ taskToken, error, cause }),
  SendTaskHeartbeat: (workflows, { taskToken }) => workflows.sendTaskHeartbeat({ taskToken }),
  DescribeExecution: (workflows, { executionArn }) => {
    const { startedAt, stoppedAt, transitions: _, ...execution } = workflows.describe(executionArn);
    return { ...execution, startDate: startedAt / 1000, ...(stoppedAt && { stopDate: stoppedAt / 1000 }) };
  },
};

import { type AwsApi, callerOf, functionsClient } from '../../shared/aws.ts';
import { keptConnections } from '../../shared/connection.ts';
import { required } from '../../shared/env.ts';
import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { handlers as apiHandlers } from './api.ts';
import fulfilment from './contract.ts';
import { handlers as eventHandlers } from './events.ts';
import { workflowOn } from './step-functions.ts';
import { handlers as taskHandlers } from './tasks.ts';

const connection = keptConnections();
const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random, connection });
const STEP_FUNCTIONS: AwsApi = { service: 'states', target: 'AWSStepFunctions', json: '1.0' };
const callStepFunctions = callerOf<'StartExecution' | 'SendTaskSuccess'>(
  functionsClient(process.env, STEP_FUNCTIONS),
  STEP_FUNCTIONS,
  { ...runtime, connection, clockMs: Date.now },
);
const workflow = workflowOn({
  // Asked for when it is used: only the function that starts the workflow is told which one it is.
  startExecution: (execution) =>
    callStepFunctions('StartExecution', { stateMachineArn: required(process.env, 'WORKFLOW_ARN'), ...execution }),
  sendTaskSuccess: (answer) => callStepFunctions('SendTaskSuccess', answer),
});

export const api = operations(fulfilment, apiHandlers(runtime), runtime);
export const events = reactions(fulfilment, eventHandlers(runtime, workflow), runtime);
export const tasks = runTasks(fulfilment, taskHandlers(runtime, workflow), runtime);

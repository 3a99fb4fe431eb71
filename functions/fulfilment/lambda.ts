import { SFNClient } from '@aws-sdk/client-sfn';
import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime, required } from '../../shared/runtime.ts';
import { tasks as taskHandler } from '../../shared/tasks.ts';
import { handlers } from './api.ts';
import fulfilment from './contract.ts';
import { reactionHandlers } from './events.ts';
import { stepFunctions } from './step-functions.ts';
import { taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });
// Asked for when it is used: only the function that starts the workflow is told which one it is.
const workflow = stepFunctions(new SFNClient(), () => required(process.env, 'WORKFLOW_ARN'));

export const api = operations(fulfilment, handlers(runtime), runtime);
export const events = reactions(fulfilment, reactionHandlers(runtime, workflow), runtime);
export const tasks = taskHandler(fulfilment, taskHandlers(runtime, workflow), runtime);

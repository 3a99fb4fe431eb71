import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { handlers as apiHandlers } from './api.ts';
import loyalty from './contract.ts';
import { handlers as eventHandlers } from './events.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(loyalty, apiHandlers(runtime), runtime);
export const events = reactions(loyalty, eventHandlers(runtime), runtime);
export const tasks = runTasks(loyalty, taskHandlers(runtime), runtime);

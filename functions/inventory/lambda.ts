import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { handlers as apiHandlers } from './api.ts';
import inventory from './contract.ts';
import { handlers as eventHandlers } from './events.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(inventory, apiHandlers(runtime), runtime);
export const events = reactions(inventory, eventHandlers(runtime), runtime);
export const tasks = runTasks(inventory, taskHandlers(runtime), runtime);

import { reactions as eventReactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { tasks as scheduledTasks } from '../../shared/tasks.ts';
import { handlers } from './api.ts';
import loyalty from './contract.ts';
import { reactions } from './events.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(loyalty, handlers(runtime), runtime);
export const events = eventReactions(loyalty, reactions(runtime), runtime);
export const tasks = scheduledTasks(loyalty, taskHandlers(runtime), runtime);

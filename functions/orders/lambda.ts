import { randomBytes } from 'node:crypto';
import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { sealerFrom } from '../customers/parts.ts';
import { handlers as apiHandlers } from './api.ts';
import orders from './contract.ts';
import { handlers as eventHandlers } from './events.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(orders, apiHandlers(runtime, sealerFrom(randomBytes)), runtime);
export const events = reactions(orders, eventHandlers(runtime), runtime);
export const tasks = runTasks(orders, taskHandlers(runtime), runtime);

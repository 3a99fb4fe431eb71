import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { runTasks } from '../../shared/tasks.ts';
import { handlers as apiHandlers } from './api.ts';
import payments from './contract.ts';
import { handlers as eventHandlers } from './events.ts';
import { simulatedProvider } from './simulated-provider.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });
const provider = simulatedProvider(runtime.tables);

export const api = operations(payments, apiHandlers(runtime, provider), runtime);
export const events = reactions(payments, eventHandlers(runtime, provider), runtime);
export const tasks = runTasks(payments, taskHandlers(runtime, provider), runtime);

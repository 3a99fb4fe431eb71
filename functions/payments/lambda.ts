import { reactions as eventReactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { tasks as scheduledTasks } from '../../shared/tasks.ts';
import { handlers } from './api.ts';
import payments from './contract.ts';
import { reactions } from './events.ts';
import { simulatedProvider } from './simulated-provider.ts';
import { handlers as taskHandlers } from './tasks.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });
const provider = simulatedProvider(runtime.tables);

export const api = operations(payments, handlers(runtime, provider), runtime);
export const events = eventReactions(payments, reactions(runtime, provider), runtime);
export const tasks = scheduledTasks(payments, taskHandlers(runtime, provider), runtime);

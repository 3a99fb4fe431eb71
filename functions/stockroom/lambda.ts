import { reactions } from '../../shared/events.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { handlers as apiHandlers } from './api.ts';
import stockroom from './contract.ts';
import { handlers as eventHandlers } from './events.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(stockroom, apiHandlers(runtime), runtime);
export const events = reactions(stockroom, eventHandlers(runtime), runtime);

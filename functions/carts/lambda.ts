import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { handlers } from './api.ts';
import carts from './contract.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(carts, handlers(runtime), runtime);

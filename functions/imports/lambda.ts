import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { handlers } from './api.ts';
import imports from './contract.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(imports, handlers(runtime), runtime);

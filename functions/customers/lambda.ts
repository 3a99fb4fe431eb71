import { randomBytes } from 'node:crypto';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { handlers } from './api.ts';
import customers from './contract.ts';
import { sealerFrom } from './sealing.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(customers, handlers(runtime, sealerFrom(randomBytes)), runtime);

import { required } from '../../shared/env.ts';
import { operations } from '../../shared/http.ts';
import { createRuntime } from '../../shared/runtime.ts';
import { handlers } from './api.ts';
import platform from './contract.ts';

const runtime = createRuntime({ env: process.env, clockMs: Date.now, random: Math.random });

export const api = operations(platform, handlers(required(process.env, 'STAGE')), runtime);

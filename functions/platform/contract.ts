import * as z from 'zod';
import { anyone } from '../../shared/auth.ts';
import { capability, operation } from '../../shared/contract.ts';

export default capability({
  name: 'platform',
  summary: 'What every client asks first: is it there, and what can it do.',
  operations: {
    health: operation({
      route: 'GET /health',
      access: anyone(),
      summary: 'Says that the API answers, and which stage it is.',
      input: z.object({}),
      output: z.object({
        status: z.literal('ok'),
        stage: z
          .string()
          .max(32)
          .regex(/^[\w-]+$/),
      }),
      problems: [],
    }),
    openapi: operation({
      route: 'GET /openapi.json',
      access: anyone(),
      summary: 'This API as OpenAPI 3.1, made from the contracts that also validate the requests.',
      input: z.object({}),
      output: z.record(z.string().max(64).regex(/^\w+$/), z.unknown()),
      problems: [],
    }),
  },
  grants: { api: { tables: {} } },
});

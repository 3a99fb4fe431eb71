import { type OperationHandlers, reply } from '../../shared/http.ts';
import { openapi } from '../../shared/openapi.ts';
import { CAPABILITIES } from '../capabilities.ts';
import type platform from './contract.ts';

export const handlers = (stage: string): OperationHandlers<typeof platform> => {
  let description: Record<string, unknown> | undefined;
  return {
    health: async () => reply({ status: 'ok' as const, stage }),
    openapi: async () => {
      description ??= openapi(CAPABILITIES);
      return reply(description);
    },
  };
};

import type { OperationHandlers } from '../../shared/http.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { availabilityHandlers, outlookHandlers } from './api/availability.ts';
import { bookHandlers } from './api/books.ts';
import { discrepancyHandlers } from './api/discrepancies.ts';
import { holdHandlers } from './api/holds.ts';
import { policyHandlers } from './api/policies.ts';
import type inventory from './contract.ts';

export const handlers = (runtime: Runtime): OperationHandlers<typeof inventory> => ({
  ...availabilityHandlers(runtime),
  ...outlookHandlers(runtime),
  ...holdHandlers(runtime),
  ...bookHandlers(runtime),
  ...policyHandlers(runtime),
  ...discrepancyHandlers(runtime),
});

import type { OperationHandlers } from '../../shared/http.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { adviceHandlers } from './api/advices.ts';
import { countHandlers } from './api/counts.ts';
import { rfidHandlers } from './api/rfid.ts';
import { shortPickHandlers } from './api/short-picks.ts';
import { transferHandlers } from './api/transfers.ts';
import type stockroom from './contract.ts';

export const handlers = (runtime: Runtime): OperationHandlers<typeof stockroom> => ({
  ...adviceHandlers(runtime),
  ...transferHandlers(runtime),
  ...countHandlers(runtime),
  ...shortPickHandlers(runtime),
  ...rfidHandlers(runtime),
});

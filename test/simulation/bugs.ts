import type { PutEvents, publish } from '../../functions/outbox/publish.ts';
import type { PaymentProvider } from '../../functions/payments/provider.ts';
import type { Tables } from '../../shared/table.ts';
import type { Cluster } from './cluster.ts';
import type { Place } from './handlers.ts';

// biome-ignore lint/suspicious/noExplicitAny: a bug is planted in handlers of any capability.
type AnyHandlers = any;

/** A mistake that somebody could make, put between the product's parts while they run. No file changes. */
export interface Bug {
  name: string;
  tables?(tables: Tables, place: Place, cluster: Cluster): Tables;
  operations?(capability: string, handlers: AnyHandlers): AnyHandlers;
  provider?(provider: PaymentProvider, cluster: Cluster): PaymentProvider;
  putEvents?(put: PutEvents, cluster: Cluster): PutEvents;
  publish?: typeof publish;
  ignoresConflicts?: true;
  forgetsFailedEvents?: true;
}

import type { CompiledWorkflow } from './definition.ts';

export interface HistoryEvent {
  type: string;
  at: number;
  state?: string;
  error?: string;
  cause?: string;
}

type LibraryEvents = ReturnType<CompiledWorkflow['machine']['run']>['eventLogs'];

/** What happened, without payloads. A re-run meets the same events again: they keep the instant they first had. */
export async function historyOf(
  events: LibraryEvents,
  before: HistoryEvent[],
  linear: boolean,
): Promise<HistoryEvent[]> {
  const history: HistoryEvent[] = [];
  for await (const event of events) {
    const { name: state } = 'state' in event ? event.state : { name: undefined };
    const failure = 'Error' in event ? { error: event.Error, cause: String(event.Cause) } : {};
    if ('error' in failure && failure.error === 'Ieum.Parked') continue;
    const entry = { type: event.type, at: event.timestamp, ...(state === undefined ? {} : { state }), ...failure };
    const met = linear ? before[history.length] : undefined;
    history.push(met?.type === entry.type && met.state === state ? met : entry);
  }
  return history;
}

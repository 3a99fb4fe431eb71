import type { Report } from '../../infra/reconcile.ts';
import { describeReport } from '../../infra/reconcile.ts';
import type { Progress } from './journal.ts';

const counted = (values: Iterable<string | undefined>): string => {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.length === 0 ? 'none' : sorted.map(([value, count]) => `${count} ${value}`).join(', ');
};

/** Nearest rank: the smallest value that `percent` of all values do not exceed. */
export const percentile = (values: readonly number[], percent: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1];

export interface Run {
  /** Of the orders asked for, in this run and in earlier ones. */
  progress: readonly Progress[];
  /** Of this run. */
  placingMs: readonly number[];
  seconds: number;
  endedNow: number;
  reconciled: Report;
}

export const describeRun = ({ progress, placingMs, seconds, endedNow, reconciled }: Run): string[] => {
  const placed = progress.filter(({ orderId }) => orderId !== undefined);
  const ms = (percent: number): string => `${Math.round(percentile(placingMs, percent) ?? 0)} ms`;
  return [
    `placed       ${placed.length} of ${progress.length}: ${counted(placed.map(({ choice }) => choice))}`,
    `refused      ${counted(progress.map(({ refused }) => refused))}`,
    `ended        ${counted(placed.map(({ status }) => status ?? 'still under way'))}`,
    `split        ${placed.filter(({ nodes = 0 }) => nodes > 1).length} orders came from more than one node`,
    `re-sourced   ${placed.filter(({ resourced = 0 }) => resourced > 0).length} orders changed a node that refused`,
    placingMs.length === 0
      ? 'this run     placed nothing: everything was there'
      : `this run     placed ${placingMs.length} and ended ${endedNow} in ${seconds.toFixed(1)} s, ` +
        `${(endedNow / seconds).toFixed(1)} orders/s from placing to capture; placing p50 ${ms(50)}, p99 ${ms(99)}`,
    ...describeReport(reconciled).map((line, at) => `${at === 0 ? 'reconcile    ' : '             '}${line}`),
  ];
};

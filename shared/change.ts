import type * as z from 'zod';
import type { EventDefinition } from './contract.ts';
import type { ProblemName } from './problem.ts';
import type { Refusal } from './result.ts';
import type { Attributes, Guard, Key, Part, Write } from './table.ts';

/** A fact to publish once its transaction has committed. `subject#version` is its identity (rule 15). */
export interface Fact {
  definition: EventDefinition;
  /** The aggregate, e.g. `order/ord_01J…`. */
  subject: string;
  /** The aggregate's version after the change. */
  version: number;
  data: unknown;
}

/** What a decision wants written and said, as data. Changes of several capabilities are committed together. */
export interface Change<P extends ProblemName = ProblemName> {
  parts: readonly Part<P>[];
  facts: readonly Fact[];
}

export const change = <P extends ProblemName = never>(
  parts: readonly Part<P>[],
  facts: readonly Fact[] = [],
): Change<P> => ({ parts, facts });

/** States a fact, checked against its declared shape by the compiler here and by the outbox when it is committed. */
export const fact = <D extends z.ZodType>(
  definition: EventDefinition<D>,
  subject: string,
  version: number,
  data: z.input<D>,
): Fact => ({ definition, subject, version, data });

const partOf =
  <K extends Key>(write: (key: K) => Write) =>
  <P extends ProblemName>(table: string, key: K, guards: readonly Guard[], refusal: Refusal<P>): Part<P> => ({
    table,
    write: write(key),
    guards,
    refusal,
  });

export const put = partOf((item: Key & Attributes) => ({ kind: 'put', item }));
export const check = partOf(({ pk, sk }: Key) => ({ kind: 'check', key: { pk, sk } }));
export const remove = partOf(({ pk, sk }: Key) => ({ kind: 'delete', key: { pk, sk } }));

export const update = <P extends ProblemName>(
  table: string,
  key: Key,
  changes: { set?: Attributes; add?: Record<string, number>; remove?: readonly string[] },
  guards: readonly Guard[],
  refusal: Refusal<P>,
): Part<P> => ({ table, write: { kind: 'update', key, ...changes }, guards, refusal });

/** For a guard that only a bug or a lost race of our own can fail. */
export const changedMeanwhile = (what: string): Refusal<'changed-meanwhile'> => ({
  problem: 'changed-meanwhile',
  detail: `${what} was changed by somebody else meanwhile; read it again`,
});

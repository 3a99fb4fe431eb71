import type { Guard, Part, Tables } from '../../shared/table.ts';
import { keyOf } from '../../shared/table.ts';
import type { Bug } from './bugs.ts';
import type { Place } from './handlers.ts';

/** Which parts a mistake is about. */
export interface Which {
  table: string;
  /** Where it is made; everywhere unless given. */
  at?: string;
  pk?: string;
  sk?: RegExp;
  kind?: Part['write']['kind'];
}

const isAt = (place: Place, at: string | undefined): boolean => at === undefined || place.startsWith(at);

const concerns = (part: Part, { table, pk, sk, kind }: Which): boolean => {
  const key = keyOf(part.write);
  return (
    part.table === table &&
    (pk === undefined || key.pk.startsWith(pk)) &&
    (sk === undefined || sk.test(key.sk)) &&
    (kind === undefined || part.write.kind === kind)
  );
};

type Rewrite = (part: Part) => Part[];
/** Changes parts on their way into a transaction; the refusal stays the same object, as its owner knows it by that. */
export const rewriting =
  (which: Which, rewrite: Rewrite): NonNullable<Bug['tables']> =>
  (tables, place) =>
    isAt(place, which.at)
      ? {
          ...tables,
          commit: (parts) =>
            tables.commit(parts.flatMap((part) => (concerns(part, which) ? rewrite(part) : [part])) as never),
        }
      : tables;

/** Leaves guards out; with `absent` also that which is for ever. */
export const without = (which: Which, ...guards: Guard['guard'][]): NonNullable<Bug['tables']> => {
  const left = new Set(guards.includes('absent') ? [...guards, 'once'] : guards);
  return rewriting(which, (part) => [{ ...part, guards: part.guards.filter(({ guard }) => !left.has(guard)) }]);
};

/** Leaves whole writes out. */
export const forgetting = (which: Which): NonNullable<Bug['tables']> => rewriting(which, () => []);

/** Writes something else. */
export const writing = (which: Which, change: (write: Part['write']) => Part['write']): NonNullable<Bug['tables']> =>
  rewriting(which, (part) => [{ ...part, write: change(part.write) }]);

/** Reads something else. */
export const reading =
  (at: string, change: (tables: Tables) => Partial<Tables>): NonNullable<Bug['tables']> =>
  (tables, place) =>
    isAt(place, at) ? { ...tables, ...change(tables) } : tables;

/** Several mistakes that are one. */
export const both =
  (...mistakes: NonNullable<Bug['tables']>[]): NonNullable<Bug['tables']> =>
  (tables, place, cluster) =>
    mistakes.reduce((wrapped, mistake) => mistake(wrapped, place, cluster), tables);

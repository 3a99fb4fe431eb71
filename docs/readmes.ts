import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Capability } from '../shared/contract.ts';

/** What the capabilities' own pages say, held against their contracts. */

export const readmeOf = ({ name }: Pick<Capability, 'name'>): string =>
  readFileSync(join(import.meta.dirname, '..', 'functions', name, 'README.md'), 'utf8');

const HEADING = /^\| access pattern \|.*$/m;

/** The table of access patterns of a page, undefined where there is none. */
export const accessPatternsOf = (readme: string): string | undefined => {
  const start = readme.search(HEADING);
  return start < 0
    ? undefined
    : readme
        .slice(start)
        .split(/\n(?!\|)/)[0]!
        .trim();
};

/** Whether a line names an event; after `order.placed.v1` the aggregate may go without saying: `.completed`. */
const isNamed = (readme: string, type: string): boolean => {
  const [aggregate, fact] = type.split('.');
  return readme.split('\n').some((line) => line.includes(`\`${aggregate}.`) && line.includes(`.${fact}`));
};

/** What a capability declares and its page does not tell. */
export const untold = (capability: Capability, readme: string): string[] => {
  const { name, table, emits, listens, tasks } = capability;
  const events = [...Object.values(emits), ...Object.values(listens)].map(({ type }) => type);
  const scheduled = Object.entries(tasks).filter(([, { everyMinutes }]) => everyMinutes !== undefined);
  const patterns = accessPatternsOf(readme);
  return [
    ...(table !== undefined && patterns === undefined ? [`${name}: no table of access patterns`] : []),
    ...Object.keys(table?.indexes ?? {})
      .filter((index) => patterns?.includes(`index \`${index}\``) !== true)
      .map((index) => `${name}: no access pattern by index ${index}`),
    ...events.filter((type) => !isNamed(readme, type)).map((type) => `${name}: no word of the event ${type}`),
    ...scheduled
      .filter(([task]) => !readme.includes(`\`${task}\``))
      .map(([task]) => `${name}: no word of task ${task}`),
  ];
};

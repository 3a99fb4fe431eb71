import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { customerCaller } from '../support/call.ts';
import { misfit } from './judge.ts';
import { type Random, randomRequests } from './random-requests.ts';
import { validRequests } from './valid.ts';
import { openWorld, type World } from './world.ts';

/** `npm run fuzz` asks for 10,000 a group; FUZZ_SEED repeats what a failure has printed. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const SEED = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world?.close();
});

/** Random requests of all operations of a capability. Who leaves the shop is nobody whom the others need. */
const requestsOf = (capability: string): fc.Arbitrary<Random> => {
  const valid = validRequests(world.known);
  const { operations } = CAPABILITIES.find(({ name }) => name === capability)!;
  return fc.oneof(
    ...Object.entries(operations).map(([name, operation]) => {
      const { as, input } = valid[`${capability}.${name}`]!;
      const who = name === 'erase' ? customerCaller('leaver-0001') : as;
      return randomRequests(name, operation, who, input);
    }),
  );
};

const GROUPS = CAPABILITIES.filter(({ operations }) => Object.keys(operations).length > 0);

describe(`${RUNS} random requests to`, () => {
  test.each(GROUPS.map(({ name }) => name))(
    '%s: each is answered as declared, and what is refused has changed nothing',
    { timeout: 30_000 + RUNS * 60 },
    async (capability) => {
      const { operations } = CAPABILITIES.find(({ name }) => name === capability)!;
      const call = world.api[capability]!;
      let refused = 0;
      const answersWell = fc.asyncProperty(requestsOf(capability), async (random) => {
        const writes = world.writes();
        const answer = await call(random.operation, { ...random.call, as: random.as });
        const wrong = misfit(operations[random.operation]!, answer);
        if (wrong !== undefined) throw new Error(`${random.operation} ${wrong}`);
        if (answer.status < 400) return;
        refused += 1;
        if (world.writes() !== writes) throw new Error(`${random.operation} refuses, and has written`);
      });
      await fc.assert(answersWell, { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) });
      expect(refused).toBeGreaterThan(RUNS / 10);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );
});

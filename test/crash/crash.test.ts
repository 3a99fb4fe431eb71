import { describe, expect, it } from 'vitest';
import { chanceOf } from '../simulation/chance.ts';
import { PLANTED_BUGS } from '../simulation/planted-bugs.ts';
import { type CrashPoint, crash, pairsOf, singlePoints } from './crashes.ts';
import { FLOWS } from './flows.ts';

/** Side effects that each flow has at least, so that a flow that stopped doing anything fails. */
const EFFECTS_MIN: Record<string, number> = {
  'pay, approved': 9,
  allocate: 9,
  're-source': 8,
  complete: 18,
  earn: 12,
};
/** All pairs take minutes: `npm run simulate -- --crash-pairs`. Here, so many of each flow, others with another seed. */
const PAIRS = 6;
const SEED = Number(process.env.CRASH_SEED ?? 1);

const converge = async (flow: string, crashes: readonly CrashPoint[][]): Promise<number> => {
  let deaths = 0;
  const wrong: unknown[] = [];
  for (const points of crashes) {
    const { problems, deaths: died } = await crash(flow, points);
    deaths += died;
    if (problems.length > 0) wrong.push({ points, problems });
  }
  expect(wrong, `seed ${SEED}`).toEqual([]);
  return deaths;
};

describe.each(Object.keys(FLOWS))('%s', (flow) => {
  it('converges when a process dies before or after any of its side effects', { timeout: 60_000 }, async () => {
    const points = await singlePoints(flow);
    expect(points.length / 2).toBeGreaterThanOrEqual(EFFECTS_MIN[flow] ?? 3);
    const deaths = await converge(
      flow,
      points.map((point) => [point]),
    );
    expect(deaths).toBe(points.length);
  });

  it('converges when another process dies later, or in the recovery', { timeout: 60_000 }, async () => {
    const pairs = chanceOf(`${SEED}/${flow}`)
      .shuffle(pairsOf(await singlePoints(flow)))
      .slice(0, PAIRS);
    const deaths = await converge(flow, pairs);
    expect(deaths).toBeGreaterThan(pairs.length);
  });
});

describe('the crashes themselves', () => {
  it('kill whoever placed an order before the customer hears of it: asked again, it is the same order', async () => {
    const { deaths, effects, problems } = await crash('place', [{ effect: 1, side: 'after' }]);
    expect(problems).toEqual([]);
    expect(deaths).toBe(1);
    expect(effects.filter((what) => what === 'orders.api TransactWriteItems')).toHaveLength(1);
  });

  it('find the order whose stock was promised in a transaction of its own', async () => {
    const bug = PLANTED_BUGS.find(({ name }) => name === 'an order and its stock are two transactions')!;
    const { problems } = await crash('place', [{ effect: 1, side: 'after' }], bug);
    expect(problems.join()).toMatch(/I3: .* promised/);
  });
});

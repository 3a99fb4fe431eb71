import type { Bug } from '../simulation/bugs.ts';
import { chanceOf } from '../simulation/chance.ts';
import { Cluster } from '../simulation/cluster.ts';
import { memoryEngine } from '../simulation/engines.ts';
import type { Fate } from '../simulation/faults.ts';
import { checkAtRest } from '../simulation/invariants.ts';
import { openShop } from '../simulation/shop.ts';
import { inSilence, Simulation } from '../simulation/simulation.ts';
import { FLOWS, type Story } from './flows.ts';

/** The n-th side effect of a flow, counted over all processes, and on which side of it its process dies. */
export interface CrashPoint {
  effect: number;
  side: 'before' | 'after';
}

export interface Outcome {
  /** Side effects of the flow, retries included. */
  effects: string[];
  deaths: number;
  problems: string[];
}

const FATE: Record<CrashPoint['side'], Fate> = { before: 'caller dies before', after: 'caller dies after' };

/** How order and payment stand: `COMPLETED CAPTURED`, or `EXPIRED` where nobody ever paid. */
const standing = ({ engine }: Cluster, orderId: string): string => {
  const order = engine.items('orders').find(({ pk, sk }) => pk === `ORDER#${orderId}` && sk === 'ORDER');
  const payments = engine
    .items('payments')
    .filter(({ orderId: of, sk }) => of === orderId && sk.startsWith('PAYMENT#'));
  return [order?.status, ...payments.map(({ status }) => status)].join(' ');
};

/**
 * Tells a flow while processes die at these points, lets retries, redeliveries and sweeps do their work, and looks at
 * every invariant. Nothing else goes wrong, and nothing is left to chance.
 */
export const crash = (flowName: string, points: readonly CrashPoint[], bug?: Bug): Promise<Outcome> =>
  inSilence(async () => {
    const { before, armed, after, ends } = FLOWS[flowName]!;
    const effects: string[] = [];
    let isArmed = false;
    let deaths = 0;
    const cluster = new Cluster({
      chance: chanceOf('crash'),
      engine: memoryEngine(),
      bug,
      fate: ({ process, what, isWrite }) => {
        if (!isArmed || !isWrite) return undefined;
        effects.push(`${process.name.split('/')[0]} ${what}`);
        const point = points.find(({ effect }) => effect === effects.length);
        if (point === undefined) return undefined;
        deaths += 1;
        return FATE[point.side];
      },
    });
    const simulation = new Simulation(cluster);
    const story: Story = { simulation, orderId: '', cartId: '' };
    await simulation.waitFor(openShop(simulation.shop));
    await simulation.waitFor(before(story));
    await simulation.quiet();
    isArmed = true;
    await simulation.waitFor(armed(story));
    await simulation.quiet();
    isArmed = false;
    if (after !== undefined) await simulation.waitFor(after(story));
    simulation.startSchedules();
    await simulation.settle({ forgetsPickups: flowName === 'nobody collects', staffIsThere: true });
    const { witness, shop } = simulation;
    checkAtRest(witness, cluster, shop.told, simulation.watch);
    if (witness.violations.length === 0) await simulation.replay();
    const end = standing(cluster, story.orderId);
    const problems = witness.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
    if (!ends.includes(end)) problems.push(`it ends ${end}, not ${ends.join(' or ')}`);
    return { effects, deaths, problems };
  });

/** All single crash points of a flow: before and after every side effect that it has when nobody dies. */
export const singlePoints = async (flowName: string): Promise<CrashPoint[]> => {
  const { effects, problems } = await crash(flowName, []);
  if (problems.length > 0) throw new Error(`${flowName} goes wrong by itself: ${problems.join('; ')}`);
  return effects.flatMap((_, index) => (['before', 'after'] as const).map((side) => ({ effect: index + 1, side })));
};

/** Side effects that a recovery adds, within which the second process dies. */
const RECOVERY_EFFECTS = 6;

/** All pairs: the second process dies later in the flow, or in the recovery from the first death. */
export const pairsOf = (singles: readonly CrashPoint[]): CrashPoint[][] => {
  const last = singles.length / 2 + RECOVERY_EFFECTS;
  return singles.flatMap((first) =>
    Array.from({ length: last - first.effect }, (_, index) => first.effect + index + 1).flatMap((effect) =>
      (['before', 'after'] as const).map((side) => [first, { effect, side }]),
    ),
  );
};

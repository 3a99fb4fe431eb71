import { createHash } from 'node:crypto';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import type { Bug } from './bugs.ts';
import { chanceOf } from './chance.ts';
import { Clients } from './client.ts';
import { Cluster } from './cluster.ts';
import { emptyJournals, registerTills, TILLS, type TillId, till } from './counters.ts';
import { type Engine, memoryEngine, TABLES } from './engines.ts';
import { NO_FAULTS, someFaults } from './faults.ts';
import type { Place } from './handlers.ts';
import { checkAtRest, checkHolds } from './invariants.ts';
import { holder, keeper } from './keepers.ts';
import { CHANNELS, CUSTOMERS, NODES, noneTold, openShop, POP_UP, type Shop } from './shop.ts';
import { channel, shopper } from './shoppers.ts';
import { office, worker, workOff } from './staff.ts';
import { stockhand } from './stockhands.ts';
import { StockWatch } from './watch.ts';
import { type Violation, Witness } from './witness.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface SimulationOptions {
  seed: number;
  operations: number;
  engine?: () => Promise<Engine> | Engine;
  bug?: Bug | undefined;
  /** Reads the trace along. */
  reader?: (line: string) => void;
}

export interface SimulationReport {
  seed: number;
  violations: Violation[];
  /** How often each invariant was looked at. */
  checked: Record<string, number>;
  /** SHA-256 over everything that happened. */
  trace: string;
  counts: Record<string, number>;
  statuses: Record<string, number>;
}

const SCHEDULES = CAPABILITIES.flatMap(({ name, tasks }) =>
  Object.entries(tasks).flatMap(([task, { everyMinutes }]) =>
    everyMinutes === undefined ? [] : [{ place: `${name}.tasks` as Place, task, everyMinutes }],
  ),
);

/** One deployment, its clients, and who watches. */
export class Simulation {
  readonly cluster: Cluster;
  readonly witness = new Witness();
  readonly clients: Clients;
  readonly shop: Shop;
  readonly watch: StockWatch;
  #left = 0;
  #schedulesRun = true;
  #forgetsPickups = true;
  failedTasks = 0;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    const { chance } = cluster;
    this.watch = new StockWatch(cluster, this.witness);
    this.clients = new Clients(cluster, chance.fork('clients'), this.witness, this.watch);
    const mayAct = (): boolean => {
      this.#left -= 1;
      return this.#left >= 0;
    };
    const { clients, witness } = this;
    this.shop = { cluster, clients, chance: chance.fork('people'), witness, mayAct, told: noneTold() };
  }

  /** Everything of this kind that is due by the clock of the cluster, as the stack schedules it. */
  startSchedules(): void {
    const { scheduler } = this.cluster;
    for (const { place, task, everyMinutes } of SCHEDULES) {
      const tick = (): void => {
        if (!this.#schedulesRun) return;
        scheduler.after(everyMinutes * MINUTE_MS, tick, { isBackground: true });
        void this.runTask(place, task);
      };
      scheduler.after(this.cluster.chance.between(1_000, MINUTE_MS), tick, { isBackground: true });
    }
  }

  async runTask(place: Place, task: string): Promise<void> {
    await this.cluster.invoke(place, { task }).catch((error: Error) => {
      this.failedTasks += 1;
      this.cluster.scheduler.note(`${place} ${task} failed: ${error.message}`);
    });
  }

  /** Until nothing is on its way any more. Schedules and time-outs are not waited for. */
  async quiet(): Promise<void> {
    const { scheduler } = this.cluster;
    await scheduler.run(scheduler.nowMs + 365 * DAY_MS, () => scheduler.pending === 0);
  }

  async waitFor(promise: Promise<unknown>): Promise<void> {
    const { scheduler } = this.cluster;
    let isDone = false;
    const done = promise.then(() => {
      isDone = true;
    });
    await scheduler.run(scheduler.nowMs + 30 * DAY_MS, () => isDone);
    if (!isDone) throw new Error('somebody waits for something that does not come within a month');
    await done;
  }

  /** Everybody at once, until the operations are used up. */
  async business(operations: number): Promise<void> {
    this.#left = operations;
    const { shop } = this;
    const one = (name: string, act: (own: Shop) => Promise<void>): Promise<void> =>
      act({ ...shop, chance: shop.chance.fork(name) });
    const everybody = [
      ...CUSTOMERS.map((id) => one(id, (own) => shopper(own, id))),
      ...CHANNELS.flatMap((id) => [1, 2].map((till) => one(`${id} ${till}`, (own) => channel(own, id, till)))),
      ...[...NODES, POP_UP].flatMap((id) => [1, 2].map((shift) => one(`${id} ${shift}`, (own) => worker(own, id)))),
      one('office', office),
      ...CUSTOMERS.slice(0, 2).map((id) => one(`holder ${id}`, (own) => holder(own, id))),
      ...[1, 2].map((number) => one(`keeper ${number}`, keeper)),
      ...(Object.keys(TILLS) as TillId[]).map((id) => one(id, (own) => till(own, id))),
      ...[1, 2].map((number) => one(`stockhand ${number}`, (own) => stockhand(own, number))),
    ];
    await this.waitFor(Promise.all(everybody));
  }

  /** The trouble ends, what was left behind is taken up, and time passes until everything has come to its end. */
  async settle({ forgetsPickups = true, staffIsThere = false } = {}): Promise<void> {
    this.#forgetsPickups = forgetsPickups;
    const { cluster } = this;
    const { scheduler } = cluster;
    cluster.faults = NO_FAULTS;
    cluster.restart();
    await this.quiet();
    const endedMs = scheduler.nowMs;
    await this.waitFor(emptyJournals(this.shop));
    await this.#redrive();
    for (let minute = 0; minute < 20; minute += 1) {
      await scheduler.run(scheduler.nowMs + MINUTE_MS);
      checkHolds(this.witness, cluster, endedMs);
      if (staffIsThere) await this.waitFor(workOff(this.shop, forgetsPickups));
    }
    await this.#redrive();
    this.#schedulesRun = false;
    for (const days of [0, 8, 8, 8]) {
      await scheduler.run(scheduler.nowMs + days * DAY_MS);
      for (let round = 0; round < 3; round += 1) await this.#tidyUp();
    }
    this.witness.expect('works', cluster.bus.deadLetters.length === 0, () => {
      const [{ place, envelope }] = cluster.bus.deadLetters as [(typeof cluster.bus.deadLetters)[0]];
      return `${cluster.bus.deadLetters.length} events are lost, e.g. ${envelope.type} ${envelope.id} for ${place}`;
    });
  }

  async #redrive(): Promise<void> {
    for (let round = 0; round < 3 && this.cluster.bus.redrive() > 0; round += 1) await this.quiet();
  }

  async #tidyUp(): Promise<void> {
    for (let worked = 1; worked > 0; ) {
      await this.quiet();
      await this.waitFor(workOff(this.shop, this.#forgetsPickups).then((steps) => (worked = steps)));
    }
    await this.quiet();
    const before = this.failedTasks;
    for (const { place, task } of SCHEDULES) await this.waitFor(this.runTask(place, task));
    const failed = this.failedTasks - before;
    this.witness.expect('works', failed === 0, () => `${failed} scheduled tasks fail though nothing is wrong any more`);
    await this.quiet();
  }

  /** Every event once more, as from the archive: nothing may change, and nothing may fail (I7). */
  async replay(): Promise<void> {
    const { cluster, witness } = this;
    const { bus, engine, chance } = cluster;
    const state = (): string => {
      const hash = createHash('sha256');
      for (const { name } of TABLES) hash.update(JSON.stringify(engine.items(name)));
      return hash.digest('hex');
    };
    const before = state();
    for (const envelope of chance.shuffle([...bus.archive.values()])) bus.send(envelope);
    await this.quiet();
    witness.expect('I7', state() === before, () => 'a repeat of all events changes something');
    const failed = bus.deadLetters.map(({ place, envelope }) => `${envelope.type} for ${place}`);
    witness.expect('I7', failed.length === 0, () => `events that come again fail: ${[...new Set(failed)].join(', ')}`);
  }
}

const countsOf = ({ cluster, shop, failedTasks }: Simulation): Record<string, number> => {
  const { wire, bus, workflows, scheduler } = cluster;
  const executions = [...workflows.executions.values()];
  return {
    'virtual minutes': Math.round((scheduler.nowMs - Date.parse('2026-11-23T01:00:00.000Z')) / MINUTE_MS),
    steps: scheduler.steps,
    invocations: cluster.invocations,
    'calls out': wire.calls,
    ...Object.fromEntries([...wire.fates].filter(([fate]) => fate !== 'works').sort()),
    crashes: cluster.crashes,
    zombies: cluster.zombies,
    orders: shop.told.orders.size,
    'carts ordered': shop.told.ordersOfCart.size,
    events: bus.archive.size,
    deliveries: bus.deliveries,
    workflows: executions.length,
    'tasks failed': failedTasks,
  };
};

/** The product tells its own log what went wrong; a thousand planned faults need not be read. */
export const inSilence = async <T>(act: () => Promise<T>): Promise<T> => {
  const { error, warn } = console;
  console.error = () => {};
  console.warn = () => {};
  try {
    return await act();
  } finally {
    Object.assign(console, { error, warn });
  }
};

/** Runs one seed to its end and says what was found. The same options give the same report. */
export const simulate = (options: SimulationOptions): Promise<SimulationReport> =>
  inSilence(async () => {
    const { seed, operations, bug, reader } = options;
    const chance = chanceOf(seed);
    const engine = await (options.engine ?? memoryEngine)();
    try {
      const cluster = new Cluster({ chance, engine, bug });
      cluster.scheduler.reader = reader;
      const simulation = new Simulation(cluster);
      const { witness, clients } = simulation;
      await simulation.waitFor(openShop(simulation.shop));
      await simulation.waitFor(registerTills(simulation.shop));
      cluster.restart();
      cluster.faults = someFaults(chance.fork('faults'));
      simulation.startSchedules();
      await simulation.business(operations);
      await simulation.settle();
      checkAtRest(witness, cluster, simulation.shop.told, simulation.watch);
      if (witness.violations.length === 0) await simulation.replay();
      for (const difference of await engine.differences()) throw new Error(`the engines differ on ${difference}`);
      const { violations, checked } = witness;
      const statuses = Object.fromEntries([...clients.statuses].sort());
      return {
        seed,
        violations,
        checked,
        trace: cluster.scheduler.traceHash(),
        counts: countsOf(simulation),
        statuses,
      };
    } finally {
      await engine.close();
    }
  });

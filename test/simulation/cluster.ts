import type { Context } from 'aws-lambda';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { createRuntime, type Runtime, tableVariable } from '../../shared/runtime.ts';
import type { Bug } from './bugs.ts';
import { Bus } from './bus.ts';
import type { Chance } from './chance.ts';
import type { Engine } from './engines.ts';
import type { Fate } from './faults.ts';
import { type Faults, NO_FAULTS } from './faults.ts';
import { type Handler, handlerOf, type Place } from './handlers.ts';
import { Scheduler } from './scheduler.ts';
import { type Outgoing, type Process, Wire } from './wire.ts';
import { Workflows } from './workflows.ts';

/** 2026-11-23 is a Monday; 10:00 in Seoul. */
const START_MS = Date.parse('2026-11-23T01:00:00.000Z');
/** As the stack sets them (infra/constructs/capability.ts). */
const TIMEOUT_MS: Record<string, number> = { api: 10_000, events: 30_000, tasks: 60_000, stream: 30_000 };
/** A process that timed out goes on as a zombie as often as it is killed. */
const ZOMBIE = 0.5;

/** A process with its function in it. As on Lambda, it does one thing at a time. */
interface Instance extends Process {
  handler: Handler;
  runtime: Runtime;
}

const ENV = Object.fromEntries(CAPABILITIES.map(({ name }) => [tableVariable(name), name]));

export interface ClusterOptions {
  chance: Chance;
  engine: Engine;
  faults?: Faults;
  bug?: Bug | undefined;
  fate?: (call: Outgoing) => Fate | undefined;
}

/** All functions, the bus, the stream and the workflows of one deployment, on virtual time. */
export class Cluster {
  readonly scheduler = new Scheduler(START_MS);
  readonly chance: Chance;
  readonly engine: Engine;
  readonly wire: Wire;
  readonly bus: Bus;
  readonly workflows: Workflows;
  readonly bug: Bug | undefined;
  faults: Faults;
  /** People who act at the very moment at which a function starts, because that is when it hurts. */
  #waiting = new Map<Place, (() => void)[]>();
  /** Called after every write. */
  onChange: () => void = () => {};
  #idle = new Map<Place, Instance[]>();
  #born = 0;
  crashes = 0;
  zombies = 0;
  invocations = 0;

  constructor({ chance, engine, faults = NO_FAULTS, bug, fate }: ClusterOptions) {
    this.chance = chance;
    this.engine = engine;
    this.faults = faults;
    this.bug = bug;
    this.wire = new Wire({
      ...{ scheduler: this.scheduler, chance: chance.fork('wire'), engine, fate },
      faults: () => this.faults,
      ignoresConflicts: bug?.ignoresConflicts === true,
      written: (table, item) => this.bus.written(table, item),
      changed: () => this.onChange(),
    });
    this.bus = new Bus(this, chance.fork('bus'));
    const doubles = chance.fork('workflows');
    this.workflows = new Workflows(this.scheduler, (payload) => {
      const run = () => this.invoke('fulfilment.tasks', payload);
      if (doubles.happens(this.faults.doubleTask)) run().catch(() => {});
      return run();
    });
  }

  /**
   * Runs a function as Lambda does, in a process that is free or in a new one.
   * @throws what the function throws, or `Sandbox.Timedout`; a process that died answers nothing until then
   */
  invoke(place: Place, event: unknown): Promise<unknown> {
    const { scheduler } = this;
    const instance = this.#idle.get(place)?.pop() ?? this.#start(place);
    this.invocations += 1;
    for (const wake of this.#waiting.get(place)?.splice(0) ?? []) wake();
    // Whoever waits for quiet waits for its end, and not for its time to run out.
    scheduler.pending += 1;
    return new Promise((resolve, reject) => {
      let isOver = false;
      const timeOut = (): void => {
        if (isOver) return;
        isOver = true;
        scheduler.pending -= 1;
        if (instance.isDead) this.crashes += 1;
        else if (this.chance.happens(ZOMBIE)) this.zombies += 1;
        else instance.isDead = true;
        reject(Object.assign(new Error(`${instance.name} timed out`), { name: 'Sandbox.Timedout' }));
      };
      scheduler.after(TIMEOUT_MS[place.split('.')[1]!]!, timeOut, { isBackground: true });
      const end = (then: () => void): void => {
        if (isOver) return;
        isOver = true;
        scheduler.pending -= 1;
        const idle = this.#idle.get(place);
        if (idle === undefined) this.#idle.set(place, [instance]);
        else idle.push(instance);
        then();
      };
      instance.handler(event, {} as Context).then(
        (value) => end(() => resolve(value)),
        (error: Error) => {
          scheduler.note(`${instance.name} failed: ${error.message}`);
          end(() => reject(error));
        },
      );
    });
  }

  /** Resolves when a function of this place is invoked next, or after a while. */
  async nextRunOf(place: Place, atMostMs: number): Promise<void> {
    const { scheduler } = this;
    await new Promise<void>((resolve) => {
      scheduler.after(atMostMs, resolve);
      const waiting = this.#waiting.get(place);
      if (waiting === undefined) this.#waiting.set(place, [resolve]);
      else waiting.push(resolve);
    });
  }

  /** Every process is replaced, as by a deployment: the next ones have clocks of their own. */
  restart(): void {
    this.#idle.clear();
  }

  #start(place: Place): Instance {
    this.#born += 1;
    const process = { name: `${place}/${this.#born}`, isDead: false };
    const chance = this.chance.fork(process.name);
    const { skewMs } = this.faults;
    const offMs = chance.between(-skewMs, skewMs);
    const plain = createRuntime({
      env: ENV,
      clockMs: () => this.scheduler.nowMs + offMs,
      random: chance.next,
      ...this.wire.dynamoFor(process),
      simulated: { sleep: this.scheduler.sleep },
    });
    const runtime = { ...plain, tables: this.bug?.tables?.(plain.tables, place, this) ?? plain.tables };
    return Object.assign(process, { runtime, handler: handlerOf(place, { cluster: this, process, runtime, chance }) });
  }
}

interface Lane<Work> {
  queue: Work[];
  /** Index in `queue` of what starts next. */
  next: number;
  running: number;
  awake: boolean;
}

const CLOSE_MILLISECONDS = 1_000;

/** One queue of work a target, first in first out, so that a slow target holds up nobody else. */
export class Lanes<Work> {
  /** Work queued, waiting or running. */
  size = 0;
  closed = false;
  readonly #concurrency: number;
  readonly #run: (work: Work) => Promise<void>;
  readonly #lanes = new Map<string, Lane<Work>>();
  readonly #waits = new Set<NodeJS.Timeout>();
  #running = 0;
  #watchers: (() => void)[] = [];

  /** `run` must not reject; at most `concurrency` of them run at the same time in one lane. */
  constructor(concurrency: number, run: (work: Work) => Promise<void>) {
    this.#concurrency = concurrency;
    this.#run = run;
  }

  /** Queues work; it starts in a later tick, so that the caller's transaction has ended by then. */
  add(name: string, work: Work): void {
    this.size += 1;
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { queue: [], next: 0, running: 0, awake: false };
      this.#lanes.set(name, lane);
    }
    lane.queue.push(work);
    if (!lane.awake) {
      lane.awake = true;
      setImmediate(() => {
        lane.awake = false;
        this.#start(lane);
      });
    }
  }

  /** Queues work after a wait. */
  later(name: string, work: Work, milliseconds: number): void {
    this.size += 1;
    const wait = setTimeout(() => {
      this.#waits.delete(wait);
      this.size -= 1;
      this.add(name, work);
    }, milliseconds);
    this.#waits.add(wait);
  }

  /** Resolves when nothing is queued, waiting or running, or when the lanes are closed. */
  async idle(): Promise<void> {
    while (this.size > 0 && !this.closed) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Starts nothing any more and waits for what runs, but not longer than a second. */
  async close(): Promise<void> {
    this.closed = true;
    for (const wait of this.#waits) clearTimeout(wait);
    if (this.#running > 0) {
      const limit = setTimeout(() => this.#notify(), CLOSE_MILLISECONDS);
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
      clearTimeout(limit);
    }
    this.#notify();
  }

  #start(lane: Lane<Work>): void {
    while (!this.closed && lane.running < this.#concurrency && lane.next < lane.queue.length) {
      const work = lane.queue[lane.next++] as Work;
      lane.running += 1;
      this.#running += 1;
      void this.#run(work).finally(() => {
        lane.running -= 1;
        this.#running -= 1;
        this.size -= 1;
        this.#start(lane);
        if (this.size === 0 || (this.closed && this.#running === 0)) this.#notify();
      });
    }
    // Forget what has started; cutting the array only now and then keeps a turn cheap.
    if (lane.next === lane.queue.length || lane.next > 1_000) {
      lane.queue = lane.queue.slice(lane.next);
      lane.next = 0;
    }
  }

  #notify(): void {
    const heard = this.#watchers;
    this.#watchers = [];
    for (const watcher of heard) watcher();
  }
}

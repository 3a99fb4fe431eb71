import { createHash } from 'node:crypto';

interface Planned {
  atMs: number;
  /** Order of planning, which decides between two things planned for the same moment. */
  number: number;
  run: () => void;
  /** Goes on for ever by itself, like a schedule: nobody waits for it. */
  isBackground: boolean;
}

const isBefore = (a: Planned, b: Planned): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);

/**
 * Virtual time. One thing happens at a time, and the next one only when everything that followed from it without
 * waiting has been done; so what is planned, and nothing else, decides the order. No wall clock is read.
 */
export class Scheduler {
  nowMs: number;
  /** Things planned that are not background. */
  pending = 0;
  #planned: Planned[] = [];
  #number = 0;
  #outside: Promise<unknown> | undefined;
  readonly #trace = createHash('sha256');
  steps = 0;
  /** Set to read along. */
  reader: ((line: string) => void) | undefined;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  after(ms: number, run: () => void, { isBackground = false } = {}): void {
    this.#push({ atMs: this.nowMs + Math.max(0, Math.ceil(ms)), number: this.#number++, run, isBackground });
    if (!isBackground) this.pending += 1;
  }

  sleep = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve));

  /** Waits for something real, e.g. the embedded engine; time stands still meanwhile. */
  async outside<T>(act: () => T | Promise<T>): Promise<T> {
    const result = act();
    if (!(result instanceof Promise)) return result;
    const before = this.#outside;
    const settled = Promise.allSettled([before, result]).then(() => {
      if (this.#outside === settled) this.#outside = undefined;
    });
    this.#outside = settled;
    return result;
  }

  /** Something that happened and has to happen again with the same seed. */
  note(line: string): void {
    const full = `${this.nowMs} ${line}\n`;
    this.#trace.update(full);
    this.reader?.(full);
  }

  /** Ends the trace: what the whole run hashes to. */
  traceHash(): string {
    return this.#trace.copy().digest('hex');
  }

  /** Runs what is planned up to a moment, or until `isDone`. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await this.#rest();
    while (!isDone() && this.#planned.length > 0 && this.#planned[0]!.atMs <= untilMs) {
      const next = this.#pop();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (!next.isBackground) this.pending -= 1;
      this.steps += 1;
      next.run();
      await this.#rest();
    }
    if (!isDone() && Number.isFinite(untilMs)) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Until nothing goes on by itself any more: microtasks are done when the event loop comes round. */
  async #rest(): Promise<void> {
    do {
      await this.#outside;
      await new Promise(setImmediate);
    } while (this.#outside !== undefined);
  }

  #push(planned: Planned): void {
    const heap = this.#planned;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #pop(): Planned {
    const heap = this.#planned;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      let least = at;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

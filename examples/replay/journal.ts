import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What became of an order of the data, as far as it went. */
export interface Progress {
  reference: string;
  /** Why the API refused it; nothing else happens to it. */
  refused?: string;
  orderId?: string;
  choice?: string;
  /** Once it has ended. */
  status?: string;
  /** Nodes that supplied it. */
  nodes?: number;
  /** Times that a node was replaced by another. */
  resourced?: number;
}

/**
 * What the replay remembers between runs: one line of JSON a step, appended. The API knows all of it but an order's
 * reference; a line that was lost to a kill is learned again, because every command is repeated with the same key.
 */
export class Journal {
  readonly #file: string;
  readonly #progress = new Map<string, Progress>();
  readonly #references = new Map<string, string>();

  constructor(file: string) {
    this.#file = file;
    if (!existsSync(file)) return;
    const text = readFileSync(file, 'utf8');
    for (const line of text.split('\n')) if (isWhole(line)) this.#remember(JSON.parse(line));
    if (!text.endsWith('\n')) appendFileSync(file, '\n');
  }

  #remember(step: Progress): void {
    const { reference, orderId } = step;
    this.#progress.set(reference, { ...this.#progress.get(reference), ...step });
    if (orderId !== undefined) this.#references.set(orderId, reference);
  }

  add(step: Progress): void {
    this.#remember(step);
    appendFileSync(this.#file, `${JSON.stringify(step)}\n`);
  }

  of(reference: string): Progress | undefined {
    return this.#progress.get(reference);
  }

  /** The reference of an order of ours. */
  referenceOf(orderId: string): string | undefined {
    return this.#references.get(orderId);
  }

  all(): Progress[] {
    return [...this.#progress.values()];
  }
}

/** The last line of a process that was killed may be half a line. */
const isWhole = (line: string): boolean => line.startsWith('{') && line.endsWith('}');

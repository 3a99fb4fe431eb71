import type { DatabaseSync } from 'node:sqlite';
import type { Functions, SendMessage } from './deliveries.ts';
import { StreamMapping } from './stream-mapping.ts';
import type { StreamSource } from './stream-source.ts';
import type { Resource } from './template.ts';

interface StreamsOptions {
  journal: DatabaseSync;
  source: StreamSource;
  /** AWS::Lambda::EventSourceMapping */
  mappings: Resource[];
  /** AWS::DynamoDB::GlobalTable and Table */
  tables: Resource[];
  functions: Functions;
  send: SendMessage;
  retryMilliseconds?: number;
  now?: () => number;
}

const LOOK_MILLISECONDS = 100;
const TRIM_MILLISECONDS = 10_000;

/**
 * Runs the event source mappings. Looks for new records ten times a second: what came meanwhile is one batch, and a batch
 * costs as much as a record. Lambda looks four times a second.
 */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #mappings: StreamMapping[];
  #head = -1;
  #timer: NodeJS.Timeout | undefined;
  #trimmer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    const { journal, retryMilliseconds = 100, now = Date.now } = options;
    journal.exec('CREATE TABLE IF NOT EXISTS checkpoints (mapping TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT');
    const read = journal.prepare('SELECT position FROM checkpoints WHERE mapping = ?');
    const write = journal.prepare(
      'INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
    );
    this.#mappings = options.mappings
      .filter(({ properties }) => properties.Enabled !== false)
      .map((mapping) => {
        const made: StreamMapping = new StreamMapping({
          ...options,
          mapping,
          retryMilliseconds,
          now,
          checkpoint: {
            read: () => read.get(made.key)?.position as number | undefined,
            write: (position) => write.run(made.key, position),
          },
        });
        return made;
      });
  }

  /** Begins to read, each mapping from its checkpoint. */
  async start(): Promise<void> {
    for (const mapping of this.#mappings) await mapping.open();
    await this.#look();
    this.#trimmer = setInterval(() => void this.#trimQuietly(), TRIM_MILLISECONDS);
    this.#trimmer.unref();
  }

  /** Resolves when every record written so far, and what its handling wrote, is handled. */
  async idle(): Promise<void> {
    while (!this.#closed) {
      const head = await this.#options.source.head();
      for (const mapping of this.#mappings) mapping.wake();
      // A mapping that was already reading reads once more after that.
      while (this.#mappings.some((mapping) => mapping.busy()))
        await Promise.all(this.#mappings.map((mapping) => mapping.busy()));
      if (head === (await this.#options.source.head())) return;
    }
  }

  /** Lets the source forget what every mapping of a table has read. */
  async trim(): Promise<void> {
    const { tables, source } = this.#options;
    for (const { name, properties } of tables) {
      if (!properties.StreamSpecification) continue;
      const readers = this.#mappings.filter(({ table }) => table === name);
      for (const reader of readers) reader.save();
      const positions = readers.map(({ position }) => position);
      await source.trim(name, positions.length > 0 ? Math.min(...positions) : await source.latest(name));
    }
  }

  /** Stops reading; a batch on its way may end, and is repeated at the next start if it did not. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#trimmer);
    await Promise.all(this.#mappings.map((mapping) => mapping.close()));
    for (const mapping of this.#mappings) mapping.save();
    this.#options.source.close();
  }

  async #trimQuietly(): Promise<void> {
    try {
      await this.trim();
    } catch (error) {
      if (!this.#closed) console.error('Stream records could not be trimmed, trying again:', error);
    }
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    try {
      const head = await this.#options.source.head();
      const isNew = head !== this.#head;
      this.#head = head;
      if (isNew || this.#options.source.mustAsk) for (const mapping of this.#mappings) mapping.wake();
    } catch (error) {
      console.error('The table streams cannot be read, trying again:', error);
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), LOOK_MILLISECONDS);
  }
}
